/** RMSNorm over the last axis (Zhang & Sennrich 2019). */
import { bytesOf, elements, type Graph, type Tensor } from '../graph';
import { defineOp } from './definition';
import {
  BACKWARD_RUN,
  FORWARD_RUN,
  normBackwardKernels,
  normBackwardReference,
  normKernels,
  normReference,
  normShapes,
  normVariants,
  RMS_STATS,
  type NormAttrs,
} from './norm';

/**
 * y = x · r · weight with r = 1/√(mean(x²) + eps): x [..., d], weight [d] → y [..., d] and stats [rows · groups, 1]: r, of each row
 * or of each of its groups.
 */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x', 'weight'],
  optional: [],
  outputs: ['y', 'stats'],
  half: ['y'],
  shape: ({ x, weight }, { groups }: NormAttrs) => normShapes(x, { weight }, RMS_STATS, groups),
  variants: ({ inputs, attrs }, lowering) => normVariants(inputs.x, lowering, FORWARD_RUN, attrs.groups),
  kernels: ({ inputs, outputs, attrs }, _, variant) =>
    normKernels({ name: 'rms_norm', ...inputs, ...outputs, ...attrs }, variant),
  gradient({ graph, inputs: { x, weight }, outputs: { stats }, attrs, cotangents: { y: dy } }) {
    if (!dy) return {};
    const { dx, dweight } = graph.apply(rmsNormBackwardOp, { x, weight, stats, dy }, attrs);
    return { x: dx, weight: dweight };
  },
  reference: ({ x, weight }, attrs) => normReference(x, weight, undefined, attrs),
  cost: ({ inputs: { x, weight }, outputs: { y, stats } }) => ({
    flops: 4 * elements(x.shape),
    bytes: [x, weight, y, stats].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** With x̂ = x r and g = dy · weight: dx = r (g − x̂ mean(g x̂)), dweight = Σ dy x̂. */
export const rmsNormBackwardOp = defineOp({
  name: 'rms_norm_backward',
  inputs: ['x', 'weight', 'stats', 'dy'],
  optional: [],
  outputs: ['dx', 'dweight'],
  half: ['dx'],
  shape: ({ x, weight }, _: NormAttrs) => ({
    dx: { shape: x.shape, dtype: 'f32' },
    dweight: { shape: weight.shape, dtype: 'f32' },
  }),
  variants: ({ inputs, attrs }, lowering) => normVariants(inputs.x, lowering, BACKWARD_RUN, attrs.groups),
  kernels: ({ inputs, outputs, attrs }, lowering, variant) =>
    normBackwardKernels({ name: 'rms_norm_backward', ...inputs, ...outputs, ...attrs }, lowering, variant),
  gradient: null,
  reference: ({ x, weight, stats, dy }, { groups }) => normBackwardReference(x, weight, stats, dy, groups),
  cost: ({ inputs: { x, weight, stats, dy }, outputs: { dx, dweight } }) => ({
    flops: 10 * elements(x.shape),
    bytes: [x, weight, stats, dy, dx, dweight].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** RMSNorm of x [..., d], or of each of its groups, with weight [d]. */
export const rmsNorm = (graph: Graph, x: Tensor, weight: Tensor, eps: number, groups = 1): Tensor =>
  graph.apply(rmsNormOp, { x, weight }, { eps, groups }).y;
