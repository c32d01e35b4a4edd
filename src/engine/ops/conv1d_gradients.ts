/** The two gradients of a convolution, which are those of a transposed one with the roles of x and y exchanged. */
import { GraphError } from '../graph';
import { convolutions, preparedKernels, preparedVariants } from './conv1d_gemm';
import { groupedConvolutions } from './conv1d_grouped';
import {
  convBytes,
  convFlops,
  inputReference,
  outputLength,
  sequence,
  sizesOf,
  weightReference,
  weightSizes,
  type Conv1dAttrs,
} from './conv1d_shared';
import { defineOp } from './definition';

const INPUT = 'conv1d_input_gradient';

/** dy [b, lines, o], weight [o, c / groups, k] → dx [b, length, c]. */
export const conv1dInputGradientOp = defineOp({
  name: INPUT,
  inputs: ['dy', 'weight'],
  optional: [],
  outputs: ['dx'],
  half: ['dx'],
  shape({ dy, weight }, attrs: Conv1dAttrs & { readonly length: number }) {
    const [batch, lines, outputs] = sequence('dy', dy.shape);
    const sizes = weightSizes(weight.shape, attrs);
    if (outputs !== sizes.outputs || lines !== outputLength(attrs.length, sizes.kernel, attrs))
      throw new GraphError(`dy is not that of a convolution of ${attrs.length} steps with this weight`);
    return { dx: { shape: [batch, attrs.length, sizes.perGroup * attrs.groups], dtype: 'f32' } };
  },
  variants({ inputs: { dy, weight }, outputs: { dx }, attrs }, lowering) {
    const sizes = sizesOf(dx.shape, dy.shape, weight.shape, attrs);
    if (sizes.groups > 1) return [{ name: 'direct' }];
    const tensors = { dy, weight, bias: undefined, dx };
    return preparedVariants((making) => convolutions.transposed(INPUT, sizes, tensors, making), lowering);
  },
  kernels({ inputs: { dy, weight }, outputs: { dx }, attrs }, lowering, variant) {
    const sizes = sizesOf(dx.shape, dy.shape, weight.shape, attrs);
    const tensors = { dy, weight, bias: undefined, dx };
    if (sizes.groups > 1) return groupedConvolutions.transposed(INPUT, sizes, tensors);
    return preparedKernels(
      (making) => convolutions.transposed(INPUT, sizes, tensors, making),
      lowering,
      variant,
    );
  },
  gradient: null,
  reference({ dy, weight }, attrs) {
    const x = [dy.shape[0] as number, attrs.length, (weight.shape[1] as number) * attrs.groups];
    return { dx: inputReference(sizesOf(x, dy.shape, weight.shape, attrs), dy.data, weight.data) };
  },
  cost: ({ inputs: { dy, weight }, outputs: { dx }, attrs }) => ({
    flops: convFlops(sizesOf(dx.shape, dy.shape, weight.shape, attrs)),
    bytes: convBytes([dy, weight, dx]),
  }),
});

const WEIGHT = 'conv1d_weight_gradient';

/** x [b, length, c], dy [b, lines, o] → dweight [o, c / groups, kernel]. */
export const conv1dWeightGradientOp = defineOp({
  name: WEIGHT,
  inputs: ['x', 'dy'],
  optional: [],
  outputs: ['dweight'],
  shape({ x, dy }, attrs: Conv1dAttrs & { readonly kernel: number }) {
    const [batch, length, channels] = sequence('x', x.shape);
    const [batches, lines, outputs] = sequence('dy', dy.shape);
    if (batch !== batches || lines !== outputLength(length, attrs.kernel, attrs))
      throw new GraphError(`dy is not that of a convolution of x with a kernel of ${attrs.kernel}`);
    if (channels % attrs.groups !== 0)
      throw new GraphError(`${attrs.groups} groups do not divide the ${channels} channels of x`);
    return { dweight: { shape: [outputs, channels / attrs.groups, attrs.kernel], dtype: 'f32' } };
  },
  variants({ inputs: { x, dy }, outputs: { dweight }, attrs }, lowering) {
    const sizes = sizesOf(x.shape, dy.shape, dweight.shape, attrs);
    if (sizes.groups > 1) return [{ name: 'direct' }];
    return preparedVariants(
      (making) => convolutions.weights(WEIGHT, sizes, { x, dy, dweight }, making),
      lowering,
    );
  },
  kernels({ inputs: { x, dy }, outputs: { dweight }, attrs }, lowering, variant) {
    const sizes = sizesOf(x.shape, dy.shape, dweight.shape, attrs);
    const tensors = { x, dy, dweight };
    if (sizes.groups > 1) return groupedConvolutions.weights(WEIGHT, sizes, tensors, lowering);
    return preparedKernels(
      (making) => convolutions.weights(WEIGHT, sizes, tensors, making),
      lowering,
      variant,
    );
  },
  gradient: null,
  reference({ x, dy }, attrs) {
    const weight = [dy.shape[2] as number, (x.shape[2] as number) / attrs.groups, attrs.kernel];
    return { dweight: weightReference(sizesOf(x.shape, dy.shape, weight, attrs), x.data, dy.data) };
  },
  cost: ({ inputs: { x, dy }, outputs: { dweight }, attrs }) => ({
    flops: convFlops(sizesOf(x.shape, dy.shape, dweight.shape, attrs)),
    bytes: convBytes([x, dy, dweight]),
  }),
});
