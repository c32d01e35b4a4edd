import { expect, test } from 'vitest';
import { IGNORE } from '../../../src/lessons/tasks/task';
import { meanDelta, previewGraph } from '../../../src/lessons/loop/preview';
import { resolveRun } from '../../../src/lessons/loop/sequence';
import { TINY } from './record';

const softplus = (x: number): number => Math.log(1 + Math.exp(x));

test('Δ of a token is the geometric mean over channels of softplus(delta + bias)', () => {
  const delta = [0.5, -2, 3, 0, 1, -1];
  const bias = [1, -3];
  const want = [0, 1].map((t) =>
    Math.sqrt(softplus((delta[2 * t] as number) + 1) * softplus((delta[2 * t + 1] as number) - 3)),
  );
  const got = meanDelta(delta, bias, 2);
  expect(got).toHaveLength(2);
  got.forEach((value, t) => expect(value).toBeCloseTo(want[t] as number, 6));
});

test('Δ is exact where it is nearly nothing and where it is large', () => {
  expect(meanDelta([-80], [0], 1)[0]).toBeCloseTo(Math.exp(-80), 40);
  expect(meanDelta([-800], [0], 1)[0]).toBe(0);
  expect((meanDelta([1e4], [0], 1)[0] as number) / 1e4).toBeCloseTo(1, 6);
});

test('without delta, Δ is softplus of the bias for every token', () => {
  const [first, second] = meanDelta(undefined, [0, 0], 2);
  expect(first).toBe(second);
  expect(first).toBeCloseTo(Math.log(2), 7);
});

test.each(['selective', 'delta-frozen', 'time-invariant'] as const)(
  '%s dynamics: only values are read back',
  (dynamics) => {
    const { outputs, sources, batch, tokens } = previewGraph(resolveRun({ ...TINY, dynamics }));
    expect(outputs.every(({ role }) => role === 'value' || role === 'parameter')).toBe(true);
    expect(sources.map(({ delta }) => delta !== undefined)).toEqual([dynamics === 'selective']);
    expect(batch.tokens).toHaveLength(tokens.shape.reduce((product, size) => product * size));
    expect(batch.targets.slice(-1)[0]).not.toBe(IGNORE);
  },
);

test('a long sequence is held out alone, a short one as often as in a batch', () => {
  const count = (preset: string) => previewGraph(resolveRun({ ...TINY, preset })).tokens.shape[0];
  expect(count('published')).toBe(1);
  expect(count('tiny')).toBe(16);
});
