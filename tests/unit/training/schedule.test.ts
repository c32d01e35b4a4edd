import { expect, test } from 'vitest';
import { learningRateAt, type Schedule } from '../../../src/training/schedule';

const schedule: Schedule = { peak: 1, steps: 20, warmupRatio: 0.25, firstStepFullRate: false };
const rates = (of: Schedule): number[] => Array.from({ length: of.steps }, (_, i) => learningRateAt(of, i));

test('warms up in equal steps and follows half a cosine', () => {
  const all = rates(schedule);
  expect(all.slice(0, 6)).toEqual([0.2, 0.4, 0.6, 0.8, 1, 1]);
  expect(all[10]).toBeCloseTo(0.75, 12); // a third of the way: ½ (1 + cos 60°)
  expect(all.at(-1)).toBeCloseTo((1 + Math.cos((14 / 15) * Math.PI)) / 2, 12);
});

test('production runs its first step at the full rate', () => {
  expect(rates({ ...schedule, firstStepFullRate: true })).toEqual([1, ...rates(schedule).slice(1)]);
});

test('a ratio of nothing still warms up for one step, and past the end the rate stays 0', () => {
  expect(rates({ ...schedule, warmupRatio: 0, steps: 3 })).toEqual([1, 1, expect.closeTo(0.5, 12)]);
  expect(learningRateAt(schedule, 40)).toBe(0);
});
