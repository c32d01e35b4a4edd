/** y = a · b, equal shapes. */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

/** da = dy · b and db = dy · a, which are products again. */
export const multiplyOp = defineOp({
  name: 'multiply',
  inputs: ['a', 'b'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('multiply', [inputs.a, inputs.b], outputs.y, lowering),
  ],
  gradient: ({ graph, inputs: { a, b }, cotangents: { y: dy }, needs }) => ({
    a: dy && needs('a') ? multiply(graph, dy, b) : undefined,
    b: dy && needs('b') ? multiply(graph, dy, a) : undefined,
  }),
  reference: ({ a, b }) => ({ y: a.data.map((value, i) => value * (b.data[i] as number)) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.a, inputs.b, outputs.y], 1),
});

export const multiply = (graph: Graph, a: Tensor, b: Tensor): Tensor =>
  graph.apply(multiplyOp, { a, b }, {}).y;
