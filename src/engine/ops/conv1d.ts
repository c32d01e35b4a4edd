/** Convolution over time, channels last, with PyTorch's weight layout. */
import { elements, GraphError, type Graph, type Tensor } from '../graph';
import { convolutions, preparedKernels, preparedVariants } from './conv1d_gemm';
import { conv1dInputGradientOp, conv1dWeightGradientOp } from './conv1d_gradients';
import { groupedConvolutions } from './conv1d_grouped';
import {
  checkBias,
  convBytes,
  convFlops,
  forwardReference,
  outputLength,
  plusBias,
  sequence,
  sizesOf,
  weightSizes,
  type Conv1dAttrs,
} from './conv1d_shared';
import { defineOp } from './definition';
import { columnSumOp } from './linear';

const NAME = 'conv1d';

/**
 * x [b, l, c], weight [o, c / groups, k], bias [o] → y [b, ⌊(l + 2 padding − k) / stride⌋ + 1, o]:
 * y[b, t, o] = bias[o] + Σ_{c, j} weight[o, c, j] x[b, t · stride − padding + j, c], x before the first and after the last
 * step being 0; o sees the channels of its group.
 */
export const conv1dOp = defineOp({
  name: NAME,
  inputs: ['x', 'weight'],
  optional: ['bias'],
  outputs: ['y'],
  half: ['y'],
  shape({ x, weight, bias }, attrs: Conv1dAttrs) {
    const [batch, length, channels] = sequence('x', x.shape);
    const { outputs, perGroup, kernel } = weightSizes(weight.shape, attrs);
    if (channels !== perGroup * attrs.groups)
      throw new GraphError(
        `x has ${channels} channels, the weight takes ${perGroup} for each of ${attrs.groups} groups`,
      );
    checkBias(bias, outputs);
    return { y: { shape: [batch, outputLength(length, kernel, attrs), outputs], dtype: 'f32' } };
  },
  variants({ inputs: { x, weight, bias }, outputs: { y }, attrs }, lowering) {
    const sizes = sizesOf(x.shape, y.shape, weight.shape, attrs);
    if (sizes.groups > 1) return [{ name: 'direct' }];
    return preparedVariants(
      (making) => convolutions.forward(NAME, sizes, { x, weight, bias, y }, making),
      lowering,
    );
  },
  kernels({ inputs: { x, weight, bias }, outputs: { y }, attrs }, lowering, variant) {
    const sizes = sizesOf(x.shape, y.shape, weight.shape, attrs);
    const tensors = { x, weight, bias, y };
    if (sizes.groups > 1) return groupedConvolutions.forward(NAME, sizes, tensors);
    return preparedKernels((making) => convolutions.forward(NAME, sizes, tensors, making), lowering, variant);
  },
  gradient({ graph, inputs: { x, weight, bias }, attrs, cotangents: { y: dy }, needs }) {
    if (!dy) return {};
    const [length, kernel] = [x.shape[1] as number, weight.shape[2] as number];
    return {
      x: needs('x') ? graph.apply(conv1dInputGradientOp, { dy, weight }, { ...attrs, length }).dx : undefined,
      weight: needs('weight')
        ? graph.apply(conv1dWeightGradientOp, { x, dy }, { ...attrs, kernel }).dweight
        : undefined,
      bias: bias && needs('bias') ? graph.apply(columnSumOp, { x: dy }, {}).y : undefined,
    };
  },
  reference({ x, weight, bias }, attrs) {
    const lines = outputLength(x.shape[1] as number, weight.shape[2] as number, attrs);
    const sizes = sizesOf(x.shape, [0, lines, 0], weight.shape, attrs);
    return { y: plusBias(forwardReference(sizes, x.data, weight.data), bias) };
  },
  cost: ({ inputs: { x, weight, bias }, outputs: { y }, attrs }) => ({
    flops: convFlops(sizesOf(x.shape, y.shape, weight.shape, attrs)) + (bias ? elements(y.shape) : 0),
    bytes: convBytes([x, weight, bias, y]),
  }),
});

/** Stride 1, padding 0 and one group where left out; see conv1dOp. */
export function conv1d(
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { stride = 1, padding = 0, groups = 1 }: Partial<Conv1dAttrs> = {},
): Tensor {
  return graph.apply(conv1dOp, { x, weight, bias }, { stride, padding, groups }).y;
}
