import { expect, test } from 'vitest';
import { afterStep, FIRST_SCALE, readLossScale, type LossScale } from '../../../src/training/loss_scale';

const after = (begin: LossScale, overflowed: readonly boolean[]): LossScale | null =>
  overflowed.reduce<LossScale | null>((state, bad) => state && afterStep(state, bad), begin);
const good = (count: number): boolean[] => Array.from({ length: count }, () => false);

test('doubles after 2000 steps in a row that were good, as GradScaler does', () => {
  expect(after(FIRST_SCALE, good(1999))).toEqual({ scale: 65536, good: 1999, skipped: 0 });
  expect(after(FIRST_SCALE, good(2000))).toEqual({ scale: 131072, good: 0, skipped: 0 });
  expect(after(FIRST_SCALE, [...good(1999), true, ...good(1999)])).toEqual({
    scale: 32768,
    good: 1999,
    skipped: 1,
  });
});

test('halves with each overflow, down to 1 and no further', () => {
  const sixteen = after(FIRST_SCALE, Array<boolean>(16).fill(true));
  expect(sixteen).toEqual({ scale: 1, good: 0, skipped: 16 });
  expect(afterStep(sixteen as LossScale, false)).toEqual({ scale: 1, good: 1, skipped: 16 });
  expect(afterStep(sixteen as LossScale, true)).toBeNull();
});

test('never grows so far that its inverse is no normal float32', () => {
  const most = after({ scale: 2 ** 125, good: 0, skipped: 0 }, good(4000));
  expect(most?.scale).toBe(2 ** 126);
  expect(Math.fround(1 / 2 ** 126)).toBe(2 ** -126);
});

test('comes back from a checkpoint, and what is none is rejected', () => {
  const kept = { scale: 1024, good: 7, skipped: 6 };
  expect(readLossScale(JSON.parse(JSON.stringify(kept)) as LossScale & Record<string, number>)).toEqual(kept);
  for (const wrong of [null, 65536, { scale: 0.5, good: 0, skipped: 0 }, { scale: 4, good: -1, skipped: 0 }])
    expect(() => readLossScale(wrong)).toThrow(`the checkpoint's loss scale is ${JSON.stringify(wrong)}`);
});
