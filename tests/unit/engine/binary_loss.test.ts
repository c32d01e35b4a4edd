import { describe, expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { binaryLoss, type BinaryLossAttrs } from '../../../src/engine/ops/binary_loss';
import { checkOp, testDevice, type InputSpec, type OpCase } from './check-op';

const device = testDevice({ defaultsOnly: true });

const lossCase = (
  shape: readonly number[],
  attrs: BinaryLossAttrs,
  { range = [-4, 4], values = [0, 1, 1] }: { range?: InputSpec['range']; values?: readonly number[] } = {},
): OpCase<'logits' | 'target'> => ({
  inputs: {
    logits: { shape, ...(range && { range }) },
    target: { shape, values, differentiable: false },
  },
  build: (graph, { logits, target }) => ({ loss: binaryLoss(graph, logits, target, attrs) }),
});

const ATTRS: readonly BinaryLossAttrs[] = [
  { posWeight: 1 },
  { posWeight: 3.3 },
  { posWeight: 1, focal: { alpha: 0.25, gamma: 1.5 } },
  { posWeight: 2.5, focal: { alpha: 0.5, gamma: 2 } },
  { posWeight: 1, focal: { alpha: 0.5, gamma: 0 } },
];

describe.each(ATTRS)('binary_loss with %o', (attrs) => {
  test.each([[[1]], [[3, 7]], [[5, 211]]])('of shape %o', async (shape) => {
    await checkOp(device(), lossCase(shape, attrs));
  });

  test('where the model is sure', async () => {
    await checkOp(device(), { ...lossCase([4, 9], attrs, { range: [-60, 60] }), differences: false });
  });
});

test('targets between 0 and 1', async () => {
  const attrs = { posWeight: 2, focal: { alpha: 0.3, gamma: 2 } };
  await checkOp(device(), lossCase([2, 19], attrs, { values: [0.1, 0.5, 0.9, 0] }));
});

test('more values than the first stage has threads', async () => {
  await checkOp(device(), { ...lossCase([19, 15_360], { posWeight: 1 }), differences: false });
});

test('rejects a weight that would switch the positives off', () => {
  const graph = new Graph();
  const [logits, target] = [graph.input('logits', [2]), graph.input('target', [2])];
  expect(() => binaryLoss(graph, logits, target, { posWeight: 0 })).toThrow('pos_weight must be above 0');
});
