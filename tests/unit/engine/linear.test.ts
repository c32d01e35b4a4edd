import { describe, expect, test } from 'vitest';
import { Graph, GraphError } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { FULL } from '../../full';
import { checkOp, testDevice, type OpCase } from './check-op';

const linearCase = (
  rows: number,
  inputs: number,
  outputs: number,
  groups = 1,
): OpCase<'x' | 'weight' | 'bias'> => ({
  inputs: {
    x: { shape: [rows, groups * inputs] },
    weight: { shape: [groups * outputs, inputs] },
    bias: { shape: [groups * outputs] },
  },
  build: (graph, tensors) => ({ y: linear(graph, tensors.x, tensors.weight, tensors.bias, groups) }),
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

  // Groups are a matter of where operands lie, which tiles do not change.
  test.each([
    [5, 3, 7, 3],
    [37, 12, 20, 2],
  ])('%i rows, %i inputs, %i outputs in each of %i groups', async (...sizes) => {
    await checkOp(device(), { ...linearCase(...sizes), variants: FULL ? 'all' : 'frozen' });
  });

  test('a product cut into spans of rows', async () => {
    await checkOp(device(), { ...linearCase(1030, 8, 8), differences: false, fullOnly: LARGER });
  });
});

describe('linear as a GPU gets it', () => {
  const device = testDevice();
  const gpuCase = (...sizes: Parameters<typeof linearCase>): ReturnType<typeof linearCase> => ({
    ...linearCase(...sizes),
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

  test.each([
    ['sizes that 4 does not divide', 37, 22, 9, 3],
    ['more than one tile, and a sum over many rows, cut into spans', 4100, 8, 68, 2],
  ])('groups, %s', async (_, ...sizes) => {
    await checkOp(device(), { ...gpuCase(...sizes), variants: 'frozen' });
  });
});

test('shapes that do not fit are rejected by name', () => {
  const graph = new Graph();
  const x = graph.input('x', [2, 3]);
  const weight = graph.input('weight', [4, 5]);
  expect(() => linear(graph, x, weight)).toThrow(
    new GraphError('linear(x [2, 3], weight [4, 5]): x has 3 channels, the weight takes 5'),
  );
  expect(() => linear(graph, x, weight, undefined, 2)).toThrow('x has 3 channels, the weight takes 10');
  expect(() => linear(graph, x, weight, undefined, 3)).toThrow(
    '3 groups do not divide the 4 outputs of the weight',
  );
});
