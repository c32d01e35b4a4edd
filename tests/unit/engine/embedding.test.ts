import { expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { differentiate } from '../../../src/engine/gradient';
import { interpret } from '../../../src/engine/interpret';
import { embedding } from '../../../src/engine/ops/embedding';
import { Program } from '../../../src/engine/program';
import { checkOp, testDevice, type OpCase } from './check-op';

const device = testDevice({ defaultsOnly: true });

const lookup = (
  rows: readonly number[],
  vocabulary: number,
  channels: number,
  values?: readonly number[],
): OpCase<'tokens' | 'weight'> => ({
  inputs: {
    tokens: { shape: rows, dtype: 'u32', range: [0, vocabulary], ...(values ? { values } : {}) },
    weight: { shape: [vocabulary, channels] },
  },
  build: (graph, { tokens, weight }) => ({ y: embedding(graph, tokens, weight) }),
});

test.each([
  { rows: [1], vocabulary: 1, channels: 1 },
  { rows: [7], vocabulary: 3, channels: 5 },
  { rows: [2, 13], vocabulary: 11, channels: 4 },
  { rows: [3, 43], vocabulary: 16, channels: 64 },
  { rows: [1, 997], vocabulary: 17, channels: 6 },
  { rows: [4, 256], vocabulary: 2, channels: 32 },
  { rows: [65], vocabulary: 1009, channels: 20 },
])('tokens $rows, vocabulary $vocabulary, $channels channels', async ({ rows, vocabulary, channels }) => {
  await checkOp(device(), lookup(rows, vocabulary, channels));
});

test('one token for all rows, and none for most of the vocabulary', async () => {
  await checkOp(device(), lookup([300], 9, 16, [4]));
});

test('a token outside the vocabulary reads the last row, and the reference throws', async () => {
  const graph = new Graph();
  const tokens = graph.input('tokens', [3], 'u32');
  const weight = graph.input('weight', [4, 2]);
  const y = embedding(graph, tokens, weight);
  const cotangent = graph.input('cotangent', [3, 2]);
  const dweight = differentiate(graph, [{ of: y, cotangent }], [weight]).get(weight);
  if (!dweight) throw new Error('no gradient');
  const feed = new Map<Tensor, Float32Array | Uint32Array>([
    [tokens, Uint32Array.of(1, 4, 0xffffffff)],
    [weight, Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7)],
    [cotangent, Float32Array.of(1, 2, 3, 4, 5, 6)],
  ]);
  const program = await Program.compile(device(), graph, { outputs: [y, dweight] });
  for (const [tensor, data] of feed) program.write(tensor, data);
  program.run();
  const got = await program.read();
  expect([...(got.get(y) ?? [])]).toEqual([2, 3, 6, 7, 6, 7]);
  expect([...(got.get(dweight) ?? [])]).toEqual([0, 0, 1, 2, 0, 0, 8, 10]);
  program.destroy();
  expect(() => interpret(graph, feed)).toThrow('token 4 is outside the vocabulary of 4');
});

test('wrong inputs are rejected with a sentence', () => {
  const graph = new Graph();
  const tokens = graph.input('tokens', [3], 'u32');
  const weight = graph.input('weight', [4, 2]);
  expect(() => embedding(graph, weight, weight)).toThrow(/tokens must be u32, they are f32$/);
  expect(() => embedding(graph, tokens, graph.input('flat', [4]))).toThrow(
    /weight must be \[vocabulary, channels\], it is \[4\]$/,
  );
});
