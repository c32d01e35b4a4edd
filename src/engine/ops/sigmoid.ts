/** Sigmoid: y = 1 / (1 + e^−x). */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

export const sigmoidOp = defineOp({
  name: 'sigmoid',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [elementwiseKernel('sigmoid', [inputs.x], outputs.y, lowering)],
  gradient: ({ graph, outputs, cotangents: { y: dy } }) => ({
    x: dy && graph.apply(sigmoidBackwardOp, { y: outputs.y, dy }, {}).dx,
  }),
  reference: ({ x }) => ({ y: x.data.map((value) => 1 / (1 + Math.exp(-value))) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 5),
});

/** dx = dy · y (1 − y), from the output, so that x need not be kept. */
export const sigmoidBackwardOp = defineOp({
  name: 'sigmoid_backward',
  inputs: ['y', 'dy'],
  optional: [],
  outputs: ['dx'],
  half: ['dx'],
  shape: (inputs) => ({ dx: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('sigmoid_backward', [inputs.y, inputs.dy], outputs.dx, lowering),
  ],
  gradient: null,
  reference: ({ y, dy }) => ({ dx: y.data.map((value, i) => (dy.data[i] as number) * value * (1 - value)) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.y, inputs.dy, outputs.dx], 3),
});

export const sigmoid = (graph: Graph, x: Tensor): Tensor => graph.apply(sigmoidOp, { x }, {}).y;
