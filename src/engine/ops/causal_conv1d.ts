/** Causal depthwise convolution with bias and activation, as in front of Mamba's scan (Gu & Dao 2023, §3.4). */
import source from '../../../shaders/causal_conv1d.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Shape, type Tensor } from '../graph';
import { channelSums } from './channel_sums';
import { defineOp, type Binding, type Dispatch, type Value64, type Variant } from './definition';
import { MAX_EXPONENT } from './elementwise';
import { kernel, read, write } from './kernel';

export interface CausalConvAttrs {
  readonly activation: 'silu' | 'none';
  readonly reverse: Reverse;
}

/** Whether the future is seen instead of the past, as on a sequence turned round; or by the second half of the channels alone. */
export type Reverse = boolean | 'second half';

function sizesOf(x: Shape, weight: Shape) {
  const [batch, length, channels] = x as [number, number, number];
  return { batch, length, channels, taps: weight[1] as number };
}

/** Throws GraphError unless x is [b, l, d], weight [d, k] and bias [d]. */
function checkShapes(
  { x, weight, bias }: { x: Tensor; weight: Tensor; bias: Tensor },
  reverse: Reverse,
): void {
  if (x.shape.length !== 3)
    throw new GraphError(`x must be [batch, length, channels], it is ${formatShape(x.shape)}`);
  const { channels } = sizesOf(x.shape, weight.shape);
  if (weight.shape.length !== 2 || weight.shape[0] !== channels)
    throw new GraphError(`weight must be [${channels}, taps], it is ${formatShape(weight.shape)}`);
  if (formatShape(bias.shape) !== formatShape([channels]))
    throw new GraphError(`bias must be [${channels}], it is ${formatShape(bias.shape)}`);
  if (reverse === 'second half' && channels % 2 !== 0)
    throw new GraphError(`${channels} channels have no second half`);
}

const span = (SPAN: number): Variant => ({ name: `${SPAN} steps a thread`, SPAN });

const stepsOf = (variant: Variant): number => Number(variant['SPAN']);

/** Long spans read less twice, short ones make more threads. */
const FORWARD_VARIANTS = [span(32), span(8)] as const;
const BACKWARD_VARIANTS = [span(64), span(16)] as const;

/** Above this many partial sums a channel the backward pass takes longer spans. */
const MAX_PARTIALS = 512;

interface Kernel {
  readonly name: string;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly attrs: CausalConvAttrs;
  readonly steps: number;
  /** Four channels a lane where they can be: few loads for a CPU, too many registers for a GPU, and too few lanes. */
  readonly fours: boolean;
  /** Flags of the shader. */
  readonly kind: { readonly BACKWARD: boolean; readonly DX: boolean; readonly WEIGHTS: boolean };
  readonly bindings: (type: 'vec4f' | 'f32') => Binding[];
}

const spansOf = (length: number, steps: number): number => Math.ceil(length / steps);

function convKernel({ name, x, weight, attrs, steps, fours, kind, bindings }: Kernel): Dispatch {
  const { batch, length, channels, taps } = sizesOf(x.shape, weight.shape);
  const vector = fours && channels % (attrs.reverse === 'second half' ? 8 : 4) === 0;
  const d = vector ? channels / 4 : channels;
  const spans = spansOf(length, steps);
  return kernel({
    name,
    source,
    defines: {
      ...kind,
      SILU: attrs.activation === 'silu',
      REVERSE: attrs.reverse === true,
      HALF: attrs.reverse === 'second half',
      MAX_EXPONENT,
      TYPE: vector ? 'vec4f' : 'f32',
      VECTOR: vector,
      L: length,
      D: d,
      TAPS: taps,
      SPAN: steps,
      SPANS: spans,
    },
    bindings: bindings(vector ? 'vec4f' : 'f32'),
    threads: batch * spans * d,
  });
}

/** y[b, t, c] = act(bias[c] + Σ_j weight[c, j] x[b, t − (k − 1) + j, c]), or x[b, t + (k − 1) − j, c] in reverse: x [b, l, d], weight [d, k], bias [d] → y [b, l, d]. */
export const causalConv1dOp = defineOp({
  name: 'causal_conv1d',
  inputs: ['x', 'weight', 'bias'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape(inputs, { reverse }: CausalConvAttrs) {
    checkShapes(inputs, reverse);
    return { y: { shape: inputs.x.shape, dtype: 'f32' } };
  },
  variants: () => FORWARD_VARIANTS,
  kernels: ({ inputs: { x, weight, bias }, outputs: { y }, attrs }, { software }, variant) => [
    convKernel({
      name: 'causal_conv1d',
      x,
      weight,
      attrs,
      steps: stepsOf(variant ?? FORWARD_VARIANTS[0]),
      fours: software,
      kind: { BACKWARD: false, DX: false, WEIGHTS: false },
      bindings: (type) => [
        read('x', x, type),
        read('weight', weight),
        read('bias', bias, type),
        write('y', y, type),
      ],
    }),
  ],
  gradient({ graph, inputs, attrs, cotangents: { y: dy } }) {
    if (!dy) return {};
    const { dx, dweight, dbias } = graph.apply(causalConv1dBackwardOp, { ...inputs, dy }, attrs);
    return { x: dx, weight: dweight, bias: dbias };
  },
  reference(inputs, { activation, reverse }) {
    const p = preActivation(inputs, reverse);
    return { y: activation === 'silu' ? p.map((value) => value * sigmoid(value)) : p };
  },
  cost: ({ inputs: { x, weight, bias }, outputs: { y } }) => ({
    flops: elements(x.shape) * (2 * (weight.shape[1] as number) + 4),
    bytes: [x, weight, bias, y].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/**
 * With p the sum before the activation, computed again, and q = dy · act′(p): dx[s] = Σ_j weight[j] q[s + (k − 1) − j],
 * dweight[j] = Σ q[t] x[t − (k − 1) + j], dbias = Σ q.
 */
export const causalConv1dBackwardOp = defineOp({
  name: 'causal_conv1d_backward',
  inputs: ['x', 'weight', 'bias', 'dy'],
  optional: [],
  outputs: ['dx', 'dweight', 'dbias'],
  half: ['dx'],
  shape: ({ x, weight, bias }, _: CausalConvAttrs) => ({
    dx: { shape: x.shape, dtype: 'f32' },
    dweight: { shape: weight.shape, dtype: 'f32' },
    dbias: { shape: bias.shape, dtype: 'f32' },
  }),
  variants: () => BACKWARD_VARIANTS,
  kernels({ inputs, outputs: { dx, dweight, dbias }, attrs }, lowering, variant) {
    const { x, weight, bias, dy } = inputs;
    const { batch, length, channels, taps } = sizesOf(x.shape, weight.shape);
    const steps = Math.max(
      stepsOf(variant ?? BACKWARD_VARIANTS[0]),
      Math.ceil((batch * length) / MAX_PARTIALS),
    );
    const DX = lowering.isUsed(dx);
    const WEIGHTS = lowering.isUsed(dweight) || lowering.isUsed(dbias);
    const split = batch * spansOf(length, steps);
    const partial = WEIGHTS ? lowering.scratch('partial', [split, taps + 1, channels]) : undefined;
    const backward = convKernel({
      name: 'causal_conv1d_backward',
      x,
      weight,
      attrs,
      steps,
      fours: lowering.software,
      kind: { BACKWARD: true, DX, WEIGHTS },
      bindings: (type) => [
        read('x', x, type),
        read('weight', weight),
        read('bias', bias, type),
        read('dy', dy, type),
        ...(DX ? [write('dx', dx, type)] : []),
        ...(partial ? [write('partial', partial, type)] : []),
      ],
    });
    return partial ? [backward, channelSums(partial, split, lowering, dweight, dbias)] : [backward];
  },
  gradient: null,
  reference({ x, weight, bias, dy }, { activation, reverse }) {
    const { length, channels, taps } = sizesOf(x.shape, weight.shape);
    const q = dy.data.slice();
    if (activation === 'silu')
      preActivation({ x, weight, bias }, reverse).forEach((p, i) => {
        const s = sigmoid(p);
        q[i] = at(q, i) * s * (1 + p * (1 - s));
      });
    const dx = new Float64Array(x.data.length);
    const dweight = new Float64Array(weight.data.length);
    const dbias = new Float64Array(channels);
    q.forEach((value, i) => {
      const c = i % channels;
      const { t, step } = timeOf(i, channels, length, reverse);
      dbias[c] = at(dbias, c) + value;
      for (let j = Math.max(0, taps - 1 - t); j < taps; j++) {
        const from = i - (taps - 1 - j) * step;
        dx[from] = at(dx, from) + at(weight.data, c * taps + j) * value;
        dweight[c * taps + j] = at(dweight, c * taps + j) + at(x.data, from) * value;
      }
    });
    return { dx, dweight, dbias };
  },
  cost: ({ inputs: { x, weight, bias, dy }, outputs: { dx, dweight, dbias } }) => ({
    flops: elements(x.shape) * (6 * (weight.shape[1] as number) + 8),
    bytes: [x, weight, bias, dy, dx, dweight, dbias].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

const at = (data: Float64Array, i: number): number => data[i] as number;
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** How many steps element i has behind it in the order of the walk, and how far the next one lies in memory. */
function timeOf(i: number, channels: number, length: number, reverse: Reverse) {
  const t = Math.floor(i / channels) % length;
  const back = reverse === 'second half' ? i % channels >= channels / 2 : reverse;
  return back ? { t: length - 1 - t, step: -channels } : { t, step: channels };
}

/** The convolution with its bias, [b, l, d]. */
function preActivation(
  { x, weight, bias }: { x: Value64; weight: Value64; bias: Value64 },
  reverse: Reverse,
): Float64Array {
  const { length, channels, taps } = sizesOf(x.shape, weight.shape);
  return x.data.map((_, i) => {
    const c = i % channels;
    const { t, step } = timeOf(i, channels, length, reverse);
    let sum = at(bias.data, c);
    for (let j = Math.max(0, taps - 1 - t); j < taps; j++)
      sum += at(weight.data, c * taps + j) * at(x.data, i - (taps - 1 - j) * step);
    return sum;
  });
}

/** y [b, l, d] of x [b, l, d], weight [d, k], bias [d]. */
export const causalConv1d = (
  graph: Graph,
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  activation: CausalConvAttrs['activation'],
  reverse: Reverse = false,
): Tensor => graph.apply(causalConv1dOp, { x, weight, bias }, { activation, reverse }).y;
