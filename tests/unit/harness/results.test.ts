import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resultRows } from '../../bench/results';

test('FEATURES.md shows every GPU that was reported', () => {
  const shown = readFileSync('FEATURES.md', 'utf8').split('\n');
  const rows = resultRows();
  expect(rows.length).toBeGreaterThan(0);
  expect(shown).toEqual(expect.arrayContaining([...rows]));
});
