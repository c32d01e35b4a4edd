/** The selective scan in float64, forward and backward, as the formulas stand. */
import type { Value64, Values64 } from './definition';
import { scanSizes, type ScanAttrs } from './selective_scan_shared';

type Inputs = Values64<'u' | 'delta' | 'A' | 'B' | 'C', 'D' | 'z' | 'deltaBias'>;

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const softplus = (x: number): number => (x > 30 ? x : Math.log1p(Math.exp(x)));

/** What a step writes of B·u, and its derivative by A: w = (e^(ΔA) − 1)/A with a zero-order hold, otherwise Δ. */
const writeWeight = (step: number, a: number, { zeroOrderHold }: ScanAttrs): number =>
  zeroOrderHold && a !== 0 ? Math.expm1(step * a) / a : step;

function writeSlope(step: number, a: number, attrs: ScanAttrs): number {
  if (!attrs.zeroOrderHold) return 0;
  const x = step * a;
  // The difference would cancel.
  if (Math.abs(x) < 1e-4) return step * step * (1 / 2 + x / 3 + (x * x) / 8);
  return (step * Math.exp(x) - writeWeight(step, a, attrs)) / a;
}

interface Walk {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly states: number;
  /** Δ at (b, l, d), by flat index. */
  readonly delta: Float64Array;
  /** h after each step [b, l, d, n]. */
  readonly h: Float64Array;
}

const at = (value: Value64, index: number): number => value.data[index] as number;

function walk({ u, delta, A, B, deltaBias }: Inputs, attrs: ScanAttrs): Walk {
  const [batch, length, channels] = u.shape as [number, number, number];
  const states = A.shape[1] as number;
  const activated = delta.data.map((value, i) => {
    const x = value + (deltaBias ? at(deltaBias, i % channels) : 0);
    return attrs.deltaSoftplus ? softplus(x) : x;
  });
  const h = new Float64Array(batch * length * channels * states);
  for (let b = 0; b < batch; b++)
    for (let d = 0; d < channels; d++)
      for (let n = 0; n < states; n++) {
        let state = 0;
        for (let t = 0; t < length; t++) {
          const i = (b * length + t) * channels + d;
          const step = activated[i] as number;
          const a = at(A, d * states + n);
          state =
            Math.exp(step * a) * state +
            writeWeight(step, a, attrs) * at(B, (b * length + t) * states + n) * at(u, i);
          h[i * states + n] = state;
        }
      }
  return { batch, length, channels, states, delta: activated, h };
}

/** y and states of the scan in float64, step by step. */
export function scanForward(inputs: Inputs, attrs: ScanAttrs): { y: Float64Array; states: Float64Array } {
  const { u, A, C, D, z } = inputs;
  const { batch, length, channels, states, h } = walk(inputs, attrs);
  const y = new Float64Array(u.data.length);
  for (let i = 0; i < y.length; i++) {
    let sum = D ? at(D, i % channels) * at(u, i) : 0;
    const row = Math.floor(i / channels);
    for (let n = 0; n < states; n++) sum += at(C, row * states + n) * (h[i * states + n] as number);
    const gate = z ? at(z, i) : undefined;
    y[i] = gate === undefined ? sum : sum * gate * sigmoid(gate);
  }
  const { interval, intervals } = scanSizes(u.shape, A.shape, attrs);
  const size = channels * states;
  const starts = new Float64Array(batch * intervals * size);
  starts.set(A.data);
  for (let b = 0; b < batch; b++)
    for (let k = 1; k < intervals; k++) {
      const last = (b * length + k * interval - 1) * size;
      starts.set(h.subarray(last, last + size), (b * intervals + k) * size);
    }
  return { y, states: starts };
}

type Gradients = Record<'du' | 'ddelta' | 'dA' | 'dB' | 'dC' | 'dD' | 'dz' | 'dDeltaBias', Float64Array>;

/** The gradients of the scan's inputs in float64, step by step. */
export function scanBackward(inputs: Inputs, dy: Float64Array, attrs: ScanAttrs): Gradients {
  const { u, A, B, C, D, z } = inputs;
  const { batch, length, channels, states, delta, h } = walk(inputs, attrs);
  const gradient: Gradients = {
    du: new Float64Array(u.data.length),
    ddelta: new Float64Array(u.data.length),
    dz: new Float64Array(u.data.length),
    dA: new Float64Array(A.data.length),
    dB: new Float64Array(B.data.length),
    dC: new Float64Array(C.data.length),
    dD: new Float64Array(channels),
    dDeltaBias: new Float64Array(channels),
  };
  const add = (array: Float64Array, index: number, value: number): void => {
    array[index] = (array[index] as number) + value;
  };
  for (let b = 0; b < batch; b++)
    for (let d = 0; d < channels; d++) {
      const g = new Float64Array(states);
      for (let t = length - 1; t >= 0; t--) {
        const row = b * length + t;
        const i = row * channels + d;
        const step = delta[i] as number;
        const x = at(u, i);
        let scanned = 0;
        for (let n = 0; n < states; n++) scanned += at(C, row * states + n) * (h[i * states + n] as number);
        const gate = z ? at(z, i) : 0;
        const s = sigmoid(gate);
        const skip = D ? at(D, d) : 0;
        const cotangent = (dy[i] as number) * (z ? gate * s : 1);
        if (z) gradient.dz[i] = (dy[i] as number) * (scanned + skip * x) * s * (1 + gate * (1 - s));
        add(gradient.dD, d, cotangent * x);
        let du = skip * cotangent;
        let dstep = 0;
        for (let n = 0; n < states; n++) {
          const a = at(A, d * states + n);
          const decay = Math.exp(step * a);
          const kept = t === 0 ? 0 : decay * (h[(i - channels) * states + n] as number);
          const total = (g[n] as number) + cotangent * at(C, row * states + n);
          const weight = writeWeight(step, a, attrs);
          const input = x * at(B, row * states + n);
          du += weight * total * at(B, row * states + n);
          dstep += total * (input * (attrs.zeroOrderHold ? decay : 1) + a * kept);
          add(gradient.dA, d * states + n, total * (step * kept + input * writeSlope(step, a, attrs)));
          add(gradient.dB, row * states + n, total * weight * x);
          add(gradient.dC, row * states + n, cotangent * (h[i * states + n] as number));
          g[n] = decay * total;
        }
        gradient.du[i] = du;
        gradient.ddelta[i] = dstep * (attrs.deltaSoftplus ? 1 - Math.exp(-step) : 1);
        add(gradient.dDeltaBias, d, gradient.ddelta[i]);
      }
    }
  return gradient;
}
