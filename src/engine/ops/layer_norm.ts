/** LayerNorm over the last axis (Ba, Kiros & Hinton 2016), with the biased variance as in PyTorch. */
import { bytesOf, elements, type Graph, type Tensor } from '../graph';
import { defineOp } from './definition';
import {
  BACKWARD_RUN,
  FORWARD_RUN,
  LAYER_STATS,
  normBackwardKernels,
  normBackwardReference,
  normKernels,
  normReference,
  normShapes,
  normVariants,
  type NormAttrs,
} from './norm';

/**
 * y = (x − mean) · r · weight + bias with r = 1/√(var + eps): x [..., d]; weight, bias [d] → y [..., d] and
 * stats [rows, 2]: the mean less the row's first value, and r.
 */
export const layerNormOp = defineOp({
  name: 'layer_norm',
  inputs: ['x', 'weight', 'bias'],
  optional: [],
  outputs: ['y', 'stats'],
  half: ['y'],
  shape: ({ x, weight, bias }, _: NormAttrs) => normShapes(x, { weight, bias }, LAYER_STATS),
  variants: ({ inputs }, lowering) => normVariants(inputs.x, lowering, FORWARD_RUN),
  kernels: ({ inputs, outputs, attrs }, _, variant) =>
    normKernels({ name: 'layer_norm', ...inputs, ...outputs, ...attrs }, variant),
  gradient({ graph, inputs: { x, weight }, outputs: { stats }, cotangents: { y: dy } }) {
    if (!dy) return {};
    const { dx, dweight, dbias } = graph.apply(layerNormBackwardOp, { x, weight, stats, dy }, {});
    return { x: dx, weight: dweight, bias: dbias };
  },
  reference: ({ x, weight, bias }, attrs) => normReference(x, weight, bias, attrs),
  cost: ({ inputs: { x, weight, bias }, outputs: { y, stats } }) => ({
    flops: 8 * elements(x.shape),
    bytes: [x, weight, bias, y, stats].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** With x̂ = (x − mean) r and g = dy · weight: dx = r (g − mean(g) − x̂ mean(g x̂)), dweight = Σ dy x̂, dbias = Σ dy. */
export const layerNormBackwardOp = defineOp({
  name: 'layer_norm_backward',
  inputs: ['x', 'weight', 'stats', 'dy'],
  optional: [],
  outputs: ['dx', 'dweight', 'dbias'],
  half: ['dx'],
  shape: ({ x, weight }) => ({
    dx: { shape: x.shape, dtype: 'f32' },
    dweight: { shape: weight.shape, dtype: 'f32' },
    dbias: { shape: weight.shape, dtype: 'f32' },
  }),
  variants: ({ inputs }, lowering) => normVariants(inputs.x, lowering, BACKWARD_RUN),
  kernels: ({ inputs, outputs }, lowering, variant) =>
    normBackwardKernels({ name: 'layer_norm_backward', ...inputs, ...outputs }, lowering, variant),
  gradient: null,
  reference: ({ x, weight, stats, dy }) => normBackwardReference(x, weight, stats, dy),
  cost: ({ inputs: { x, weight, stats, dy }, outputs: { dx, dweight, dbias } }) => ({
    flops: 14 * elements(x.shape),
    bytes: [x, weight, stats, dy, dx, dweight, dbias].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** LayerNorm of x [..., d] with weight and bias [d]. */
export const layerNorm = (graph: Graph, x: Tensor, weight: Tensor, bias: Tensor, eps: number): Tensor =>
  graph.apply(layerNormOp, { x, weight, bias }, { eps }).y;
