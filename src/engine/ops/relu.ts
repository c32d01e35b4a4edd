/** ReLU: y = max(x, 0). */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

export const reluOp = defineOp({
  name: 'relu',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [elementwiseKernel('relu', [inputs.x], outputs.y, lowering)],
  gradient: ({ graph, outputs: { y }, cotangents: { y: dy } }) => ({
    x: dy && graph.apply(reluBackwardOp, { y, dy }, {}).dx,
  }),
  reference: ({ x }) => ({ y: x.data.map((value) => (value < 0 ? 0 : value)) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 1),
});

/** dx = dy where y > 0, else 0; it needs y and not x, so that x's memory is free by then. */
export const reluBackwardOp = defineOp({
  name: 'relu_backward',
  inputs: ['y', 'dy'],
  optional: [],
  outputs: ['dx'],
  half: ['dx'],
  shape: (inputs) => ({ dx: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('relu_backward', [inputs.y, inputs.dy], outputs.dx, lowering),
  ],
  gradient: null,
  reference: ({ y, dy }) => ({
    dx: y.data.map((value, i) => (value <= 0 ? 0 : (dy.data[i] as number))),
  }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.y, inputs.dy, outputs.dx], 1),
});

export const relu = (graph: Graph, x: Tensor): Tensor => graph.apply(reluOp, { x }, {}).y;
