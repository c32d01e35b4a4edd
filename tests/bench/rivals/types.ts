/**
 * The one interface behind which every contender of the benchmark stands: the
 * engine, the rival libraries, and plain loops on the CPU.
 *
 * All arrays are float32, row-major, channels last, in the field's own names:
 *
 *   matmul           x [m, k], w [k, n]                         -> y [m, n]
 *   selective scan   u, delta, z, dy [b, l, d]; A [d, n]; B, C [b, l, n];
 *                    D, delta_bias [d]                          -> y and all gradients
 *   Mamba-1 step     x, cotangent [b, l, d_model] and the nine parameters, in
 *                    PyTorch's layout                           -> parameters and moments
 *   conv1d           x [b, l, c], weight [o, c, k], dy [b, l, o] -> y, dx, dweight
 *   LayerNorm        x, dy [rows, d], weight, bias [d]          -> y, dx, dweight, dbias
 *   AdamW            p, g, m, v [n]                             -> p, m, v
 *
 * A case is prepared once (upload, compilation, one warm run if the library
 * needs it) and then run many times, so that a harness can interleave the runs
 * of several contenders in one page.
 */

export type Tensors = Readonly<Record<string, Float32Array>>;
export type Results = Record<string, Float32Array>;

/** y = x w with x [m, k] and w [k, n]. */
export interface MatmulShape {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Selective scan over [batch, length, channels] with d_state states a channel. */
export interface ScanShape {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly d_state: number;
}

/** One Mamba-1 block; d_inner = expand * d_model. */
export interface BlockShape {
  readonly batch: number;
  readonly length: number;
  readonly d_model: number;
  readonly d_state: number;
  readonly d_conv: number;
  readonly expand: number;
  readonly dt_rank: number;
}

/** Convolution over time with stride 1 and as many steps after it as before: the kernel is odd. */
export interface ConvShape {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly outputs: number;
  readonly kernel: number;
}

/** LayerNorm over the last of [rows, channels]. */
export interface NormShape {
  readonly rows: number;
  readonly channels: number;
}

/** AdamW of `parameters` numbers in one vector. */
export interface UpdateShape {
  readonly parameters: number;
}

/** A case with its data on the device. */
export interface PreparedCase {
  /** Computes everything once and resolves when the device has finished it. */
  run(): Promise<void>;
  /** The results of the last run, by the names in `scanOutputs`, `blockParameters`, ... */
  read(): Promise<Results>;
  /** Frees what `prepare` allocated. */
  dispose(): void;
}

export interface BenchCase {
  readonly name: string;
  /**
   * Uploads the inputs (which the case may not modify). A training step's
   * parameters are copied: each `run` is one further step from them.
   */
  prepare(inputs: Tensors): Promise<PreparedCase>;
}

/** A library, or our engine, with the cases it can run. */
export interface Contender {
  readonly name: string;
  /** The device it runs on, for the meter; null on the CPU. */
  readonly device: GPUDevice | null;
  matmul(shape: MatmulShape): BenchCase;
  selectiveScan(shape: ScanShape): BenchCase;
  /** These are absent where the contender leaves them out. */
  mambaStep?(shape: BlockShape): BenchCase;
  conv1d?(shape: ConvShape): BenchCase;
  layerNorm?(shape: NormShape): BenchCase;
  adamw?(shape: UpdateShape): BenchCase;
}

/** Added to the variance by LayerNorm. */
export const layerNormEpsilon = 1e-5;

/** AdamW as in PyTorch (decoupled decay, on every parameter); the block's step clips by the global norm before it. */
export const adamw = {
  learningRate: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.1,
  maxNorm: 1.0,
} as const;

/** What a selective scan takes. */
export type ScanInput = 'u' | 'delta' | 'A' | 'B' | 'C' | 'D' | 'z' | 'delta_bias' | 'dy';

/** What `read()` of a selective scan holds. */
export const scanOutputs = ['y', 'du', 'ddelta', 'dA', 'dB', 'dC', 'dD', 'dz', 'ddelta_bias'] as const;

export type ScanOutput = (typeof scanOutputs)[number];

/**
 * The parameters of a block, in PyTorch's layout [out, in]. `read()` of a
 * training step holds each under its name, its first and second moment under
 * `m.<name>` and `v.<name>`, and the scalars `loss` and `grad_norm` (before
 * clipping). The moments matter: after one step Adam's update is hardly more
 * than the sign of the gradient, and hides a gradient that is wrong by a factor.
 */
export const blockParameters = [
  'in_proj',
  'conv_weight',
  'conv_bias',
  'x_proj',
  'dt_proj',
  'dt_bias',
  'A_log',
  'D',
  'out_proj',
] as const;

export type BlockParameter = (typeof blockParameters)[number];

export function blockParameterShapes(shape: BlockShape): Record<BlockParameter, number[]> {
  const d_inner = shape.expand * shape.d_model;
  return {
    in_proj: [2 * d_inner, shape.d_model],
    conv_weight: [d_inner, shape.d_conv],
    conv_bias: [d_inner],
    x_proj: [shape.dt_rank + 2 * shape.d_state, d_inner],
    dt_proj: [d_inner, shape.dt_rank],
    dt_bias: [d_inner],
    A_log: [d_inner, shape.d_state],
    D: [d_inner],
    out_proj: [shape.d_model, d_inner],
  };
}

export function scanInputShapes(shape: ScanShape): Record<ScanInput, number[]> {
  const { batch, length, channels, d_state } = shape;
  const bld = [batch, length, channels];
  const bln = [batch, length, d_state];
  return {
    u: bld,
    delta: bld,
    A: [channels, d_state],
    B: bln,
    C: bln,
    D: [channels],
    z: bld,
    delta_bias: [channels],
    dy: bld,
  };
}

export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** All parameters of a block in one vector, in the order of `blockParameters`. */
export function flatten(inputs: Tensors): Float32Array {
  const parts = blockParameters.map((name) => tensor(inputs, name));
  const flat = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let from = 0;
  for (const part of parts) {
    flat.set(part, from);
    from += part.length;
  }
  return flat;
}

/** A training step's results from its flat state: p, m and v in the order of `flatten`. */
export function unflatten(shape: BlockShape, state: Tensors): Results {
  const shapes = blockParameterShapes(shape);
  const results: Results = { loss: tensor(state, 'loss'), grad_norm: tensor(state, 'grad_norm') };
  let from = 0;
  for (const name of blockParameters) {
    const to = from + sizeOf(shapes[name]);
    results[name] = tensor(state, 'p').slice(from, to);
    results[`m.${name}`] = tensor(state, 'm').slice(from, to);
    results[`v.${name}`] = tensor(state, 'v').slice(from, to);
    from = to;
  }
  return results;
}

/** The largest divisor of n that is at most `limit`: a chunk length that fits. */
export function largestDivisor(n: number, limit: number): number {
  for (let d = Math.min(n, limit); d > 1; d--) if (n % d === 0) return d;
  return 1;
}

/** The named input, or an error that says which one is missing. */
export function tensor(inputs: Tensors, name: string): Float32Array {
  const values = inputs[name];
  if (values === undefined) throw new Error(`missing input ${name}`);
  return values;
}

export const matmulName = (s: MatmulShape): string => `matmul [${s.m},${s.k}]x[${s.k},${s.n}]`;

export const scanName = (s: ScanShape): string =>
  `selective scan fwd+bwd [b${s.batch}, l${s.length}, d${s.channels}, n${s.d_state}]`;

export const blockName = (s: BlockShape): string =>
  `Mamba-1 block step (d_model ${s.d_model}, b ${s.batch}, l ${s.length})`;

export const convName = (s: ConvShape): string =>
  `conv1d fwd+bwd [${s.batch},${s.channels},${s.length}] to ${s.outputs}, k${s.kernel}`;

export const normName = (s: NormShape): string => `LayerNorm fwd+bwd [${s.rows},${s.channels}]`;

export const updateName = (s: UpdateShape): string => `AdamW of ${s.parameters} parameters`;

/** `values` [...dims] with its axes in another order, as numpy's transpose. */
export function transpose(
  values: Float32Array,
  dims: readonly number[],
  order: readonly number[],
): Float32Array {
  const strides = dims.map((_, i) => sizeOf(dims.slice(i + 1)));
  const out = new Float32Array(values.length);
  let at = 0;
  const walk = (axis: number, from: number): void => {
    if (axis === order.length) {
      out[at++] = values[from]!;
      return;
    }
    const source = order[axis]!;
    for (let i = 0; i < dims[source]!; i++) walk(axis + 1, from + i * strides[source]!);
  };
  walk(0, 0);
  return out;
}
