import type { Tensor } from '../graph';
import type { Builder } from './definition';
import { elementwiseOp } from './elementwise';

export const multiplyOp = elementwiseOp({
  name: 'multiply',
  inputs: ['a', 'b'],
  wgsl: 'return a * b;',
  reference: (a, b) => a * b,
  flops: 1,
  // Products again.
  gradient: ({ graph, inputs: { a, b }, cotangents: { y: dy }, needs }) => ({
    a: dy && needs('a') ? multiply(graph, dy, b) : undefined,
    b: dy && needs('b') ? multiply(graph, dy, a) : undefined,
  }),
});

/** y = a · b, equal shapes. */
export const multiply = (graph: Builder, a: Tensor, b: Tensor): Tensor =>
  graph.apply(multiplyOp, { a, b }, {}).y;
