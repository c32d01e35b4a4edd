import { expect, test } from 'vitest';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf } from '../../../../src/lessons/course/step';
import recorded from '../../../../src/lessons/stored/zero-order-hold.json' with { type: 'json' };
import { measures } from '../../../../src/lessons/zero_order_hold/measure';
import {
  accuracyWith,
  endOf,
  recordedTraining,
  trainCopying,
} from '../../../../src/lessons/zero_order_hold/train';
import { fullTest } from '../../../full';
import { testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, settings = {}) => measures[step]!(new Lab(device()), settings);

test('the kernels write as much too loud as the formula says', async () => {
  for (const [x, gain] of [
    [0.01, 1.005],
    [0.1, 1.0508],
    [0.5, 1.2707],
    [1, 1.582],
    [2, 2.313],
    [3, 3.157],
  ] as const) {
    const measured = await measure('gain', { x });
    expect(measured.answer[0]! / (x / -Math.expm1(-x)) - 1).toBeCloseTo(0, 5);
    expect(measured.answer[0]).toBeCloseTo(gain, 3);
    expect(differenceOf(measured)).toBeLessThan(1e-6);
  }
  expect((await measure('transfer')).answer[0]).toBeCloseTo(2.005, 3);
});

test('a decay of 1 − x is 0 at 1 and grows beyond 2', async () => {
  const measured = await measure('decay');
  expect(measured.answer[0]).toBeCloseTo(2, 5);
  expect(measured.facts).toMatchObject({ atOne: 0, atThree: 16 });
  expect(differenceOf(measured)).toBeLessThan(1e-5);
});

test('about three in ten of the trained model’s writes are more than twice too loud', async () => {
  const measured = await measure('trained');
  expect(measured.facts['tenth']).toBeGreaterThan(30);
  expect(measured.facts['tenth']).toBeLessThan(70);
  expect(measured.answer[0]).toBeGreaterThan(15);
  expect(measured.answer[0]).toBeLessThan(35);
  expect(differenceOf(measured)).toBeLessThan(0.001);
});

fullTest('trained weights lose answers with the exact B̄, untrained ones have none to lose', async () => {
  const trained = await measure('swap', { steps: 400 });
  expect(trained.facts['mamba']! - trained.facts['exact']!).toBeGreaterThan(10);
  expect(differenceOf(trained)).toBeLessThan(0.01);
  const { facts } = await measure('swap', { steps: 0 });
  expect(facts['mamba']).toBeLessThan(25);
  expect(facts['exact']).toBeLessThan(25);
});

test('what the text says of five seeds holds for the recorded ones', async () => {
  expect(recorded.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
  const ends = async (zeroOrderHold: boolean) =>
    (await Promise.all(recorded.map(({ seed }) => recordedTraining({ zeroOrderHold, seed }))))
      .map((training) => Math.round(endOf(training)))
      .toSorted((a, b) => a - b);
  expect(await ends(false)).toEqual([96, 98, 99, 99, 100]);
  expect(await ends(true)).toEqual([91, 98, 98, 99, 99]);
  const swapped = recorded.map(({ swapped }) => Math.round(swapped));
  expect([Math.min(...swapped), Math.max(...swapped)]).toEqual([74, 76]);
});

fullTest('the seed that is late with the exact B̄ gets there, too', async () => {
  const late = await trainCopying(new Lab(device()), { zeroOrderHold: true, seed: 4, steps: 600 });
  // Kernels that add in another order move it by an answer or two: 99 became 98 when their sums were changed.
  expect(Math.round(endOf(late))).toBeGreaterThanOrEqual(98);
});

fullTest.each([1, 2, 3])('seed %i is learned with either B̄, and its weights belong to one', async (seed) => {
  const lab = new Lab(device());
  const mamba = await trainCopying(lab, { zeroOrderHold: false, seed });
  const hold = await trainCopying(lab, { zeroOrderHold: true, seed });
  for (const training of [mamba, hold]) expect(endOf(training)).toBeGreaterThanOrEqual(95);
  const { got } = await accuracyWith(lab, mamba.weights, true);
  expect(mamba.accuracy.at(-1)! - 100 * got[0]!).toBeGreaterThan(10);
});
