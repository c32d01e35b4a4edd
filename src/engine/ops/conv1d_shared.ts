/** What conv1d, its gradients and conv_transpose1d have in common: sizes, checks and the float64 references. */
import { bytesOf, formatShape, GraphError, type Shape, type Tensor } from '../graph';

export interface Conv1dAttrs {
  /** Steps between windows. */
  readonly stride: number;
  /** Zeros before the first step and after the last. */
  readonly padding: number;
  /** Channels are cut into that many groups, each convolved alone. */
  readonly groups: number;
}

/** x [batch, length, channels], y [batch, lines, outputs], weight [outputs, channels / groups, kernel]. */
export interface Conv1dSizes extends Conv1dAttrs {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly lines: number;
  readonly outputs: number;
  readonly kernel: number;
}

const whole = (value: number, min: number): boolean => Number.isInteger(value) && value >= min;

/** Three sizes of a sequence [b, l, c]; throws GraphError. */
export function sequence(name: string, shape: Shape): [batch: number, length: number, channels: number] {
  const [batch, length, channels, ...rest] = shape;
  if (batch === undefined || length === undefined || channels === undefined || rest.length > 0)
    throw new GraphError(`${name} must be [batch, length, channels], it is ${formatShape(shape)}`);
  return [batch, length, channels];
}

/** Three sizes of a weight; throws GraphError when it or the attributes cannot be. */
export function weightSizes(
  weight: Shape,
  { stride, padding, groups }: Conv1dAttrs,
): { outputs: number; perGroup: number; kernel: number } {
  const [outputs, perGroup, kernel, ...rest] = weight;
  if (outputs === undefined || perGroup === undefined || kernel === undefined || rest.length > 0)
    throw new GraphError(
      `weight must be [channels, channels of the other side / groups, kernel], it is ${formatShape(weight)}`,
    );
  if (!whole(stride, 1) || !whole(padding, 0) || !whole(groups, 1))
    throw new GraphError(
      `stride ${stride} and groups ${groups} must be whole numbers above 0, padding ${padding} one from 0`,
    );
  if (outputs % groups !== 0)
    throw new GraphError(`${groups} groups do not divide the ${outputs} channels of the weight's first axis`);
  return { outputs, perGroup, kernel };
}

/** Throws GraphError unless a bias that is given is [channels]. */
export function checkBias(bias: Tensor | undefined, channels: number): void {
  if (bias && formatShape(bias.shape) !== formatShape([channels]))
    throw new GraphError(`bias must be [${channels}], it is ${formatShape(bias.shape)}`);
}

/** Sizes of the convolution whose input is x, with dy or y of `lines` steps. */
export function sizesOf(x: Shape, y: Shape, weight: Shape, attrs: Conv1dAttrs): Conv1dSizes {
  const [batch, length, channels] = x as [number, number, number];
  const { outputs, kernel } = weightSizes(weight, attrs);
  return { ...attrs, batch, length, channels, lines: y[1] as number, outputs, kernel };
}

/** Steps of the output of `length` steps; throws GraphError when there are none. */
export function outputLength(length: number, kernel: number, { stride, padding }: Conv1dAttrs): number {
  const lines = Math.floor((length + 2 * padding - kernel) / stride) + 1;
  if (lines < 1)
    throw new GraphError(
      `a kernel of ${kernel} does not fit into ${length} steps with ${padding} zeros at each end`,
    );
  return lines;
}

/** Multiplications and additions of one pass. */
export const convFlops = ({ batch, lines, outputs, channels, groups, kernel }: Conv1dSizes): number =>
  (2 * batch * lines * outputs * channels * kernel) / groups;

/** Bytes of the tensors that are given. */
export const convBytes = (tensors: readonly (Tensor | undefined)[]): number =>
  tensors.reduce((sum, tensor) => sum + (tensor ? bytesOf(tensor) : 0), 0);

/** Calls `visit` for each product of the convolution with the indices of x, weight and y. */
function eachProduct(sizes: Conv1dSizes, visit: (atX: number, atWeight: number, atY: number) => void): void {
  const { batch, length, channels, lines, outputs, kernel, stride, padding, groups } = sizes;
  const [inputsEach, outputsEach] = [channels / groups, outputs / groups];
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < lines; t++)
      for (let j = 0; j < kernel; j++) {
        const from = t * stride - padding + j;
        if (from < 0 || from >= length) continue;
        for (let o = 0; o < outputs; o++) {
          const first = Math.floor(o / outputsEach) * inputsEach;
          for (let i = 0; i < inputsEach; i++)
            visit(
              (b * length + from) * channels + first + i,
              (o * inputsEach + i) * kernel + j,
              (b * lines + t) * outputs + o,
            );
        }
      }
}

const at = (data: Float64Array, i: number): number => data[i] as number;

/** y = conv(x) without the bias. Written out, because whole detectors are evaluated with it. */
export function forwardReference(sizes: Conv1dSizes, x: Float64Array, weight: Float64Array): Float64Array {
  const { batch, length, channels, lines, outputs, kernel, stride, padding, groups } = sizes;
  const [inputsEach, outputsEach] = [channels / groups, outputs / groups];
  const y = new Float64Array(batch * lines * outputs);
  for (let b = 0; b < batch; b++)
    for (let t = 0; t < lines; t++)
      for (let o = 0; o < outputs; o++) {
        const first = Math.floor(o / outputsEach) * inputsEach;
        let sum = 0;
        for (let j = 0; j < kernel; j++) {
          const from = t * stride - padding + j;
          if (from < 0 || from >= length) continue;
          const [atX, atWeight] = [(b * length + from) * channels + first, o * inputsEach * kernel + j];
          for (let i = 0; i < inputsEach; i++)
            sum += (x[atX + i] as number) * (weight[atWeight + i * kernel] as number);
        }
        y[(b * lines + t) * outputs + o] = sum;
      }
  return y;
}

/** dx, which is also the transposed convolution of dy. */
export function inputReference(sizes: Conv1dSizes, dy: Float64Array, weight: Float64Array): Float64Array {
  const dx = new Float64Array(sizes.batch * sizes.length * sizes.channels);
  eachProduct(sizes, (i, w, o) => (dx[i] = at(dx, i) + at(dy, o) * at(weight, w)));
  return dx;
}

/** dweight [o, c / groups, kernel] in float64. */
export function weightReference(sizes: Conv1dSizes, x: Float64Array, dy: Float64Array): Float64Array {
  const dweight = new Float64Array((sizes.outputs * sizes.channels * sizes.kernel) / sizes.groups);
  eachProduct(sizes, (i, w, o) => (dweight[w] = at(dweight, w) + at(x, i) * at(dy, o)));
  return dweight;
}

/** Adds bias[i mod its length]. */
export const plusBias = (y: Float64Array, bias: { data: Float64Array } | undefined): Float64Array =>
  bias ? y.map((value, i) => value + at(bias.data, i % bias.data.length)) : y;
