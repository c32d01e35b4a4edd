import { describe, expect, test } from 'vitest';
import { differentiate } from '../../../src/engine/gradient';
import { Graph } from '../../../src/engine/graph';
import { concatChannels, splitChannels } from '../../../src/engine/ops/split_concat';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { multiply } from '../../../src/engine/ops/multiply';
import { planProgram } from '../../../src/engine/plan';
import { checkOp, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });

const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);

/** Leading sizes and channels of the pieces: one piece, seven, odd, prime, by fours. */
const CASES = [
  [[1], [1]],
  [[2, 3], [5]],
  [
    [2, 3],
    [1, 1],
  ],
  [
    [1, 67],
    [8, 4],
  ],
  [
    [3, 5],
    [16, 1, 16],
  ],
  [
    [2, 31],
    [12, 4, 32],
  ],
  [[13], [1, 2, 3, 5, 7, 11, 13]],
  [
    [1, 1],
    [4, 8, 4, 8, 4, 8, 4],
  ],
  [[], [3, 2]],
  // More than threads take in one pass on a software adapter.
  [
    [2, 211],
    [7, 10],
  ],
] as const satisfies readonly (readonly [readonly number[], readonly number[]])[];

describe.each(CASES)('%j × %j', (leading, sizes) => {
  test('split', async () => {
    await checkOp(device(), {
      inputs: { x: { shape: [...leading, total(sizes)] } },
      build: (graph, { x }) =>
        Object.fromEntries(splitChannels(graph, x, [...sizes]).map((y, i) => [`y${i}`, y])),
    });
  });

  test('split, of which only the last piece is used', async () => {
    await checkOp(device(), {
      inputs: { x: { shape: [...leading, total(sizes)] } },
      build: (graph, { x }) => ({ y: splitChannels(graph, x, [...sizes]).at(-1) ?? x }),
    });
  });

  test('concat', async () => {
    await checkOp(device(), {
      inputs: Object.fromEntries(sizes.map((size, i) => [`x${i}`, { shape: [...leading, size] }])),
      build: (graph, inputs) => ({ y: concatChannels(graph, Object.values(inputs)) }),
    });
  });
});

test.each([
  [2, [7], [3, 1, 4]],
  [3, [2, 5], [4, 8]],
] as const)('%i blocks of pieces, %j × %j', async (blocks, leading, sizes) => {
  await checkOp(device(), {
    inputs: { x: { shape: [...leading, blocks * total(sizes)] } },
    build: (graph, { x }) =>
      Object.fromEntries(splitChannels(graph, x, sizes, blocks).map((y, i) => [`y${i}`, y])),
  });
});

test('pieces in another order come back in place', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [3, 9] } },
    build: (graph, { x }) => {
      const [a, b, c] = splitChannels(graph, x, [2, 3, 4]);
      return { y: concatChannels(graph, [c, multiply(graph, b, b), a]) };
    },
  });
});

test('one tensor may be several pieces', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [5, 3] } },
    build: (graph, { x }) => ({ y: concatChannels(graph, [x, x]) }),
  });
});

test('seven pieces take one dispatch within the default limits, each way', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 28]);
  const y = concatChannels(graph, splitChannels(graph, x, [1, 2, 3, 4, 5, 6, 7]));
  const dy = graph.input('dy', [2, 28]);
  const dx = differentiate(graph, [{ of: y, cotangent: dy }], [x]).get(x);
  const { dispatches } = planProgram(graph, device().capabilities, { outputs: dx ? [y, dx] : [] });
  expect(dispatches.map(({ kernel, bindings }) => [kernel, bindings.length])).toEqual([
    ['split', 8],
    ['concat', 8],
    ['split', 8],
    ['concat', 8],
  ]);
});

test('a piece without a cotangent takes no buffer', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 9]);
  const [, middle] = splitChannels(graph, x, [2, 3, 4]);
  const dy = graph.input('dy', middle.shape);
  const dx = differentiate(graph, [{ of: middle, cotangent: dy }], [x]).get(x);
  const { dispatches } = planProgram(graph, device().capabilities, { outputs: dx ? [dx] : [] });
  expect(dispatches.map(({ bindings }) => bindings.map(({ tensor }) => tensor.name))).toEqual([
    ['split.backward/concat.y', 'dy'],
  ]);
});

test('mistakes are rejected with a sentence', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 8]);
  expect(() => splitChannels(graph, x, [3, 4])).toThrow(
    'split(x [2, 8]): 3 + 4 must add up to the 8 channels of x',
  );
  expect(() => splitChannels(graph, x, [8, 0])).toThrow('every size must be a whole number above 0');
  expect(() => splitChannels(graph, x, Array<number>(8).fill(1))).toThrow(
    'a kernel handles 1 to 7 pieces, 8 were asked for',
  );
  expect(() => concatChannels(graph, Array<typeof x>(8).fill(x))).toThrow(
    'a kernel handles 1 to 7 pieces, 8 were asked for',
  );
  expect(() => concatChannels(graph, [x, graph.input('other', [3, 1])])).toThrow(
    'concat(x0 [2, 8], x1 [3, 1]): x1 must be [2, 1], it is [3, 1]',
  );
  expect(() => flipTime(graph, x)).toThrow(
    'flip_time(x [2, 8]): x must be [batch, length, channels], it is [2, 8]',
  );
});

test.each([
  [1, 1, 1],
  [2, 1, 4],
  [1, 64, 1],
  [3, 5, 7],
  [2, 67, 12],
  [1, 101, 3],
])('flip_time [%i, %i, %i]', async (...shape) => {
  await checkOp(device(), { inputs: { x: { shape } }, build: (graph, { x }) => ({ y: flipTime(graph, x) }) });
  await checkOp(device(), {
    inputs: { x: { shape } },
    build: (graph, { x }) => ({ y: multiply(graph, x, flipTime(graph, x)) }),
  });
});
