/** Softplus: y = ln(1 + e^x), the smooth maximum of x and 0 (Dugas et al. 2001). */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

export const softplusOp = defineOp({
  name: 'softplus',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('softplus', [inputs.x], outputs.y, lowering),
  ],
  gradient: ({ graph, inputs, cotangents: { y: dy } }) => ({
    x: dy && graph.apply(softplusBackwardOp, { x: inputs.x, dy }, {}).dx,
  }),
  reference: ({ x }) => ({
    y: x.data.map((value) => Math.max(value, 0) + Math.log1p(Math.exp(-Math.abs(value)))),
  }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 22),
});

/** dx = dy · sigmoid(x). */
export const softplusBackwardOp = defineOp({
  name: 'softplus_backward',
  inputs: ['x', 'dy'],
  optional: [],
  outputs: ['dx'],
  half: ['dx'],
  shape: (inputs) => ({ dx: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('softplus_backward', [inputs.x, inputs.dy], outputs.dx, lowering),
  ],
  gradient: null,
  reference: ({ x, dy }) => ({
    dx: x.data.map((value, i) => (dy.data[i] as number) / (1 + Math.exp(-value))),
  }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, inputs.dy, outputs.dx], 6),
});

export const softplus = (graph: Graph, x: Tensor): Tensor => graph.apply(softplusOp, { x }, {}).y;
