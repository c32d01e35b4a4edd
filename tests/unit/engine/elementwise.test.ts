import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import type { AnyOp } from '../../../src/engine/ops/definition';
import { multiply } from '../../../src/engine/ops/multiply';
import { negativeExp } from '../../../src/engine/ops/negative_exp';
import { sigmoid } from '../../../src/engine/ops/sigmoid';
import { checkOp, testDevice } from './check-op';
import { DIFFERENTIATED, elementwiseCase } from './op_cases';
import { silu, softplus } from './sample_ops';

const device = testDevice({ defaultsOnly: true });

/**
 * One value, a vec4f, odd and prime counts, counts around the 64 and 256 elements of a workgroup, and more than a thread
 * takes in one pass on a software adapter, one by one and by fours.
 */
const SHAPES = [[1], [4], [3, 5, 7], [64], [65], [1, 251], [256], [5, 52], [1009], [5, 2003], [9, 1100]].map(
  (shape) => ({ shape }),
);

const ALL = [...DIFFERENTIATED, silu.op, softplus.op].map((op) => ({ name: op.name, op }));
const unary = ALL.filter(({ op }) => op.inputs.length === 1);
const binary = ALL.filter(({ op }) => op.inputs.length === 2);

const applied = (graph: Graph, op: AnyOp, ...inputs: readonly Tensor[]): Tensor =>
  graph.apply(op, Object.fromEntries(op.inputs.map((name, i) => [name, inputs[i] as Tensor])), {})[
    'y'
  ] as Tensor;

test('they are found', () => {
  expect(unary.map(({ name }) => name)).toEqual(expect.arrayContaining(['copy', 'relu', 'sigmoid']));
  expect(binary.map(({ name }) => name)).toEqual(expect.arrayContaining(['add', 'multiply', 'silu_gate']));
});

/** Where exp underflows or overflows in float32 and float64, and around zero. */
const EXTREMES = [
  1e4, -1e4, 709, -709, 104, -104, 89, -89, 88, -88, 30, -30, 20, -20, 17, -17, 1e-4, -1e-4, 1e-30, -1e-30, 0,
];

describe.each(ALL)('$name', ({ op }) => {
  test.each(SHAPES)('$shape', async ({ shape }) => {
    await checkOp(device(), elementwiseCase(op, shape));
  });
});

describe.each(unary)('$name', ({ op }) => {
  // By fours too, which is another kernel.
  test.each([EXTREMES, [...EXTREMES, 1, 2, 3]])('extremes', async (...values) => {
    await checkOp(device(), {
      inputs: { x: { shape: [values.length], values } },
      differences: false,
      build: (graph, { x }) => ({ y: applied(graph, op, x) }),
    });
  });
});

test.each([
  ['softplus', softplus],
  ['sigmoid', sigmoid],
  ['silu', silu],
  ['negative_exp', negativeExp],
] as const)('%s keeps its relative precision where it is tiny', async (_, op) => {
  for (const value of [-1, -3.5, -10, -20, -50])
    await checkOp(device(), {
      inputs: { x: { shape: [1], values: [value] } },
      differences: false,
      build: (graph, { x }) => ({ y: op(graph, x) }),
    });
});

test('softplus has no seam: neighbours of every magnitude keep 1e-6', async () => {
  const values = Array.from({ length: 4001 }, (_, i) => -20 + i / 100);
  for (const value of values.filter((_, i) => i % 500 === 0))
    await checkOp(device(), {
      inputs: { x: { shape: [1], values: [value] } },
      differences: false,
      tolerance: { outputs: 3e-6 },
      build: (graph, { x }) => ({ y: softplus(graph, x) }),
    });
  await checkOp(device(), {
    inputs: { x: { shape: [4001], values } },
    differences: false,
    tolerance: { outputs: 2e-7 },
    build: (graph, { x }) => ({ y: softplus(graph, x) }),
  });
});

describe.each(binary)('$name', ({ op }) => {
  test('both inputs may be one tensor', async () => {
    await checkOp(device(), {
      inputs: { x: { shape: [7] } },
      build: (graph, { x }) => ({ y: applied(graph, op, x, x) }),
    });
  });

  test('extremes', async () => {
    const values = [1e18, -1e18, 1e4, -1e4, 1e-18, -1e-18, 0];
    await checkOp(device(), {
      inputs: {
        a: { shape: [49], values },
        b: { shape: [49], values: values.flatMap((v) => Array<number>(7).fill(v)) },
      },
      differences: false,
      build: (graph, { a, b }) => ({ y: applied(graph, op, a, b) }),
    });
  });

  test('unequal shapes are rejected with a sentence', () => {
    const graph = new Graph();
    const [a, b]: [Tensor, Tensor] = [graph.input('a', [2, 3]), graph.input('b', [3, 2])];
    expect(() => applied(graph, op, a, b)).toThrow(
      /^\w+\(\w \[2, 3\], \w \[3, 2\]\): shapes must be equal, they are \[2, 3\] and \[3, 2\]$/,
    );
  });
});

test('only the gradients that are wanted are computed', async () => {
  await checkOp(device(), {
    inputs: { a: { shape: [5], differentiable: false }, b: { shape: [5] } },
    build: (graph, { a, b }) => ({ y: multiply(graph, a, b) }),
  });
});
