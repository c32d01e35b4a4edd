import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { dropout, dropout1d } from '../../../src/engine/ops/dropout';
import { checkOp, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });

describe('the GPU draws the mask of the reference', () => {
  test.each([
    [1, 1, 1],
    [2, 3, 5],
    [3, 37, 8],
    [2, 129, 7],
    [2, 4, 131],
  ])('[%i, %i, %i]', async (...shape) => {
    await checkOp(device(), {
      inputs: { x: { shape } },
      step: { step: 7, seed: 0x90000001, learningRate: 0 },
      build: (graph, { x }) => ({ y: dropout1d(graph, dropout(graph, x, 0.2), 0.4) }),
    });
  });
});

test('a channel is dropped for all of time, in each batch element on its own', () => {
  const graph = new Graph();
  const [batch, length, channels, rate] = [40, 5, 250, 0.3];
  const x = graph.input('x', [batch, length, channels]);
  const y = dropout1d(graph, x, rate);
  const ones = new Float64Array(batch * length * channels).fill(1);
  const values = interpret(graph, new Map([[x, ones]])).get(y) as Float64Array;
  const kept = (b: number, t: number): boolean[] =>
    Array.from({ length: channels }, (_, c) => values[(b * length + t) * channels + c] !== 0);
  for (let b = 0; b < batch; b++) for (let t = 1; t < length; t++) expect(kept(b, t)).toEqual(kept(b, 0));
  expect(kept(1, 0)).not.toEqual(kept(0, 0));
  const count = batch * channels;
  const share =
    Array.from({ length: batch }, (_, b) => kept(b, 0))
      .flat()
      .filter(Boolean).length / count;
  expect(Math.abs(share - (1 - rate))).toBeLessThan(4.5 * Math.sqrt((rate * (1 - rate)) / count));
  expect(Math.max(...values)).toBeCloseTo(1 / (1 - rate), 12);
});

test('rate 0 is x itself; what is no sequence is rejected', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  expect(dropout1d(graph, x, 0)).toBe(x);
  expect(() => dropout1d(graph, x, 0.5)).toThrow('x must be [batch, length, channels], it is [2, 3]');
});
