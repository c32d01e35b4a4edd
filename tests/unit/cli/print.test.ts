import { expect, test, vi } from 'vitest';
import { complain, print } from '../../../src/cli/print';

const HOSTILE = 'a\u001b[31m\u202eb\r\u0007\tc\nd';

test('what is printed holds nothing that a terminal obeys, and JSON stays what it was', () => {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  print(JSON.stringify({ name: HOSTILE }));
  complain(`${HOSTILE}${'x'.repeat(5000)}`);
  const [json, sentence] = [String(log.mock.calls[0]), String(error.mock.calls[0])];
  log.mockRestore();
  error.mockRestore();
  expect(json).not.toContain('\u202e');
  expect(JSON.parse(json)).toEqual({ name: HOSTILE });
  expect(sentence).toMatch(/^a\\u001b\[31m\\u202eb\\u000d\\u0007\tc\ndx{1998}…$/);
});
