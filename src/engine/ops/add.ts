/** y = a + b, equal shapes. */
import type { Graph, Tensor } from '../graph';
import { defineOp } from './definition';
import { elementwiseCost, elementwiseKernel, sameShape } from './elementwise';

export const addOp = defineOp({
  name: 'add',
  inputs: ['a', 'b'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape: (inputs) => ({ y: sameShape(inputs) }),
  kernels: ({ inputs, outputs }, lowering) => [
    elementwiseKernel('add', [inputs.a, inputs.b], outputs.y, lowering),
  ],
  gradient: ({ cotangents: { y: dy } }) => ({ a: dy, b: dy }),
  reference: ({ a, b }) => ({ y: a.data.map((value, i) => value + (b.data[i] as number)) }),
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.a, inputs.b, outputs.y], 1),
});

export const add = (graph: Graph, a: Tensor, b: Tensor): Tensor => graph.apply(addOp, { a, b }, {}).y;
