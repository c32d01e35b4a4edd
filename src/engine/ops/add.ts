import type { Graph, Tensor } from '../graph';
import { elementwiseOp } from './elementwise';

export const addOp = elementwiseOp({
  name: 'add',
  inputs: ['a', 'b'],
  wgsl: 'return a + b;',
  reference: (a, b) => a + b,
  flops: 1,
  gradient: ({ cotangents: { y: dy } }) => ({ a: dy, b: dy }),
});

/** y = a + b, equal shapes. */
export const add = (graph: Graph, a: Tensor, b: Tensor): Tensor => graph.apply(addOp, { a, b }, {}).y;
