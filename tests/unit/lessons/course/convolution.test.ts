import { expect, test } from 'vitest';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf } from '../../../../src/lessons/course/step';
import { measures } from '../../../../src/lessons/convolution/measure';
import { fullTest } from '../../../full';
import { testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, settings = {}) => measures[step]!(new Lab(device()), settings);

test.each([
  [0, 0, 1e-6],
  [1, 0.5, 1],
])('at λ = %f the matrix of the kernel’s scan has a defect from %f to %f', async (lambda, low, high) => {
  const measured = await measure('matrix', { lambda, channel: 1 });
  expect(measured.facts['defect']).toBeGreaterThanOrEqual(low);
  expect(measured.facts['defect']).toBeLessThan(high);
  expect(differenceOf(measured)).toBeLessThan(1e-6);
});

test('the convolution is wrong by 1 % from about λ = 1 %, in proportion to λ', async () => {
  const { answer, facts } = await measure('threshold');
  expect(answer[0]).toBeGreaterThan(0.003);
  expect(answer[0]).toBeLessThan(0.03);
  expect(Math.abs(facts['slope']! - 1)).toBeLessThan(0.1);
});

test('no single kernel fits at λ = 1, nor where one of the three alone follows from the token', async () => {
  const { facts } = await measure('average');
  expect(facts['best']).toBeGreaterThan(60);
  expect(facts['best']).toBeLessThan(facts['frozen']! + 20);
  for (const error of Object.values((await measure('which')).facts)) expect(error).toBeGreaterThan(15);
});

fullTest('without selection the trained model loses most of its answers', async () => {
  const { facts } = await measure('price');
  expect(facts['all']).toBeGreaterThan(97);
  expect(facts['none']).toBeLessThan(45);
});

test('a fifth of λ is a fifth of the error', async () => {
  expect((await measure('transfer')).answer[0]).toBeCloseTo(0.2, 1);
});
