import { expect, test } from 'vitest';
import { measures } from '../../../../src/lessons/scan_tree/measure';
import {
  doubling,
  FLOAT32,
  FLOAT64,
  hexOf,
  intervals,
  randomTokens,
  sweep,
  walk,
} from '../../../../src/lessons/scan_tree/tree';
import { Lab } from '../../../../src/lessons/course/lab';
import { fullTest } from '../../../full';
import { testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, lab = new Lab(undefined)) => measures[step]!(lab, {});

test.each([
  [8, [7, 7], [17, 3], [11, 4], 4, [14, 7]],
  [64, [63, 63], [321, 6], [120, 10], 16, [126, 33]],
  [960, [959, 959], [8577, 10], [2036, 18], 120, [1918, 245]],
  [4096, [4095, 4095], [45_057, 12], [8178, 22], 128, [8190, 285]],
])('%i tokens: joins and rounds of each way, and the same h', (n, walked, doubled, swept, size, cut) => {
  const tokens = randomTokens(n, n);
  const ways = [walk, doubling, sweep, (of: typeof tokens, as: typeof FLOAT64) => intervals(of, size, as)];
  const exact = walk(tokens, FLOAT64).h;
  const largest = Math.max(...exact.map(Math.abs));
  for (const [i, way] of ways.entries()) {
    const [double, single] = [way(tokens, FLOAT64), way(tokens, FLOAT32)];
    expect([double.joins, double.rounds]).toEqual([walked, doubled, swept, cut][i]);
    double.h.forEach((h, t) => expect(Math.abs(h - exact[t]!)).toBeLessThan(1e-12 * largest));
    single.h.forEach((h, t) => expect(Math.abs(h - exact[t]!)).toBeLessThan(5e-7 * largest));
  }
});

test('an order of eight changes the last places only', async () => {
  const { answer, facts } = await measure('order');
  expect(answer).toEqual([1]);
  expect(facts['max']).toBeLessThanOrEqual(3);
  expect(facts['worst64']).toBeLessThan(1e-12);
});

test('one exponential of the sum is as good as 128 decays to a hundred-thousandth', async () => {
  const { facts } = await measure('interval');
  expect(facts['single']).toBeLessThan(2e-5);
  expect(facts['product']).toBeLessThan(2e-5);
});

test('1,024 tokens by doubling take 9,217 joins in 10 rounds', async () => {
  expect((await measure('transfer')).answer).toEqual([9217, 10]);
});

fullTest(
  'walk and intervals are timed on the kernels, or in JavaScript without them; doubling is counted',
  async () => {
    const joins = { walkJoins: 4095, cutJoins: 8190, doubledJoins: 45_057, rounds: 12 };
    for (const [lab, kernels] of [
      [new Lab(device()), 1],
      [new Lab(undefined), 0],
    ] as const) {
      const { answer, facts, bars = [] } = await measure('faster', lab);
      expect(facts).toMatchObject({ ...joins, kernels });
      const times = bars.map(({ value }) => value);
      expect(answer).toEqual([times.indexOf(Math.min(...times))]);
      for (const ms of times) expect(ms).toBeGreaterThan(0);
    }
  },
);

test('bits are shown as they are', () => expect(hexOf(1)).toBe('3f800000'));
