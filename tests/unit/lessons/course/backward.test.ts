import { expect, test } from 'vitest';
import { backwardLoop, differing, loopValues, statesHeld } from '../../../../src/lessons/backward/loop';
import { kernelGradients } from '../../../../src/lessons/backward/kernels';
import { measures } from '../../../../src/lessons/backward/measure';
import { scanBackward } from '../../../../src/engine/ops/selective_scan_reference';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf } from '../../../../src/lessons/course/step';
import { fullTest } from '../../../full';
import { relativeError, testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, settings = {}) => measures[step]!(new Lab(device()), settings);

test('the largest gradient is at the token that writes the letter', async () => {
  const measured = await measure('blame', { mark: 2 });
  expect(measured.answer).toEqual([1]);
  expect(measured.facts['share']).toBeGreaterThanOrEqual(95);
  expect(differenceOf(measured)).toBeLessThan(1e-4);
});

fullTest.each([1, 3])('at mark %i, too', async (mark) => {
  expect((await measure('blame', { mark })).facts['share']).toBeGreaterThanOrEqual(95);
});

fullTest('noise leaves the state as it is, where a letter is written little is left', async () => {
  const { facts } = await measure('noise');
  expect(facts['noise']).toBeGreaterThan(0.75);
  expect(facts['write']).toBeLessThan(0.7);
  expect(facts['slow']).toBeGreaterThan(0.98);
});

test('960 steps hold the fewest states at K = 30 to 32, 4,096 at 64', async () => {
  expect((await measure('interval')).facts).toMatchObject({ from: 30, to: 32, min: 62 });
  expect((await measure('transfer')).answer).toEqual([64, 128]);
  expect((await measure('bytes')).answer).toEqual([60]);
});

fullTest('loop and kernels give the same bits for each interval', async () => {
  const { answer, facts } = await measure('bits');
  expect(answer).toEqual([0]);
  expect(facts).toMatchObject({ apart: 0, kernels: 4, max: 15 * 1024, usual: 2 * 1024 });
});

test('loop and kernels give the same gradients', async () => {
  const sizes = { length: 45, channels: 3, states: 4 };
  const values = loopValues(sizes);
  const { gradients } = await kernelGradients(device(), values, sizes, 16);
  backwardLoop(values, sizes, 1).gradients.forEach((want, i) =>
    expect(relativeError(gradients[i]!, want)).toBeLessThan(1e-5),
  );
});

test('the loop’s gradients are the reference’s, the same bits for each interval, and it holds what the formula says', () => {
  const sizes = { length: 45, channels: 3, states: 4 };
  const { length, channels, states } = sizes;
  const values = loopValues(sizes);
  const all = backwardLoop(values, sizes, 1);
  const shaped = (data: Float32Array, shape: number[]) => ({ shape, data: Float64Array.from(data) });
  const reference = scanBackward(
    {
      u: shaped(values.u, [1, length, channels]),
      delta: shaped(values.delta, [1, length, channels]),
      A: shaped(values.A, [channels, states]),
      B: shaped(values.B, [1, length, states]),
      C: shaped(values.C, [1, length, states]),
    },
    Float64Array.from(values.dy),
    { deltaSoftplus: false },
  );
  const wanted = [reference.du, reference.ddelta, reference.dA, reference.dB, reference.dC];
  wanted.forEach((want, i) => expect(relativeError(all.gradients[i]!, want)).toBeLessThan(1e-5));
  for (const interval of [2, 7, 16, 45]) {
    const result = backwardLoop(values, sizes, interval);
    expect(differing(all, result)).toBe(0);
    expect(result.held).toBe(statesHeld(length, interval));
  }
});
