import type { Graph, Tensor } from '../graph';
import { elementwiseOp, MAX_EXPONENT } from './elementwise';
import { multiply } from './multiply';

/** It is of parameters, so it is never stored in float16. −e^x is its own derivative: dx = dy · y. */
export const negativeExpOp = elementwiseOp({
  name: 'negative_exp',
  inputs: ['x'],
  half: false,
  wgsl: `return -exp(min(x, T(${MAX_EXPONENT})));`,
  reference: (x) => -Math.exp(Math.min(x, MAX_EXPONENT)),
  flops: 2,
  gradient: ({ graph, outputs: { y }, cotangents: { y: dy } }) => ({ x: dy && multiply(graph, dy, y) }),
});

/** y = −e^x: Mamba's A from its parameter A_log. An x above 88 counts as 88, so that y stays finite in float32. */
export const negativeExp = (graph: Graph, x: Tensor): Tensor => graph.apply(negativeExpOp, { x }, {}).y;
