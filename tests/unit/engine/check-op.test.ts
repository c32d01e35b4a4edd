import { expect, test } from 'vitest';
import type { Graph, Tensor } from '../../../src/engine/graph';
import { defineOp } from '../../../src/engine/ops/definition';
import { elementwiseOp } from '../../../src/engine/ops/elementwise';
import { multiply, multiplyOp } from '../../../src/engine/ops/multiply';
import { sigmoid } from '../../../src/engine/ops/sigmoid';
import { silu } from './sample_ops';
import { checkGradient, checkOp, relativeError, seededValues, testDevice } from './check-op';
import { Random } from '../../../src/base/random';

const device = testDevice();

/** multiply with one rule replaced by a wrong one. */
const wrong = (rules: Partial<typeof multiplyOp>) => ({
  inputs: { a: { shape: [3, 5] }, b: { shape: [3, 5] } },
  build: (graph: Graph, { a, b }: { a: Tensor; b: Tensor }) => ({
    y: graph.apply({ ...multiplyOp, ...rules }, { a, b }, {}).y,
  }),
});

test('the error of a tensor is relative to the wanted norm, or absolute where that is 0', () => {
  expect(relativeError([3, 4.5], [3, 4])).toBeCloseTo(0.1, 12);
  expect(relativeError([0.25, 0], [0, 0])).toBe(0.25);
  expect(relativeError([1e300], [2e300])).toBeCloseTo(0.5, 12);
  expect(relativeError([NaN], [1])).toBeNaN();
  expect(relativeError([Infinity], [Infinity])).toBeNaN();
  expect(() => relativeError([1], [1, 2])).toThrow('1 values instead of 2');
});

test('inputs are seeded, within their range and exact in float32', () => {
  const draw = (seed: number) => seededValues({ shape: [100], range: [1, 3] }, new Random(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  for (const value of draw(1)) expect(value >= 1 && value <= 3 && value === Math.fround(value)).toBe(true);
  const whole = seededValues({ shape: [50], dtype: 'u32', range: [4, 7] }, new Random(1));
  expect(new Set(whole)).toEqual(new Set([4, 5, 6]));
});

test('a right op passes, and its errors are measured', async () => {
  const errors = await checkOp(device(), wrong({}));
  expect(errors.outputs).toBeGreaterThan(0);
  expect(errors.outputs).toBeLessThan(1e-7);
  expect(errors.differences).toBeLessThan(1e-9);
});

test('a wrong gradient is rejected without a GPU, under the names of the tensors', () => {
  const opCase = wrong({
    gradient: ({ graph, inputs: { a, b }, cotangents: { y: dy } }) => ({
      a: dy && multiply(graph, dy, b),
      b: dy && multiply(graph, b, a),
    }),
  });
  expect(() => checkGradient(opCase)).toThrow(
    /^multiply: a \[3, 5\], b \[3, 5\] → y \[3, 5\]\n {2}float64 gradient of b \[3, 5\], against finite differences, is off by \d/,
  );
});

test('a gradient that is wrong in one of many elements is rejected', () => {
  // dy · b, except in the element that is last.
  const almost = defineOp({
    ...multiplyOp,
    reference: ({ a, b }) => ({
      y: a.data.map((value, i) => (i === a.data.length - 1 ? 0 : value * (b.data[i] as number))),
    }),
  });
  const opCase = {
    inputs: { a: { shape: [200] }, b: { shape: [200] } },
    build: (graph: Graph, { a, b }: { a: Tensor; b: Tensor }) => ({
      y: graph.apply(
        {
          ...multiplyOp,
          gradient: ({ cotangents: { y: dy } }) => ({
            a: dy && graph.apply(almost, { a: dy, b }, {}).y,
            b: dy && multiply(graph, dy, a),
          }),
        },
        { a, b },
        {},
      ).y,
    }),
  };
  expect(() => checkGradient(opCase)).toThrow(/gradient of a \[200\],.* all elements moved, is off by \d/);
});

test('a wrong forward kernel is rejected', async () => {
  const opCase = wrong({
    kernels: (...node) =>
      multiplyOp.kernels(...node).map((dispatch) => ({
        ...dispatch,
        code: dispatch.code.replace('return a * b;', 'return a * b * 1.001;'),
      })),
  });
  await expect(checkOp(device(), opCase)).rejects.toThrow(
    /on the GPU, output y \[3, 5\] is off by 1\.00e-3, allowed are 0\.00001$/,
  );
});

test('a wrong backward kernel is rejected', async () => {
  const declaration = { name: 'wrong', inputs: ['x', 'dy'], output: 'dx', gradient: null } as const;
  const formula = { ...silu.backward.formula, wgsl: 'return x * dy;' };
  const backward = elementwiseOp({ ...declaration, ...formula });
  const op = defineOp({
    ...silu.op,
    gradient: ({ graph, inputs: { x }, cotangents: { y: dy } }) => ({
      x: dy && graph.apply(backward, { x, dy }, {}).dx,
    }),
  });
  const opCase = {
    inputs: { x: { shape: [6] } },
    build: (graph: Graph, { x }: { x: Tensor }) => ({ y: graph.apply(op, { x }, {}).y }),
  };
  await expect(checkOp(device(), opCase)).rejects.toThrow(
    /^silu: x \[6\] → y \[6\]\n {2}on the GPU, gradient of x \[6\] is off by \S+, allowed are 0\.0001$/,
  );
});

test('NaN on the GPU is rejected', async () => {
  const opCase = {
    inputs: { x: { shape: [5] } },
    differentiate: [],
    build: (graph: Graph, { x }: { x: Tensor }) => ({
      y: graph.apply(
        {
          ...silu.op,
          kernels: (...node: Parameters<typeof silu.op.kernels>) =>
            silu.op.kernels(...node).map((dispatch) => ({
              ...dispatch,
              code: dispatch.code.replace(
                'return x * sigmoid(x)',
                'return bitcast<f32>(0x7fc00000u + u32(abs(x)))',
              ),
            })),
        },
        { x },
        {},
      ).y,
    }),
  };
  await expect(checkOp(device(), opCase)).rejects.toThrow('output y [5] is off by NaN');
});

test('every variant is run, and the failing one is named', async () => {
  const tried: string[] = [];
  const opCase = {
    inputs: { x: { shape: [5] } },
    build: (graph: Graph, { x }: { x: Tensor }) => ({
      y: graph.apply(
        {
          ...silu.op,
          variants: () => [{ name: 'good' }, { name: 'bad' }] as const,
          kernels: (...[node, lowering, variant]: Parameters<typeof silu.op.kernels>) => {
            tried.push(variant?.name ?? 'none');
            return variant?.name === 'bad'
              ? sigmoid.op.kernels(node, lowering, variant)
              : silu.op.kernels(node, lowering, variant);
          },
        },
        { x },
        {},
      ).y,
    }),
  };
  await expect(checkOp(device(), opCase)).rejects.toThrow('on the GPU (variant bad), output y [5]');
  expect(tried).toEqual(['good', 'bad']);
  tried.length = 0;
  await checkOp(device(), { ...opCase, variants: 'frozen' });
  expect(tried).toEqual(['good']);
});

test('an output that is an input, and an input that is its own cotangent, are read back', async () => {
  await checkOp(device(), { inputs: { x: { shape: [3] } }, build: (_, { x }) => ({ y: x }) });
});

test('the forward pass alone needs no gradient', async () => {
  const errors = await checkOp(device(), {
    inputs: { x: { shape: [3] } },
    differentiate: [],
    build: (graph, { x }) => ({ y: silu(graph, x) }),
  });
  expect(errors.gradients).toBe(0);
});
