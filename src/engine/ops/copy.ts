import type { Graph, Tensor } from '../graph';
import { elementwiseOp } from './elementwise';

export const copyOp = elementwiseOp({
  name: 'copy',
  inputs: ['x'],
  wgsl: 'return x;',
  reference: (x) => x,
  flops: 0,
  gradient: ({ cotangents: { y: dy } }) => ({ x: dy }),
});

/** y = x. A parameter's gradient must have bytes of its own; this gives them when it is another node's tensor. */
export const copy = (graph: Graph, x: Tensor): Tensor => graph.apply(copyOp, { x }, {}).y;
