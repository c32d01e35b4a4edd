import { describe, expect, test } from 'vitest';
import { Graph, GraphError } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { checkOp, testDevice, type OpCase } from './check-op';

const linearCase = (rows: number, inputs: number, outputs: number): OpCase<'x' | 'weight' | 'bias'> => ({
  inputs: {
    x: { shape: [rows, inputs] },
    weight: { shape: [outputs, inputs] },
    bias: { shape: [outputs] },
  },
  build: (graph, tensors) => ({ y: linear(graph, tensors.x, tensors.weight, tensors.bias) }),
});

/** More lanes, or more rows a lane, in kernels that are otherwise those of smaller tiles. */
const LARGER = /^(single quad 16x8|registers 16x8|shared 128x128 8x8)/;

describe.each([
  ['raised limits', false],
  ['default limits', true],
])('linear with %s', (_, defaultsOnly) => {
  const device = testDevice({ defaultsOnly });

  test.each([
    [1, 1, 1],
    [3, 5, 7],
    [37, 12, 20],
    [66, 33, 17],
  ])('every variant at %i rows, %i inputs, %i outputs', async (rows, inputs, outputs) => {
    await checkOp(device(), { ...linearCase(rows, inputs, outputs), fullOnly: LARGER });
  });

  test('more than one tile, at sizes that no tile divides', async () => {
    await checkOp(device(), { ...linearCase(70, 96, 131), variants: 'frozen' });
  });

  test('a product cut into spans of rows', async () => {
    await checkOp(device(), { ...linearCase(1030, 8, 8), differences: false, fullOnly: LARGER });
  });
});

describe('linear as a GPU gets it', () => {
  const device = testDevice();
  const gpuCase = (rows: number, inputs: number, outputs: number): ReturnType<typeof linearCase> => ({
    ...linearCase(rows, inputs, outputs),
    gpu: true,
    differences: false,
  });

  test('every variant, the tiles of 8 × 4 and 8 × 8 among them', async () => {
    await checkOp(device(), { ...gpuCase(125, 8, 124), fullOnly: LARGER });
  });

  test.each([
    ['sizes that 4 does not divide', 37, 22, 9],
    ['a sum over many rows, cut into spans', 4100, 4, 6],
  ])('%s', async (_, rows, inputs, outputs) => {
    await checkOp(device(), { ...gpuCase(rows, inputs, outputs), variants: 'frozen' });
  });
});

test('shapes that do not fit are rejected by name', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const weight = graph.input('weight', [4, 5]);
  expect(() => linear(graph, x, weight)).toThrow(
    new GraphError('linear(x [2, 3], weight [4, 5]): x has 3 channels, the weight takes 5'),
  );
});
