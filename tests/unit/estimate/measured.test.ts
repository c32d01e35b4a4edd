import { readFileSync } from 'node:fs';
import { expect, it, test } from 'vitest';
import { MIB } from '../../../src/base/units';
import { SAVED_MIB } from '../../../src/config/facts';
import { cellsOf, HEADINGS, MEASURED, readMeasured, rowsOf } from '../../../src/estimate/measured';
import { PRODUCTION_VRAM } from './plans';
import { predictVram } from '../../../src/estimate/vram/predict';

test('FEATURES.md has the table of measured/, with what is predicted now', () => {
  const features = readFileSync(new URL('../../../FEATURES.md', import.meta.url), 'utf8');
  const cells = (line: string): string =>
    line
      .split('|')
      .map((cell) => cell.trim())
      .join('|');
  const lines = features.split('\n').map(cells);
  for (const row of [HEADINGS, ...MEASURED.flatMap(rowsOf).map(cellsOf)])
    expect(lines).toContain(cells(`| ${row.join(' | ')} |`));
});

it('has the facts that are also quoted elsewhere', () => {
  const saved = MEASURED.flatMap((file) =>
    file.kind === 'saved-tensors' ? [[file.precision, file.mebibytesPerWindow]] : [],
  );
  expect(Object.fromEntries(saved)).toEqual({ fp32: SAVED_MIB.fp32, bf16: SAVED_MIB.autocast });
});

it('reads a run on a GPU and lays both figures beside the prediction', () => {
  const run = { ...PRODUCTION_VRAM, batch: 2 };
  const { allocated } = predictVram(run);
  const measured = Math.round(1.01 * allocated.likely);
  const [first, second] = rowsOf(
    readMeasured({
      kind: 'gpu-memory',
      title: 'a run',
      source: 'a test',
      run: { ...run, kernelSizes: [...run.kernelSizes] },
      allocated: measured,
      reserved: measured + MIB,
    }),
  );
  expect(first).toMatchObject({ unit: 'bytes', measured, predicted: allocated });
  expect(second?.measured).toBe(measured + MIB);
});

test.each([
  [{ kind: 'gpu-memory', title: 'a' }, /cannot be read/],
  [{ kind: 'guess', title: 'a' }, /cannot be read/],
])('of %j it says what is wrong', (data, sentence) => {
  expect(() => readMeasured(data)).toThrow(sentence);
  expect(() => rowsOf({ kind: 'oom-kill', title: 'a', incident: '1999-01-01' })).toThrow(/no incident 1999/);
});
