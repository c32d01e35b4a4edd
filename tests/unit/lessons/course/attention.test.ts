import { expect, test } from 'vitest';
import { Random } from '../../../../src/base/random';
import { chunkedScan } from '../../../../src/lessons/attention/chunks';
import { matrixOf, scannedMatrix, scanOf, type Head } from '../../../../src/lessons/attention/head';
import { measures } from '../../../../src/lessons/attention/measure';
import { rankOf, singularValues } from '../../../../src/lessons/attention/singular_values';
import { Lab } from '../../../../src/lessons/course/lab';
import { differenceOf } from '../../../../src/lessons/course/step';
import { FULL, fullTest } from '../../../full';
import { relativeError, testDevice } from '../../engine/check-op';

const device = testDevice();
const measure = (step: string, settings = {}) => measures[step]!(new Lab(device()), settings);

function randomHead(length: number, reverse: boolean): Head {
  const random = new Random(0, 'a small head');
  const attrs = { headdim: 8, groups: 1, dState: 4, reverse };
  return {
    attrs,
    length,
    xbc: Float32Array.from({ length: length * 16 }, () => random.normal()),
    dt: Float32Array.from({ length }, () => random.normal()),
    A: -2,
    dtBias: -3,
  };
}

test('singular values are those of a product of known ones, and their squares sum to the squares of the entries', () => {
  const [a, b] = [3 / 5, 4 / 5];
  // Rotations around diag(5, 0.01).
  const values = [5 * a * a + 0.01 * b * b, 4.99 * a * b, 4.99 * a * b, 5 * b * b + 0.01 * a * a];
  const [first, second] = singularValues(values, 2, 2) as [number, number];
  expect(first).toBeCloseTo(5, 12);
  expect(second).toBeCloseTo(0.01, 12);
  const random = new Random(0, 'entries');
  const entries = Array.from({ length: 6 * 5 }, () => random.normal());
  const squares = (all: readonly number[]): number => all.reduce((sum, value) => sum + value * value, 0);
  expect(squares(singularValues(entries, 6, 5))).toBeCloseTo(squares(entries), 10);
});

test.each([false, true])(
  'the formula’s matrix is the scan’s, and chunks give the scan (reverse: %s)',
  async (reverse) => {
    const head = randomHead(45, reverse);
    const lab = new Lab(device());
    expect(relativeError(await scannedMatrix(lab, head), matrixOf(head))).toBeLessThan(2e-6);
    const x = Float32Array.from({ length: 45 * 8 }, (_, i) => head.xbc[Math.floor(i / 8) * 16 + (i % 8)]!);
    const { want } = await scanOf(lab, head, 1, x);
    for (const size of [1, 4, 7, 45])
      expect(relativeError(chunkedScan(head, size).y, Float64Array.from(want))).toBeLessThan(1e-12);
  },
);

test.each([[1, 0.1], ...(FULL ? [[2, 3] as const] : [])] as const)(
  'head %i of the stored detector is its matrix, with half of a row within %f s',
  async (direction, half) => {
    const measured = await measure('grid', { direction });
    expect(differenceOf(measured)).toBeLessThan(2e-6);
    expect(measured.facts['half']).toBeLessThan(half);
    const middles = measured.matrix!.parts!.map(
      (parts) => parts['mask']! * parts['match']! * parts['delta']!,
    );
    const scanned = measured.matrix!.parts!.map((parts) => parts['scanned']!);
    expect(relativeError(scanned, middles)).toBeLessThan(2e-6);
  },
);

const rankAt = async (distance: number): Promise<readonly number[]> =>
  (await measure('rank', { distance })).answer;

test('a block beside the diagonal has the rank of the state, one on it is whole', async () => {
  expect(await rankAt(1)).toEqual([16]);
  expect(await rankAt(0)).toEqual([32]);
});

fullTest('so have blocks farther away', async () => {
  for (const distance of [2, 4, 8, 16]) expect(await rankAt(distance)).toEqual([16]);
});

fullTest('rows do not sum to 1', async () => {
  const { facts } = await measure('attention');
  expect(facts['backwardHigh']! - facts['backwardLow']!).toBeGreaterThan(0.1);
});

test('arithmetic is least at chunks of 5, and counted as the kernel declares it', async () => {
  const { answer, facts } = await measure('chunk');
  expect(answer).toEqual([5]);
  expect(Math.abs(facts['declared']! / facts['atKernel']! - 1)).toBeLessThan(0.03);
});

test('a head of 64 states has blocks of full rank', async () => {
  const { answer, facts } = await measure('transfer');
  expect(answer).toEqual([32]);
  expect(facts['rank32']).toBe(32);
});

test('a large block has the rank of the state, too', () => {
  const head = randomHead(60, false);
  const matrix = matrixOf(head);
  const block = Array.from(
    { length: 30 * 30 },
    (_, at) => matrix[(30 + Math.floor(at / 30)) * 60 + (at % 30)]!,
  );
  expect(rankOf(singularValues(block, 30, 30), 1e-10)).toBe(4);
});
