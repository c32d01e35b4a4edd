/** y = x. A parameter's gradient must have bytes of its own; this gives them when it is somebody else's tensor. */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

export const copyOp = defineOp({
  name: 'copy',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [elementwiseKernel('copy', [inputs.x], outputs.y, lowering)],
  gradient: ({ cotangents: { y: dy } }) => ({ x: dy }),
  reference: ({ x }) => ({ y: x.data.slice() }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 0),
});

export const copy = (graph: Graph, x: Tensor): Tensor => graph.apply(copyOp, { x }, {}).y;
