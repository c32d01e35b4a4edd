import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { dropout } from '../../../src/engine/ops/dropout';
import { silu } from './sample_ops';
import { checkOp, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });

describe.each([
  [1, 0.5],
  [3, 0.5],
  [4, 0.1],
  [5, 0.9],
  [127, 0.1],
  [256, 0.25],
  [1009, 0.999],
  [4100, 1e-3],
  // More than threads take in one pass on a software adapter.
  [10_006, 0.3],
])('%i elements, rate %d', (count, rate) => {
  test.each([
    { step: 1, seed: 0, learningRate: 0 },
    { step: 4_000_000_000, seed: 0xffffffff, learningRate: 0 },
  ])('step $step, seed $seed: the GPU draws the mask of the reference', async (step) => {
    await checkOp(device(), {
      inputs: { x: { shape: [count] } },
      step,
      build: (graph, { x }) => ({ y: dropout(graph, x, rate) }),
    });
  });
});

test('several layers, each with the mask of its own stream', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [3, 67] } },
    build: (graph, { x }) => ({ y: dropout(graph, silu(graph, dropout(graph, x, 0.3)), 0.3) }),
  });
});

test('rate 0 is x itself; rates outside [0, 1) are rejected', () => {
  const graph = new Graph();
  const x = graph.input('x', [2]);
  expect(dropout(graph, x, 0)).toBe(x);
  expect(graph.nodes).toHaveLength(0);
  for (const rate of [1, -0.1, NaN])
    expect(() => dropout(graph, x, rate)).toThrow(
      `dropout(x [2]): the rate must be at least 0 and below 1, it is ${rate}`,
    );
});

const COUNT = 40_000;

/** 1 where an element of the graph's `layer`-th dropout is kept. */
function mask(rate: number, { step = 1, seed = 0, layer = 0 } = {}): Float64Array {
  const graph = new Graph();
  const x = graph.input('x', [COUNT]);
  let y = x;
  for (let i = 0; i <= layer; i++) y = dropout(graph, x, rate);
  const ones = new Float64Array(COUNT).fill(1);
  const values = interpret(graph, new Map([[x, ones]]), { step, seed, learningRate: 0 });
  return (values.get(y) as Float64Array).map((value) => (value === 0 ? 0 : 1));
}

const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

/** Correlation of two masks in standard deviations of what independent ones show. */
function dependence(a: Float64Array, b: Float64Array, rate: number): number {
  const covariance = mean(a.map((value, i) => (value - 1 + rate) * ((b[i] as number) - 1 + rate)));
  return Math.abs((covariance / (rate * (1 - rate))) * Math.sqrt(a.length));
}

describe.each([0.1, 0.5, 0.9])('the masks of rate %d', (rate) => {
  test('keep the right share, and the kept values make up for the dropped', () => {
    const deviation = Math.sqrt((rate * (1 - rate)) / COUNT);
    for (const layer of [0, 1, 5])
      for (const step of [1, 2, 1000])
        expect(Math.abs(mean(mask(rate, { step, layer })) - 1 + rate)).toBeLessThan(4.5 * deviation);
    const graph = new Graph();
    const x = graph.input('x', [COUNT]);
    const y = dropout(graph, x, rate);
    const values = interpret(graph, new Map([[x, new Float64Array(COUNT).fill(1)]]));
    expect(Math.max(...(values.get(y) as Float64Array))).toBeCloseTo(1 / (1 - rate), 12);
  });

  test('repeat for equal counters, and are independent across steps, seeds, layers and elements', () => {
    const base = mask(rate);
    expect(mask(rate)).toEqual(base);
    const others = [{ step: 2 }, { step: 3 }, { seed: 1 }, { seed: 0x80000000 }, { layer: 1 }, { layer: 2 }];
    for (const other of others) expect(dependence(base, mask(rate, other), rate)).toBeLessThan(4.5);
    // Not even swapped: the same number as step and as seed, or as layer.
    expect(dependence(mask(rate, { step: 2, seed: 7 }), mask(rate, { step: 7, seed: 2 }), rate)).toBeLessThan(
      4.5,
    );
    for (const shift of [1, 2, 3, 4, 8, 64, 256])
      expect(dependence(base.subarray(shift), base.subarray(0, COUNT - shift), rate)).toBeLessThan(4.5);
  });
});
