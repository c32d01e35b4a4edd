/** The mean gradient of several micro-batches: what one batch of all of them would give. */
import source from '../../../shaders/accumulate.wgsl?raw';
import { bytesOf, elements, type Graph, type Tensor } from '../graph';
import { defineOp, type StepScalars } from './definition';
import { sameShape } from './elementwise';
import { kernel, read, readWrite } from './kernel';

/** Packs [n], a multiple of 4: accumulated ← gradient / k for the first of k micro-batches, and + gradient / k for the others. */
export const accumulateOp = defineOp({
  name: 'accumulate',
  inputs: ['accumulated', 'gradient'],
  optional: [],
  outputs: [],
  mutates: ['accumulated'],
  shape(inputs) {
    sameShape(inputs);
    return {};
  },
  kernels({ inputs: { accumulated, gradient } }) {
    return [
      kernel({
        name: 'accumulate',
        source,
        bindings: [readWrite('accumulated', accumulated, 'vec4f'), read('gradient', gradient, 'vec4f')],
        threads: elements(gradient.shape) / 4,
        usesStep: true,
      }),
    ];
  },
  gradient: null,
  reference: ({ accumulated, gradient }, _, { micro = { index: 0, count: 1 } }: StepScalars) => ({
    accumulated: gradient.data.map(
      (value, i) => (micro.index === 0 ? 0 : (accumulated.data[i] as number)) + value / micro.count,
    ),
  }),
  cost: ({ inputs: { gradient } }) => ({ flops: 2 * elements(gradient.shape), bytes: 3 * bytesOf(gradient) }),
});

/** Adds the accumulation of `gradient` into `accumulated`, packs [n]; see accumulateOp. */
export function accumulate(graph: Graph, inputs: { accumulated: Tensor; gradient: Tensor }): void {
  graph.apply(accumulateOp, inputs, {});
}
