import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { IGNORE, softmaxCrossEntropy } from '../../../src/engine/ops/softmax_cross_entropy';
import { Program } from '../../../src/engine/program';
import { checkOp, testDevice, type InputSpec, type OpCase } from './check-op';

const device = testDevice({ defaultsOnly: true });

const crossEntropy = (logits: InputSpec, target: Partial<InputSpec> = {}): OpCase<'logits' | 'target'> => ({
  inputs: {
    logits,
    target: {
      shape: logits.shape.slice(0, -1),
      dtype: 'u32',
      range: [0, logits.shape.at(-1) as number],
      ...target,
    },
  },
  differentiate: ['loss'],
  build: (graph, { logits, target }) => softmaxCrossEntropy(graph, logits, target),
});

/** One row, one token, odd and prime vocabularies, more rows than a workgroup has threads, teams that are not full. */
const SHAPES = [
  [1, 1],
  [1, 2],
  [3, 5],
  [4, 16],
  [2, 37, 11],
  [130, 4],
  [5, 64],
  [7, 101],
  [3, 256],
  [2, 1009],
].map((shape) => ({ shape }));

describe('softmax_cross_entropy', () => {
  test.each(SHAPES)('logits $shape', async ({ shape }) => {
    await checkOp(device(), crossEntropy({ shape, range: [-5, 5] }));
  });

  test.each(SHAPES)('logits $shape, some targets ignored', async ({ shape }) => {
    await checkOp(device(), crossEntropy({ shape }, { values: [0, IGNORE, (shape.at(-1) as number) - 1] }));
  });

  test.each([
    [6, 16],
    [6, 70],
  ])('all targets ignored: no loss and no gradient, logits [%d, %d]', async (rows, v) => {
    await checkOp(device(), crossEntropy({ shape: [rows, v] }, { values: [IGNORE] }));
  });

  test.each([[3], [16], [67]])('logits of ±1e4, vocabulary %d', async (v) => {
    await checkOp(device(), { ...crossEntropy({ shape: [9, v], range: [-1e4, 1e4] }), differences: false });
    const values = [1e4, -1e4, 0, 1e4, -1e4];
    await checkOp(device(), { ...crossEntropy({ shape: [9, v], values }), differences: false });
  });

  test('a large common offset costs no digits', async () => {
    const values = Array.from({ length: 70 }, (_, i) => 1e4 + ((i * 37) % 64) / 16);
    for (const v of [7, 70])
      await checkOp(device(), { ...crossEntropy({ shape: [20, v], values }), differences: false });
  });

  test('a confident prediction keeps the digits of its tiny loss and gradient', async () => {
    for (const gap of [2, 5, 8, 15])
      await checkOp(device(), {
        ...crossEntropy({ shape: [3, 4], values: [gap, 0, -1, 0.5] }, { values: [0] }),
        differences: false,
      });
  });
});

async function run(logits: Float32Array, target: Uint32Array, v: number, variant: number) {
  const graph = new Graph();
  const inputs = [
    graph.input('logits', [target.length, v]),
    graph.input('target', [target.length], 'u32'),
  ] as const;
  const { loss, correct, predicted } = softmaxCrossEntropy(graph, ...inputs);
  const program = await Program.compile(device(), graph, {
    outputs: [loss, correct, predicted],
    choose: (_, choices) => choices[variant] ?? choices[0],
  });
  program.write(inputs[0], logits);
  program.write(inputs[1], target);
  program.run();
  const got = await program.read();
  program.destroy();
  return {
    loss: got.get(loss)?.[0],
    correct: got.get(correct)?.[0],
    predicted: [...(got.get(predicted) ?? [])],
  };
}

test.each([0, 1])('the lowest index wins ties, variant %d', async (variant) => {
  const v = 200;
  const rows = [
    [7, 150],
    [63, 64],
    [0, 199],
    [65, 66, 129],
  ];
  const logits = new Float32Array(rows.length * v).fill(-1);
  rows.forEach((tied, row) => tied.forEach((index) => (logits[row * v + index] = 3)));
  const target = Uint32Array.of(7, 64, IGNORE, 65);
  const { predicted, correct } = await run(logits, target, v, variant);
  expect(predicted).toEqual([7, 63, 0, 65]);
  expect(correct).toBeCloseTo(2 / 3, 6);
});

test('a target outside the vocabulary counts as the last token, and the reference throws', async () => {
  const logits = Float32Array.of(0, 1, 2, 3);
  const outside = await run(logits, Uint32Array.of(9), 4, 0);
  expect(outside).toEqual(await run(logits, Uint32Array.of(3), 4, 0));
  const graph = new Graph();
  const inputs = [graph.input('logits', [1, 4]), graph.input('target', [1], 'u32')] as const;
  softmaxCrossEntropy(graph, ...inputs);
  const feed = new Map<Tensor, ArrayLike<number>>([
    [inputs[0], logits],
    [inputs[1], [9]],
  ]);
  expect(() => interpret(graph, feed)).toThrow('target 9 is outside the vocabulary of 4');
});

test('wrong targets are rejected with a sentence', () => {
  const graph = new Graph();
  const logits = graph.input('logits', [2, 3, 4]);
  expect(() => softmaxCrossEntropy(graph, logits, graph.input('a', [2, 3]))).toThrow(
    /target must be u32, it is f32$/,
  );
  expect(() => softmaxCrossEntropy(graph, logits, graph.input('b', [6], 'u32'))).toThrow(
    /target must be \[2, 3\], it is \[6\]$/,
  );
});
