import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../../src/cli/validate';
import { failing, inspect } from '../../../src/production/findings';
import { PRESETS } from '../../../src/production/presets';
import { TARGETS, type TargetName } from '../../../src/production/targets';

const CONFIGS = join(import.meta.dirname, '../../../configs');

const mendable = (text: string, name: string, target: TargetName) =>
  inspect(text, { name, target: TARGETS[target] }).findings.filter(failing);

describe.each(PRESETS.filter(({ corrected }) => corrected).map((preset) => [preset.name, preset] as const))(
  '%s',
  (name, { text, target }) => {
    test('has nothing to mend where it runs', () => expect(mendable(text, name, target)).toEqual([]));
    test.runIf(name.includes('local'))('nor under WSL2 and on Linux', () => {
      expect(mendable(text, name, 'wsl2')).toEqual([]);
      expect(mendable(text, name, 'local')).toEqual([]);
    });
  },
);

test('the command answers with exit codes', async () => {
  expect(await main([join(CONFIGS, 'local/train.yaml')])).toBe(0);
  expect(await main([join(CONFIGS, 'review/tusz_train.yaml')])).toBe(1);
  expect(await main([])).toBe(2);
  expect(await main(['--target', 'moon', 'x.yaml'])).toBe(2);
  expect(await main([join(CONFIGS, 'no-such.yaml')])).toBe(1);
});
