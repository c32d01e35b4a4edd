import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { conv1d } from '../../../src/engine/ops/conv1d';
import { planProgram } from '../../../src/engine/plan';
import { FULL } from '../../full';
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
  readonly bias?: false;
}

function conv(sizes: Sizes): OpCase<'x' | 'weight' | 'bias'> {
  const { batch = 1, length, channels, outputs, kernel, bias, groups = 1, ...attrs } = sizes;
  return {
    inputs: {
      x: { shape: [batch, length, channels] },
      weight: { shape: [outputs, channels / groups, kernel] },
      bias: { shape: [outputs], differentiable: bias !== false },
    },
    build: (graph, inputs) => ({
      y: conv1d(graph, inputs.x, inputs.weight, bias === false ? undefined : inputs.bias, {
        ...attrs,
        groups,
      }),
    }),
  };
}

const name = (sizes: Sizes): string =>
  Object.entries(sizes)
    .map(([key, value]) => `${key} ${value}`)
    .join(', ');
const named = (cases: readonly Sizes[]) => cases.map((sizes) => [name(sizes), sizes] as const);

const ONE_GROUP: readonly Sizes[] = [
  { length: 1, channels: 1, outputs: 1, kernel: 1 },
  { length: 5, channels: 1, outputs: 1, kernel: 5, padding: 2 },
  // Shorter than the kernel, which then reaches out at both ends of every window.
  { batch: 2, length: 3, channels: 3, outputs: 2, kernel: 11, padding: 5 },
  { batch: 3, length: 33, channels: 7, outputs: 5, kernel: 3, padding: 1 },
  { batch: 2, length: 37, channels: 8, outputs: 4, kernel: 7, padding: 3 },
  // More padding than a kernel has before its last tap.
  { batch: 2, length: 9, channels: 4, outputs: 3, kernel: 2, padding: 4 },
  { batch: 2, length: 11, channels: 5, outputs: 6, kernel: 4, padding: 1, bias: false },
  { batch: 2, length: 10, channels: 12, outputs: 19, kernel: 1 },
  // More weights than are packed in one pass.
  { length: 9, channels: 24, outputs: 19, kernel: 5, padding: 2 },
];

const STRIDED: readonly Sizes[] = [
  { batch: 2, length: 16, channels: 4, outputs: 8, kernel: 2, stride: 2 },
  // A last step that no window reaches.
  { batch: 2, length: 17, channels: 3, outputs: 5, kernel: 2, stride: 2 },
  { batch: 2, length: 19, channels: 5, outputs: 4, kernel: 5, stride: 3, padding: 2 },
  // Steps between the windows that no window reaches.
  { batch: 2, length: 13, channels: 4, outputs: 3, kernel: 2, stride: 5, padding: 1 },
  { batch: 2, length: 24, channels: 4, outputs: 4, kernel: 6, stride: 3 },
  { length: 2, channels: 2, outputs: 2, kernel: 3, stride: 4, padding: 1 },
];

const GROUPED: readonly Sizes[] = [
  { batch: 2, length: 37, channels: 8, outputs: 8, kernel: 5, padding: 2, groups: 8 },
  { batch: 2, length: 35, channels: 3, outputs: 3, kernel: 4, padding: 3, groups: 3 },
  { batch: 2, length: 21, channels: 4, outputs: 4, kernel: 3, stride: 2, padding: 1, groups: 4 },
  { batch: 2, length: 11, channels: 4, outputs: 4, kernel: 2, stride: 3, groups: 4, bias: false },
  { batch: 2, length: 13, channels: 6, outputs: 9, kernel: 3, padding: 1, groups: 3 },
  { batch: 2, length: 12, channels: 4, outputs: 2, kernel: 4, stride: 2, padding: 3, groups: 2 },
  { batch: 2, length: 7, channels: 2, outputs: 6, kernel: 1, groups: 2 },
];

describe.each([
  ['the limits and features of the adapter', false],
  ['default limits only', true],
])('conv1d on %s', (_, defaultsOnly) => {
  const device = testDevice({ defaultsOnly });

  // The quads of the first differ from the second's tiles only in how lanes share loads, and compile for long.
  const few = (_: Sizes, i: number): boolean => defaultsOnly || i % 3 === 1;
  test.each(named([...ONE_GROUP, ...STRIDED, ...GROUPED].filter(few)))('%s', async (_, sizes) => {
    await checkOp(device(), { ...conv(sizes), variants: 'frozen' });
  });

  // A software adapter compiles for long, so not every case runs in every variant. These two are long enough for products
  // cut into spans, the first for spans that go from one batch element to the next.
  test.each(
    named([
      { batch: 3, length: 91, channels: 7, outputs: 5, kernel: 3, padding: 1 },
      ...(FULL ? [{ length: 19, channels: 23, outputs: 6, kernel: 11, padding: 5 }] : []),
    ]),
  )('every variant: %s', async (_, sizes) => {
    // How many lanes share a tile is no matter of the operands, which are all that a convolution adds to a product.
    await checkOp(device(), { ...conv(sizes), differences: false, fullOnly: /^(single|narrow)/ });
  });
});

describe('conv1d', () => {
  const device = testDevice();

  test.each(
    named([
      { batch: 2, length: 67, channels: 67, outputs: 70, kernel: 3, padding: 1 },
      { length: 150, channels: 16, outputs: 34, kernel: 2, stride: 2 },
      { batch: 3, length: 131, channels: 12, outputs: 12, kernel: 5, padding: 2, groups: 12 },
    ]),
  )('more than one tile or span, at sizes that none divides: %s', async (_, sizes) => {
    await checkOp(device(), { ...conv(sizes), variants: 'frozen', differences: false });
  });

  test.each(
    named([
      { batch: 3, length: 91, channels: 7, outputs: 5, kernel: 3, padding: 1 },
      // So long that a team shares the sums of the weights' gradient.
      { batch: 2, length: 8195, channels: 3, outputs: 5, kernel: 3, padding: 1 },
    ]),
  )('as a GPU gets it, at lengths that no tile divides: %s', async (_, sizes) => {
    await checkOp(device(), { ...conv(sizes), gpu: true, variants: 'frozen', differences: false });
  });

  test('no tensor is larger than input or output with channels by fours', () => {
    const graph = new Graph();
    const x = graph.input('x', [2, 300, 19]);
    const y = conv1d(graph, x, graph.input('weight', [64, 19, 7]), graph.input('bias', [64]), { padding: 3 });
    const { dispatches } = planProgram(graph, device().capabilities, { outputs: [y] });
    const sizes = dispatches.flatMap(({ bindings }) =>
      bindings.map(({ tensor }) => tensor.shape.reduce((product, size) => product * size, 1)),
    );
    expect(Math.max(...sizes)).toBe(2 * 300 * 64);
  });
});

test('conv1d rejects what does not fit', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 10, 6]);
  const weight = (...shape: number[]): Tensor => graph.input(`weight ${graph.inputs.length}`, shape);
  const build =
    (w: Tensor, attrs = {}, bias?: Tensor) =>
    () =>
      conv1d(graph, x, w, bias, attrs);
  expect(build(weight(4, 5, 3))).toThrow('x has 6 channels, the weight takes 5 for each of 1 groups');
  expect(build(weight(4, 6))).toThrow('kernel], it is [4, 6]');
  expect(build(weight(4, 6, 11))).toThrow('a kernel of 11 does not fit into 10 steps with 0 zeros');
  expect(build(weight(4, 2, 3), { groups: 3 })).toThrow('3 groups do not divide the 4 channels');
  expect(build(weight(4, 6, 3), { stride: 0 })).toThrow('stride 0');
  expect(build(weight(4, 6, 3), {}, weight(5))).toThrow('bias must be [4], it is [5]');
  expect(() => conv1d(graph, graph.input('y', [10, 6]), weight(4, 6, 3))).toThrow(
    'x must be [batch, length, channels], it is [10, 6]',
  );
});
