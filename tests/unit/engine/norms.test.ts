import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { layerNorm } from '../../../src/engine/ops/layer_norm';
import { rmsNorm } from '../../../src/engine/ops/rms_norm';
import { FULL } from '../../full';
import { checkOp, testDevice, type InputSpec, type OpCase } from './check-op';

const device = testDevice();
const defaults = testDevice({ defaultsOnly: true });

const EPS = 1e-5;

const layer = (x: InputSpec, eps = EPS): OpCase<'x' | 'weight' | 'bias'> => ({
  inputs: { x, weight: { shape: [x.shape.at(-1) as number] }, bias: { shape: [x.shape.at(-1) as number] } },
  build: (graph, { x, weight, bias }) => ({ y: layerNorm(graph, x, weight, bias, eps) }),
});

const rms = (x: InputSpec, eps = EPS, groups = 1): OpCase<'x' | 'weight'> => ({
  inputs: { x, weight: { shape: [x.shape.at(-1) as number] } },
  build: (graph, { x, weight }) => ({ y: rmsNorm(graph, x, weight, eps, groups) }),
});

/** Two rows' worth of values around an offset; float32 holds them exactly. */
const around = (offset: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => offset + Math.round(Math.sin(i * 1.7) * 128) / 128);

/**
 * Odd, prime and even widths: no team, a quad, more lanes; rows and runs that are not full. A shape is a text to compile, so
 * tests of special values take theirs from here.
 */
const SHAPES = [
  [1, 3],
  [3, 4],
  [4, 7],
  [17, 16],
  [2, 3, 20],
  [33, 33],
  [9, 64],
  [5, 251],
  [37, 512],
  [2, 1028],
  [2, 2051],
].map((shape) => ({ shape }));

describe('norms of rows', () => {
  test.each(SHAPES)('layer_norm $shape', async ({ shape }) => {
    await checkOp(device(), layer({ shape }));
  });

  test.each(SHAPES)('rms_norm $shape', async ({ shape }) => {
    // Teams differ from those of layer_norm in what they leave out: they are run where a lane's share is full and not.
    const teams = FULL || shape.at(-1) === 33 || shape.at(-1) === 64;
    await checkOp(device(), { ...rms({ shape }), variants: teams ? 'all' : 'frozen' });
  });

  test.each([
    [2, [35, 66]],
    [2, [3, 7, 128]],
    [3, [67, 12]],
  ])('rms_norm in %i groups of %j', async (groups, shape) => {
    await checkOp(device(), rms({ shape }, EPS, groups));
    await checkOp(device(), { ...rms({ shape }, EPS, groups), gpu: true, variants: 'frozen' });
  });

  test('rows of one value and of two', async () => {
    await checkOp(device(), layer({ shape: [5, 1] }));
    // With a small eps dx would be a difference of equals: x̂ is ±1 whatever x is.
    await checkOp(device(), rms({ shape: [5, 1] }, 1));
    await checkOp(device(), layer({ shape: [5, 2] }, 1));
  });

  test.each([
    [33, 33],
    [17, 16],
    [5, 251],
  ])('a large common offset costs no digits, %d rows of %d', async (rows, width) => {
    const values = [...around(1e3, 2 * width), ...around(-1e4, width)];
    const x = { shape: [rows, width], values };
    await checkOp(device(), {
      ...layer(x),
      differences: false,
      tolerance: { outputs: 1e-6, gradients: 1e-6 },
    });
    await checkOp(device(), { ...rms(x), differences: false, variants: 'frozen' });
  });

  test('a first value far from the others costs few digits', async () => {
    const values = [1e3, ...around(0, 511)];
    const x = { shape: [37, 512], values };
    await checkOp(device(), { ...layer(x), differences: false, tolerance: { outputs: 5e-6 } });
  });

  test.each([
    [4, 7],
    [9, 64],
  ])('rows of constant value become the bias, %d rows of %d', async (rows, width) => {
    const values = [0, 0.1, 1e3, -7].flatMap((value) => Array<number>(width).fill(value));
    await checkOp(device(), { ...layer({ shape: [rows, width], values }), differences: false });
    await checkOp(device(), { ...rms({ shape: [rows, width], values }), differences: false });
  });

  test('tiny and huge values', async () => {
    for (const range of [
      [-1e-6, 1e-6],
      [-1e6, 1e6],
    ] as const) {
      await checkOp(device(), { ...layer({ shape: [2, 3, 20], range }), differences: false });
      await checkOp(device(), { ...rms({ shape: [2, 3, 20], range }), differences: false });
    }
  });

  test('more runs than one thread should add become longer', async () => {
    await checkOp(device(), { ...layer({ shape: [8200, 4] }), differences: false });
  });
});

test('within the default limits, without subgroups', async () => {
  await checkOp(defaults(), layer({ shape: [19, 20] }));
  await checkOp(defaults(), rms({ shape: [19, 20] }));
});

test.each([['x'], ['weight'], ['bias'], ['weight', 'bias']])(
  'only some gradients are wanted: %s %s',
  async (...wanted) => {
    const { inputs, ...rest } = layer({ shape: [19, 20] });
    const only = (name: keyof typeof inputs) => ({
      ...inputs[name],
      differentiable: wanted.includes(name),
    });
    const each = { x: only('x'), weight: only('weight'), bias: only('bias') };
    await checkOp(device(), { ...rest, inputs: each });
    await checkOp(defaults(), { ...rest, inputs: each });
  },
);

test('weights of another width are rejected with a sentence', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 6]);
  const weight = graph.input('weight', [6]);
  const narrow = graph.input('narrow', [5]);
  expect(() => layerNorm(graph, x, weight, narrow, EPS)).toThrow(/bias must be \[6\], it is \[5\]$/);
  expect(() => rmsNorm(graph, x, narrow, EPS)).toThrow(/weight must be \[6\], it is \[5\]$/);
  expect(() => rmsNorm(graph, x, weight, EPS, 4)).toThrow(/4 groups do not divide the 6 channels of x$/);
});
