import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { convTranspose1d } from '../../../src/engine/ops/conv_transpose1d';
import { checkOp, testDevice, type OpCase } from './check-op';

interface Sizes {
  readonly batch?: number;
  readonly length: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: number;
  readonly groups?: number;
}

function transposed(sizes: Sizes): OpCase<'x' | 'weight' | 'bias'> {
  const { batch = 2, length, channels, outputs, kernel, groups = 1, ...attrs } = sizes;
  return {
    inputs: {
      x: { shape: [batch, length, channels] },
      weight: { shape: [channels, outputs / groups, kernel] },
      bias: { shape: [outputs] },
    },
    build: (graph, { x, weight, bias }) => ({
      y: convTranspose1d(graph, x, weight, bias, { ...attrs, groups }),
    }),
  };
}

const CASES: readonly Sizes[] = [
  { batch: 1, length: 1, channels: 1, outputs: 1, kernel: 2, stride: 2 },
  { length: 19, channels: 12, outputs: 8, kernel: 2, stride: 2 },
  { length: 7, channels: 5, outputs: 3, kernel: 3, stride: 3 },
  // Windows that overlap, and steps that none reaches.
  { length: 11, channels: 4, outputs: 7, kernel: 4, stride: 2, padding: 1 },
  { length: 5, channels: 4, outputs: 4, kernel: 2, stride: 4 },
  { length: 9, channels: 3, outputs: 6, kernel: 5, padding: 2 },
  { length: 8, channels: 6, outputs: 4, kernel: 3, stride: 2, groups: 2 },
  { length: 13, channels: 4, outputs: 4, kernel: 3, padding: 1, groups: 4 },
];

describe.each([
  ['the limits and features of the adapter', false],
  ['default limits only', true],
])('conv_transpose1d on %s', (_, defaultsOnly) => {
  const device = testDevice({ defaultsOnly });

  const cases = CASES.filter((_, i) => defaultsOnly || i % 2 === 1);
  test.each(cases.map((sizes) => [JSON.stringify(sizes), sizes] as const))('%s', async (_, sizes) => {
    await checkOp(device(), { ...transposed(sizes), variants: 'frozen' });
  });
});

describe('conv_transpose1d', () => {
  const device = testDevice();

  test('more than one tile, at sizes that none divides', async () => {
    const sizes = { length: 83, channels: 37, outputs: 41, kernel: 2, stride: 2 };
    await checkOp(device(), { ...transposed(sizes), variants: 'frozen', differences: false });
  });
});

test('conv_transpose1d rejects what does not fit', () => {
  const graph = new Graph();
  const [x, weight] = [graph.input('x', [1, 2, 6]), graph.input('weight', [6, 4, 2])];
  expect(() => convTranspose1d(graph, graph.input('z', [1, 2, 5]), weight)).toThrow(
    'x has 5 channels, the weight takes 6',
  );
  expect(() => convTranspose1d(graph, x, weight, undefined, { stride: 2, padding: 2 })).toThrow(
    'padding 2 takes away all of the 4 steps',
  );
});
