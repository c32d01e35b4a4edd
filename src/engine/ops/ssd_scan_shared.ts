/** What the forward and the backward pass of the Mamba-2 scan have in common. */
import { formatShape, GraphError, type Shape, type Tensor } from '../graph';
import type { Reverse } from './causal_conv1d';
import type { Value64 } from './definition';

export interface SsdAttrs {
  /** P, channels of a head. */
  readonly headdim: number;
  /** G, groups of heads that share B and C. */
  readonly groups: number;
  /** N, values of state for each channel. */
  readonly dState: number;
  /**
   * Scans from the last row to the first. The second half of the heads may alone: then each half of them has its groups, and its x, B
   * and C lie side by side.
   */
  readonly reverse: Reverse;
}

/** Steps of a chunk: 32 × 32 pairs of steps fit 16 KiB of workgroup memory twice. */
export const CHUNK = 32;

/** Within 16 KiB of workgroup memory: 2 · 4 KiB of pairs, 256 bytes a tile of the state, and the blocks of `blockOf`. */
const MAX_STATES = 64;

export interface SsdInputs<T> {
  readonly xbc: T;
  readonly dt: T;
  readonly A: T;
  readonly D: T;
  readonly dt_bias?: T | undefined;
}

/** Sizes by their letters in the shaders. */
export function ssdSizes({ xbc, dt }: SsdInputs<{ readonly shape: Shape }>, attrs: SsdAttrs) {
  const [BATCH, L, WIDTH] = xbc.shape as [number, number, number];
  const H = dt.shape[2] as number;
  const { headdim: P, groups: G, dState: N } = attrs;
  return { BATCH, L, WIDTH, H, P, G, N, D: H * P, CHUNKS: Math.ceil(L / CHUNK) };
}

/** Throws GraphError unless xbc is [b, l, h·p + 2·g·n], dt [b, l, h] and the others [h]. */
export function checkSsd(inputs: SsdInputs<Tensor>, attrs: SsdAttrs): void {
  const { xbc, dt, A, D, dt_bias } = inputs;
  for (const [name, { shape }] of Object.entries({ xbc, dt }))
    if (shape.length !== 3)
      throw new GraphError(`${name} must be [batch, length, channels], it is ${formatShape(shape)}`);
  const { BATCH, L, WIDTH, H, P, G, N } = ssdSizes(inputs, attrs);
  if (formatShape(dt.shape) !== formatShape([BATCH, L, H]))
    throw new GraphError(`dt must be [${BATCH}, ${L}, heads], it is ${formatShape(dt.shape)}`);
  if (H % G !== 0) throw new GraphError(`${H} heads cannot be shared by ${G} groups`);
  if (attrs.reverse === 'second half' && G % 2 !== 0)
    throw new GraphError(`${H} heads in ${G} groups have no second half`);
  if (WIDTH !== H * P + 2 * G * N)
    throw new GraphError(
      `xbc has ${WIDTH} channels; ${H} heads of ${P} and ${G} groups of B and C with ${N} states take ${H * P + 2 * G * N}`,
    );
  if (N > MAX_STATES) throw new GraphError(`the scan holds at most ${MAX_STATES} states, not ${N}`);
  for (const [name, tensor] of Object.entries({ A, D, dt_bias }))
    if (tensor && formatShape(tensor.shape) !== formatShape([H]))
      throw new GraphError(`${name} must be [${H}], it is ${formatShape(tensor.shape)}`);
}

/** Values of a chunk's rows that are staged at a time: what fits 16 KiB of workgroup memory beside the pairs. */
const blockOf = (states: number): number => (states <= 32 ? 16 : 8);

/** The defines of all SSD kernels; each sets its own stage to true. */
export function ssdDefines(inputs: SsdInputs<Tensor>, attrs: SsdAttrs) {
  const sizes = ssdSizes(inputs, attrs);
  return {
    ...sizes,
    Q: CHUNK,
    BLOCK: blockOf(sizes.N),
    NT: Math.ceil(sizes.N / 4),
    PT: Math.ceil(sizes.P / 4),
    BIAS: inputs.dt_bias !== undefined,
    HALVES: attrs.reverse === 'second half',
    // activation.wgsl is written for any type.
    TYPE: 'f32',
    STEPS: false,
    STATES: false,
    CARRY: false,
    OUTPUT: false,
    ADJOINT: false,
    INPUT: false,
    PARTS: false,
    ROWS: false,
    HEADS: false,
  };
}

/** Whether rows and heads of all tensors start and end at fours. */
export const ssdByFours = ({ headdim, dState }: SsdAttrs): boolean => headdim % 4 === 0 && dState % 4 === 0;

/**
 * WGSL of NAME_four(at, left), four values from `at` on, those beyond the first `left` as 0, and of NAME_put(at, left, value). Where
 * `fours`, the bindings are vec4s, and `at` is a multiple of 4.
 */
export function fourAccessors(names: readonly string[], written: string | undefined, fours: boolean): string {
  const INDICES = 'vec4u(0, 1, 2, 3)';
  const reads = names.map((name) =>
    fours
      ? `fn ${name}_four(at: u32, left: u32) -> vec4f { return read_${name}(at / 4); }`
      : `fn ${name}_four(at: u32, left: u32) -> vec4f {
  let i = at + min(${INDICES}, vec4u(left - 1));
  return select(vec4f(), vec4f(read_${name}(i.x), read_${name}(i.y), read_${name}(i.z), read_${name}(i.w)), ${INDICES} < vec4u(left));
}`,
  );
  const stores = ['x', 'y', 'z', 'w'].map(
    (part, i) => `  if (left > ${i}) { write_${written}(at + ${i}, value.${part}); }\n`,
  );
  const write = fours ? `  write_${written}(at / 4, value);\n` : stores.join('');
  if (written !== undefined) reads.push(`fn ${written}_put(at: u32, left: u32, value: vec4f) {\n${write}}`);
  return reads.join('\n') + '\n';
}

/**
 * What the shaders read from a uniform: both directions are the same kernels, and so are all lengths. N_END and P_END are N and P
 * where a loop over them must not be unrolled, which would spill on Intel.
 */
export function ssdDynamicSizes(inputs: SsdInputs<Tensor>, attrs: SsdAttrs) {
  const { BATCH, L, CHUNKS, N, P } = ssdSizes(inputs, attrs);
  return {
    BATCH,
    L,
    CHUNKS,
    N_END: N,
    P_END: P,
    BLOCK_END: blockOf(N),
    FIRST_ROW: attrs.reverse === true ? L - 1 : 0,
    ROW_STEP: attrs.reverse === true ? -1 : 1,
  };
}

const at = (data: Float64Array, i: number): number => data[i] as number;
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Where a row's values lie, for the plain recurrences below. */
function addresses(inputs: SsdInputs<Value64>, attrs: SsdAttrs) {
  const sizes = ssdSizes(inputs, attrs);
  const { L, WIDTH, H, P, G, N, D } = sizes;
  const halves = attrs.reverse === 'second half' ? 2 : 1;
  const heads = H / halves;
  /** Where the half of a row starts that a head is of. */
  const half = (row: number, h: number): number => (row + Math.floor(h / heads) / halves) * WIDTH;
  const group = (h: number): number => Math.floor(((h % heads) * G) / H);
  return {
    ...sizes,
    row: (b: number, step: number, h: number): number =>
      b * L + (attrs.reverse === true || (attrs.reverse && h >= heads) ? L - 1 - step : step),
    x: (row: number, h: number): number => half(row, h) + (h % heads) * P,
    B: (row: number, h: number): number => half(row, h) + D / halves + group(h) * N,
    C: (row: number, h: number): number => half(row, h) + D / halves + (G / halves + group(h)) * N,
    raw: (row: number, h: number): number =>
      at(inputs.dt.data, row * H + h) + (inputs.dt_bias ? at(inputs.dt_bias.data, h) : 0),
  };
}

/** h_t = e^{Δ_t A} h_{t−1} + Δ_t B_t x_tᵀ, y_t = C_t h_t + D x_t in float64, step by step. */
export function ssdReference(inputs: SsdInputs<Value64>, attrs: SsdAttrs) {
  const a = addresses(inputs, attrs);
  const { BATCH, L, H, P, N, CHUNKS } = a;
  const { xbc, A, D } = inputs;
  const y = new Float64Array(BATCH * L * H * P);
  const steps = new Float64Array(BATCH * H * L * 2);
  const states = new Float64Array(BATCH * CHUNKS * H * N * P);
  for (let b = 0; b < BATCH; b++)
    for (let h = 0; h < H; h++) {
      const state = new Float64Array(N * P);
      let s = 0;
      for (let step = 0; step < L; step++) {
        const row = a.row(b, step, h);
        if (step % CHUNK === 0) {
          states.set(state, ((b * CHUNKS + step / CHUNK) * H + h) * N * P);
          s = 0;
        }
        const delta = softplus(a.raw(row, h));
        s += delta * at(A.data, h);
        steps.set([delta, s], ((b * H + h) * L + step) * 2);
        const decay = Math.exp(delta * at(A.data, h));
        for (let p = 0; p < P; p++) {
          const x = at(xbc.data, a.x(row, h) + p);
          let sum = at(D.data, h) * x;
          for (let n = 0; n < N; n++) {
            const value = decay * at(state, n * P + p) + delta * at(xbc.data, a.B(row, h) + n) * x;
            state[n * P + p] = value;
            sum += at(xbc.data, a.C(row, h) + n) * value;
          }
          y[(row * H + h) * P + p] = sum;
        }
      }
    }
  return { y, steps, states };
}

/** The adjoint recurrence in float64: g_t = C_t dy_tᵀ + e^{Δ_{t+1} A} g_{t+1}. */
export function ssdBackwardReference(inputs: SsdInputs<Value64>, dy: Value64, attrs: SsdAttrs) {
  const a = addresses(inputs, attrs);
  const { BATCH, L, H, P, N } = a;
  const { xbc, A, D } = inputs;
  const dxbc = new Float64Array(xbc.data.length);
  const ddt = new Float64Array(BATCH * L * H);
  const [dA, dD, ddt_bias] = [new Float64Array(H), new Float64Array(H), new Float64Array(H)];
  const add = (data: Float64Array, i: number, value: number): void => {
    data[i] = at(data, i) + value;
  };
  for (let b = 0; b < BATCH; b++)
    for (let h = 0; h < H; h++) {
      const before = new Float64Array((L + 1) * N * P);
      for (let step = 0; step < L; step++) {
        const row = a.row(b, step, h);
        const delta = softplus(a.raw(row, h));
        const decay = Math.exp(delta * at(A.data, h));
        for (let n = 0; n < N; n++)
          for (let p = 0; p < P; p++) {
            const i = step * N * P + n * P + p;
            const input = delta * at(xbc.data, a.B(row, h) + n) * at(xbc.data, a.x(row, h) + p);
            before[i + N * P] = decay * at(before, i) + input;
          }
      }
      const g = new Float64Array(N * P);
      for (let step = L - 1; step >= 0; step--) {
        const row = a.row(b, step, h);
        const delta = softplus(a.raw(row, h));
        const decay = Math.exp(delta * at(A.data, h));
        let [da, direct] = [0, 0];
        for (let p = 0; p < P; p++) {
          const out = at(dy.data, (row * H + h) * P + p);
          const xAt = a.x(row, h) + p;
          const x = at(xbc.data, xAt);
          add(dxbc, xAt, at(D.data, h) * out);
          add(dD, h, out * x);
          for (let n = 0; n < N; n++) {
            const [bAt, cAt, i] = [a.B(row, h) + n, a.C(row, h) + n, n * P + p];
            const value = at(g, i) + at(xbc.data, cAt) * out;
            add(dxbc, cAt, at(before, (step + 1) * N * P + i) * out);
            add(dxbc, bAt, delta * value * x);
            add(dxbc, xAt, delta * value * at(xbc.data, bAt));
            direct += value * at(xbc.data, bAt) * x;
            da += value * decay * at(before, step * N * P + i);
            g[i] = decay * value;
          }
        }
        const slope = 1 / (1 + Math.exp(-a.raw(row, h)));
        const d = (at(A.data, h) * da + direct) * slope;
        ddt[row * H + h] = d;
        add(dA, h, delta * da);
        add(ddt_bias, h, d);
      }
    }
  return { dxbc, ddt, dA, dD, ddt_bias };
}
