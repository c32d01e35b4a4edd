/** Transposed convolution over time, channels last, with PyTorch's weight layout: the adjoint of conv1d. */
import { elements, GraphError, type Graph, type Tensor } from '../graph';
import { conv1dOp } from './conv1d';
import { convolutions, preparedKernels, preparedVariants } from './conv1d_gemm';
import { conv1dWeightGradientOp } from './conv1d_gradients';
import { groupedConvolutions } from './conv1d_grouped';
import {
  checkBias,
  convBytes,
  convFlops,
  inputReference,
  plusBias,
  sequence,
  sizesOf,
  weightSizes,
  type Conv1dAttrs,
} from './conv1d_shared';
import { defineOp } from './definition';
import { columnSumOp } from './linear';

const NAME = 'conv_transpose1d';

const lengthOf = (lines: number, kernel: number, { stride, padding }: Conv1dAttrs): number =>
  (lines - 1) * stride - 2 * padding + kernel;

/**
 * x [b, l, i], weight [i, o / groups, k], bias [o] → y [b, (l − 1) stride − 2 padding + k, o]:
 * y[b, p, o] = bias[o] + Σ weight[i, o, j] x[b, t, i] over all t and j with t · stride + j − padding = p.
 */
export const convTranspose1dOp = defineOp({
  name: NAME,
  inputs: ['x', 'weight'],
  optional: ['bias'],
  outputs: ['y'],
  half: ['y'],
  shape({ x, weight, bias }, attrs: Conv1dAttrs) {
    const [batch, lines, channels] = sequence('x', x.shape);
    const { outputs: inputs, perGroup, kernel } = weightSizes(weight.shape, attrs);
    if (channels !== inputs) throw new GraphError(`x has ${channels} channels, the weight takes ${inputs}`);
    checkBias(bias, perGroup * attrs.groups);
    const length = lengthOf(lines, kernel, attrs);
    if (length < 1)
      throw new GraphError(
        `padding ${attrs.padding} takes away all of the ${length + 2 * attrs.padding} steps`,
      );
    return { y: { shape: [batch, length, perGroup * attrs.groups], dtype: 'f32' } };
  },
  variants({ inputs: { x, weight, bias }, outputs: { y }, attrs }, lowering) {
    const sizes = sizesOf(y.shape, x.shape, weight.shape, attrs);
    if (sizes.groups > 1) return [{ name: 'direct' }];
    const tensors = { dy: x, weight, bias, dx: y };
    return preparedVariants((making) => convolutions.transposed(NAME, sizes, tensors, making), lowering);
  },
  kernels({ inputs: { x, weight, bias }, outputs: { y }, attrs }, lowering, variant) {
    const sizes = sizesOf(y.shape, x.shape, weight.shape, attrs);
    const tensors = { dy: x, weight, bias, dx: y };
    if (sizes.groups > 1) return groupedConvolutions.transposed(NAME, sizes, tensors);
    return preparedKernels(
      (making) => convolutions.transposed(NAME, sizes, tensors, making),
      lowering,
      variant,
    );
  },
  gradient({ graph, inputs: { x, weight, bias }, attrs, cotangents: { y: dy }, needs }) {
    if (!dy) return {};
    const kernel = weight.shape[2] as number;
    return {
      x: needs('x') ? graph.apply(conv1dOp, { x: dy, weight }, attrs).y : undefined,
      weight: needs('weight')
        ? graph.apply(conv1dWeightGradientOp, { x: dy, dy: x }, { ...attrs, kernel }).dweight
        : undefined,
      bias: bias && needs('bias') ? graph.apply(columnSumOp, { x: dy }, {}).y : undefined,
    };
  },
  reference({ x, weight, bias }, attrs) {
    const [batch, lines] = x.shape as [number, number];
    const [, perGroup, kernel] = weight.shape as [number, number, number];
    const y = [batch, lengthOf(lines, kernel, attrs), perGroup * attrs.groups];
    const sizes = sizesOf(y, x.shape, weight.shape, attrs);
    return { y: plusBias(inputReference(sizes, x.data, weight.data), bias) };
  },
  cost: ({ inputs: { x, weight, bias }, outputs: { y }, attrs }) => ({
    flops: convFlops(sizesOf(y.shape, x.shape, weight.shape, attrs)) + (bias ? elements(y.shape) : 0),
    bytes: convBytes([x, weight, bias, y]),
  }),
});

/** Stride 1, padding 0 and one group where left out; see convTranspose1dOp. */
export function convTranspose1d(
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  bias?: Tensor,
  { stride = 1, padding = 0, groups = 1 }: Partial<Conv1dAttrs> = {},
): Tensor {
  return graph.apply(convTranspose1dOp, { x, weight, bias }, { stride, padding, groups }).y;
}
