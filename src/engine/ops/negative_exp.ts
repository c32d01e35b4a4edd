/** y = −e^x: Mamba's A from its parameter A_log. An x above 88 counts as 88, so that y stays finite in float32. */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, MAX_EXPONENT, sameShape } from './elementwise';
import { multiply } from './multiply';

/** dx = dy · y, because −e^x is its own derivative. */
export const negativeExpOp = defineOp({
  name: 'negative_exp',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('negative_exp', [inputs.x], outputs.y, lowering),
  ],
  gradient: ({ graph, outputs, cotangents: { y: dy } }) => ({ x: dy && multiply(graph, dy, outputs.y) }),
  reference: ({ x }) => ({ y: x.data.map((value) => -Math.exp(Math.min(value, MAX_EXPONENT))) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 2),
});

export const negativeExp = (graph: Graph, x: Tensor): Tensor => graph.apply(negativeExpOp, { x }, {}).y;
