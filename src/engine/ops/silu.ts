/** SiLU: y = x · sigmoid(x) (Elfwing et al. 2017). */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

export const siluOp = defineOp({
  name: 'silu',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [elementwiseKernel('silu', [inputs.x], outputs.y, lowering)],
  gradient: ({ graph, inputs, cotangents: { y: dy } }) => ({
    x: dy && graph.apply(siluBackwardOp, { x: inputs.x, dy }, {}).dx,
  }),
  reference: ({ x }) => ({ y: x.data.map((value) => value * sigmoid(value)) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 4),
});

/** dx = dy · s · (1 + x (1 − s)) with s = sigmoid(x). */
export const siluBackwardOp = defineOp({
  name: 'silu_backward',
  inputs: ['x', 'dy'],
  optional: [],
  outputs: ['dx'],
  half: ['dx'],
  shape: (inputs) => ({ dx: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('silu_backward', [inputs.x, inputs.dy], outputs.dx, lowering),
  ],
  gradient: null,
  reference: ({ x, dy }) => ({
    dx: x.data.map((value, i) => {
      const s = sigmoid(value);
      return (dy.data[i] as number) * s * (1 + value * (1 - s));
    }),
  }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, inputs.dy, outputs.dx], 8),
});

export const silu = (graph: Graph, x: Tensor): Tensor => graph.apply(siluOp, { x }, {}).y;
