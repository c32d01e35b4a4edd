import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/gradient';
import { Graph } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { causalConv1d } from '../../../src/engine/ops/causal_conv1d';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { planProgram } from '../../../src/engine/plan';
import { FULL } from '../../full';
import { checkOp, testDevice, type OpCase } from './check-op';

const device = testDevice({ defaultsOnly: true });

type Sizes = { batch: number; length: number; channels: number; taps: number };
type Case = OpCase<'x' | 'weight' | 'bias'>;

const conv = (
  { batch, length, channels, taps }: Sizes,
  activation: 'silu' | 'none',
  range: readonly [number, number] = [-2, 2],
): Case => ({
  inputs: {
    x: { shape: [batch, length, channels], range },
    weight: { shape: [channels, taps] },
    bias: { shape: [channels] },
  },
  build: (graph, { x, weight, bias }) => ({ y: causalConv1d(graph, x, weight, bias, activation) }),
});

/** One step, odd and prime sizes, spans of 8, 16, 32 and 64 steps that are just not full, channels by fours or not. */
const SIZES: readonly Sizes[] = [
  { batch: 1, length: 1, channels: 1, taps: 1 },
  { batch: 1, length: 1, channels: 4, taps: 4 },
  { batch: 2, length: 2, channels: 3, taps: 4 },
  { batch: 3, length: 7, channels: 5, taps: 2 },
  { batch: 1, length: 31, channels: 20, taps: 3 },
  { batch: 2, length: 65, channels: 8, taps: 4 },
  { batch: 1, length: 129, channels: 68, taps: 4 },
  { batch: 5, length: 13, channels: 17, taps: 7 },
  { batch: 1, length: 45, channels: 2, taps: 19 },
];

/** Four channels a lane and one: a size is a text to compile, and what SIZES check of spans and edges is no matter of flags. */
const TWO_SIZES: readonly Sizes[] = [
  { batch: 2, length: 65, channels: 8, taps: 4 },
  { batch: 5, length: 13, channels: 17, taps: 7 },
];

describe.each(['silu', 'none'] as const)('causal_conv1d with activation %s', (activation) => {
  test.each(FULL || activation === 'silu' ? SIZES : TWO_SIZES)(
    'b $batch, l $length, d $channels, k $taps',
    async (sizes) => {
      await checkOp(device(), conv(sizes, activation));
    },
  );

  test.each(TWO_SIZES)('extremes, $channels channels', async (sizes) => {
    await checkOp(device(), { ...conv(sizes, activation, [-1e4, 1e4]), differences: false });
  });
});

test('more partial sums than one thread should add make longer spans', async () => {
  await checkOp(device(), {
    ...conv({ batch: 70, length: 520, channels: 1, taps: 2 }, 'silu'),
    differences: false,
  });
});

test.each([['x'], ['weight'], ['bias'], ['weight', 'bias']])(
  'only the gradients of %s %s are wanted',
  async (...wanted) => {
    const { inputs, ...rest } = conv({ batch: 2, length: 19, channels: 8, taps: 4 }, 'silu');
    const only = (name: keyof typeof inputs) => ({
      ...inputs[name],
      differentiable: wanted.includes(name),
    });
    await checkOp(device(), {
      ...rest,
      inputs: { x: only('x'), weight: only('weight'), bias: only('bias') },
    });
  },
);

test('the backward pass takes two dispatches and stores nothing of the size of x but dx', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 128, 64]);
  const weight = graph.input('weight', [64, 4]);
  const bias = graph.input('bias', [64]);
  const y = causalConv1d(graph, x, weight, bias, 'silu');
  const cotangent = graph.input('cotangent', y.shape);
  const wrt = [x, weight, bias];
  const gradients = differentiate(graph, [{ of: y, cotangent }], wrt);
  const { dispatches } = planProgram(graph, device().capabilities, { outputs: [...gradients.values()] });
  expect(dispatches.map(({ kernel }) => kernel)).toEqual(['causal_conv1d_backward', 'channel_sums']);
});

test('shapes that do not fit are rejected with a sentence', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 5, 6]);
  const bias = graph.input('bias', [6]);
  const apply = (weight: readonly number[], of = x) =>
    causalConv1d(graph, of, graph.input(`weight ${graph.inputs.length}`, weight), bias, 'silu');
  expect(() => apply([4, 6])).toThrow(/weight must be \[6, taps\], it is \[4, 6\]$/);
  expect(() => apply([6, 4], bias)).toThrow(/x must be \[batch, length, channels\], it is \[6\]$/);
  expect(() => causalConv1d(graph, x, graph.input('w', [6, 4]), graph.input('b', [4]), 'none')).toThrow(
    /bias must be \[6\], it is \[4\]$/,
  );
  const odd = [
    graph.input('odd', [1, 2, 3]),
    graph.input('of odd', [3, 4]),
    graph.input('beside', [3]),
  ] as const;
  expect(() => causalConv1d(graph, ...odd, 'none', 'second half')).toThrow(/3 channels have no second half$/);
});

describe('in reverse', () => {
  const build: Case['build'] = (graph, { x, weight, bias }) => ({
    y: causalConv1d(graph, x, weight, bias, 'silu', true),
  });

  test.each(FULL ? SIZES : TWO_SIZES)('b $batch, l $length, d $channels, k $taps', async (sizes) => {
    await checkOp(device(), { ...conv(sizes, 'silu'), build });
  });

  test.each([
    { batch: 2, length: 65, channels: 8, taps: 4 },
    { batch: 1, length: 33, channels: 20, taps: 3 },
    { batch: 5, length: 13, channels: 18, taps: 7 },
  ])('the second half alone: b $batch, l $length, d $channels, k $taps', async (sizes) => {
    const build: Case['build'] = (graph, { x, weight, bias }) => ({
      y: causalConv1d(graph, x, weight, bias, 'silu', 'second half'),
    });
    await checkOp(device(), { ...conv(sizes, 'silu'), build });
  });

  test('is the convolution of the sequence turned round', () => {
    const graph = new Graph();
    const [x, weight, bias] = [graph.input('x', [2, 5, 3]), graph.input('w', [3, 4]), graph.input('b', [3])];
    const y = causalConv1d(graph, x, weight, bias, 'silu', true);
    const turned = flipTime(graph, causalConv1d(graph, flipTime(graph, x), weight, bias, 'silu'));
    const ramp = (length: number): number[] => Array.from({ length }, (_, i) => Math.sin(3 * i));
    const values = interpret(
      graph,
      new Map([
        [x, ramp(30)],
        [weight, ramp(12)],
        [bias, ramp(3)],
      ]),
    );
    expect(values.get(y)).toEqual(values.get(turned));
  });
});
