/**
 * Seeded inputs, shared by every contender of the benchmark.
 *
 * The ranges are those of a Mamba layer at the start of training: softplus(delta
 * + delta_bias) is about 0.01 to 0.1 (Mamba draws it log-uniformly there), A[d, n]
 * = -(n + 1), D = 1, and linear weights are uniform in +-1/sqrt(fan_in).
 */

import {
  blockParameterShapes,
  type BlockShape,
  type ConvShape,
  type MatmulShape,
  type NormShape,
  type ScanShape,
  type Tensors,
  type UpdateShape,
} from './types';

/** Uniform numbers in [0, 1): mulberry32, a 32-bit generator of a few lines. */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Random = () => number;

function fill(size: number, value: (i: number) => number): Float32Array {
  const out = new Float32Array(size);
  for (let i = 0; i < size; i++) out[i] = value(i);
  return out;
}

function normal(size: number, random: Random, scale = 1): Float32Array {
  return fill(size, () => scale * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()));
}

function uniform(size: number, random: Random, bound: number): Float32Array {
  return fill(size, () => bound * (2 * random() - 1));
}

/** A bias such that softplus(bias) is log-uniform in [0.01, 0.1]. */
function deltaBias(size: number, random: Random): Float32Array {
  return fill(size, () => Math.log(Math.expm1(Math.exp(Math.log(0.01) + Math.log(10) * random()))));
}

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export function matmulInputs({ m, k, n }: MatmulShape, seed = 1): Tensors {
  const random = generator(seed);
  return { x: normal(m * k, random), w: normal(k * n, random, 1 / Math.sqrt(k)) };
}

export function scanInputs(shape: ScanShape, seed = 2): Tensors {
  const { batch, length, channels, d_state } = shape;
  const random = generator(seed);
  const bld = batch * length * channels;
  const bln = batch * length * d_state;
  return {
    u: normal(bld, random),
    delta: uniform(bld, random, 0.5),
    A: fill(channels * d_state, (i) => -((i % d_state) + 1)),
    B: normal(bln, random),
    C: normal(bln, random),
    D: fill(channels, () => 1),
    z: normal(bld, random),
    delta_bias: deltaBias(channels, random),
    dy: normal(bld, random),
  };
}

/** The input x, the cotangent of the block's output, and the parameters. */
export function blockInputs(shape: BlockShape, seed = 3): Tensors {
  const { batch, length, d_model, d_state } = shape;
  const random = generator(seed);
  const shapes = blockParameterShapes(shape);
  const linear = (dims: number[]): Float32Array =>
    uniform(product(dims), random, 1 / Math.sqrt(dims[1] ?? 1));
  const size = batch * length * d_model;
  return {
    x: normal(size, random),
    cotangent: normal(size, random, 1 / Math.sqrt(size)),
    in_proj: linear(shapes.in_proj),
    conv_weight: linear(shapes.conv_weight),
    conv_bias: uniform(product(shapes.conv_bias), random, 1 / Math.sqrt(shape.d_conv)),
    x_proj: linear(shapes.x_proj),
    dt_proj: linear(shapes.dt_proj),
    dt_bias: deltaBias(product(shapes.dt_bias), random),
    A_log: fill(product(shapes.A_log), (i) => Math.log((i % d_state) + 1)),
    D: fill(product(shapes.D), () => 1),
    out_proj: linear(shapes.out_proj),
  };
}

export function convInputs({ batch, length, channels, outputs, kernel }: ConvShape, seed = 4): Tensors {
  const random = generator(seed);
  const fanIn = channels * kernel;
  return {
    x: normal(batch * length * channels, random),
    weight: uniform(outputs * fanIn, random, 1 / Math.sqrt(fanIn)),
    dy: normal(batch * length * outputs, random),
  };
}

export function normInputs({ rows, channels }: NormShape, seed = 5): Tensors {
  const random = generator(seed);
  return {
    x: normal(rows * channels, random),
    weight: fill(channels, () => 0.5 + random()),
    bias: uniform(channels, random, 0.1),
    dy: normal(rows * channels, random),
  };
}

/** In the middle of a training: neither moment is 0. */
export function updateInputs({ parameters }: UpdateShape, seed = 6): Tensors {
  const random = generator(seed);
  return {
    p: uniform(parameters, random, 1),
    g: uniform(parameters, random, 0.01),
    m: uniform(parameters, random, 0.01),
    v: fill(parameters, () => 1e-4 * random()),
  };
}
