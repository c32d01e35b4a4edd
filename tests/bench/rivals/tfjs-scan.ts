/**
 * The selective scan in TensorFlow.js, forward and backward (shapes in types.ts,
 * equations in reference.ts). tfjs has no scan and no fusion: every operation is
 * a dispatch that writes its result, and its own gradient over the natural form
 * keeps them all. The fastest formulation found has its gradient by hand:
 *   1. time is cut into chunks of q = 16 steps that advance together, so the big
 *      operations are 2 per step: h_j = exp(dt_j A) h_{j-1} + v_j, v_j = dt_j B_j u_j;
 *   2. a chunk's effect on a state is h -> P h + S with P = exp(A sum(dt)); the
 *      states entering the chunks come from a log-step doubling over the chunks
 *      alone, where it is cheap (`carries`);
 *   3. backward carries e_j = exp(dt_j A) g_j with g_j = ds_j C_j + e_{j+1}, whose
 *      product with h_{j-1} is what the gradients of dt and A need.
 * States are [rows, n, d] with channels last, as elementwise kernels then work in
 * vec4. Sums over states or channels are an average pool of a product: one
 * thread per output and no barriers. On a CPU-backed adapter it takes about half
 * the time of `sum` (transpose, and a reduction with barriers) and a quarter of
 * batched `matMul` with one column; a depthwise convolution was no better.
 * Carrying the states from chunk to chunk in turn, or chunks of 4, 8 or 32 steps,
 * was slower or as fast with more dispatches.
 */

import * as tf from '@tensorflow/tfjs-core';
import { largestDivisor, type ScanInput, type ScanOutput } from './types';

export type T = tf.Tensor;

function extents(a: T): [number, number, number] {
  const [p = 1, q = 1, r = 1] = a.shape;
  return [p, q, r];
}

/** a b + c */
export const multiplyAdd = (a: T, b: T, c: T): T => tf.tidy(() => tf.add(tf.mul(a, b), c));

/** x [rows, width, d] summed over its middle axis, by pooling. */
export function pooledSum(x: T): T {
  const [rows, width, d] = extents(x);
  return tf.tidy(() => {
    const image = tf.reshape<tf.Rank.R4>(x, [rows, 1, width, d]);
    return tf.mul(tf.reshape(tf.avgPool(image, [1, width], [1, width], 'valid'), [rows, d]), width);
  });
}

/** sum_n p q: p [r, n, d] -> [r, d], q broadcast. */
const sumStates = (p: T, q: T): T => tf.tidy(() => pooledSum(tf.mul(p, q)));

/** sum_d p q: p [r, n, d] -> [r, n], q broadcast. */
function sumChannels(p: T, q: T): T {
  const [r, n, d] = extents(p);
  return tf.tidy(() => tf.reshape(pooledSum(tf.reshape(tf.mul(p, q), [r * n, d, 1])), [r, n]));
}

/** Sum over all but the last axis. As two halves: a pool over one whole image becomes a `mean`. */
export function sumRows(x: T): T {
  const width = x.shape[x.shape.length - 1] ?? 1;
  const rows = x.size / width;
  return tf.tidy(() => {
    if (rows % 2 === 1) return tf.sum(tf.reshape(x, [rows, width]), 0);
    const halves = tf.unstack(pooledSum(tf.reshape(x, [2, rows / 2, width])));
    return tf.addN(halves);
  });
}

/** What enters each chunk when state -> P state + S runs over axis 1 of P and S [b, c, m]. */
function carries(P: T, S: T, reverse: boolean): T {
  const [b, c, m] = extents(P);
  const shifted = (x: T, by: number): T =>
    tf.tidy(() => {
      const part = tf.slice(x, [0, reverse ? by : 0, 0], [b, c - by, m]);
      return tf.pad(part, [[0, 0], reverse ? [0, by] : [by, 0], [0, 0]]);
    });
  return tf.tidy(() => {
    let p = P;
    let s = S;
    for (let by = 1; by < c; by *= 2) {
      const sNext = tf.tidy(() => multiplyAdd(p, shifted(s, by), s));
      const pNext = tf.tidy(() => (2 * by < c ? tf.mul(p, shifted(p, by)) : tf.clone(p)));
      if (by > 1) tf.dispose([p, s]);
      p = pNext;
      s = sNext;
    }
    return shifted(s, 1);
  });
}

/**
 * The scan without gate and skip, and the sums its gradient is made of:
 * y, gB = sum_n g B, gAh = sum_n A e h (all [b, l, d]), dA, dB and dC.
 */
function chunkedScan(
  dt: T,
  x: T,
  ds: T,
  A: T,
  B: T,
  C: T,
  chunkSteps: number,
): Record<'y' | 'gB' | 'gAh' | 'dA' | 'dB' | 'dC', T> {
  const [b, l, d] = extents(dt);
  const n = A.shape[1] ?? 1;
  const q = largestDivisor(l, chunkSteps);
  const c = l / q;
  const r = b * c;
  return tf.tidy(() => {
    const steps = (v: T, shape: number[]): T[] =>
      tf.unstack(tf.reshape(v, [r, q, -1]), 1).map((step) => tf.reshape(step, shape));
    const joined = (parts: T[], width: number): T => tf.reshape(tf.stack(parts, 1), [b, l, width]);
    const asCarry = (v: T): T => tf.reshape(v, [b, c, n * d]);
    const asState = (v: T): T => tf.reshape(v, [r, n, d]);

    const At = tf.reshape(tf.transpose(A), [1, n, d]);
    const dts = steps(dt, [r, 1, d]);
    const xs = steps(x, [r, 1, d]);
    const dss = steps(ds, [r, 1, d]);
    const Bs = steps(B, [r, n, 1]);
    const Cs = steps(C, [r, n, 1]);
    const a = dts.map((step) => tf.tidy(() => tf.exp(tf.mul(step, At))));
    const v = xs.map((step, j) => tf.mul(step, Bs[j]!));
    const P = tf.tidy(() => {
      const total = pooledSum(tf.reshape(dt, [r, q, d]));
      return asCarry(tf.exp(tf.mul(tf.reshape(total, [r, 1, d]), At)));
    });

    const S = tf.tidy(() => {
      let s = tf.clone(v[0]!);
      for (let j = 1; j < q; j++) {
        const next = multiplyAdd(a[j]!, s, v[j]!);
        s.dispose();
        s = next;
      }
      return asCarry(s);
    });
    const h = [tf.tidy(() => asState(carries(P, S, false)))];
    S.dispose();
    const ys: T[] = [];
    const dCs: T[] = [];
    for (let j = 0; j < q; j++) {
      const state = multiplyAdd(a[j]!, h[j]!, v[j]!);
      v[j]!.dispose();
      ys.push(sumStates(state, Cs[j]!));
      dCs.push(sumChannels(state, dss[j]!));
      if (j + 1 < q) h.push(state);
      else state.dispose();
    }

    const w = dss.map((step, j) => tf.mul(step, Cs[j]!));
    const E = tf.tidy(() => {
      let s = tf.mul(a[q - 1]!, w[q - 1]!);
      for (let j = q - 2; j >= 0; j--) {
        const next = tf.tidy(() => tf.mul(a[j]!, tf.add(w[j]!, s)));
        s.dispose();
        s = next;
      }
      return asCarry(s);
    });
    let e = tf.tidy(() => asState(carries(P, E, true)));
    E.dispose();
    const gBs: T[] = [];
    const gAhs: T[] = [];
    const dBs: T[] = [];
    let dA: T = tf.zeros([r, n, d]);
    for (let j = q - 1; j >= 0; j--) {
      const g = tf.add(w[j]!, e);
      tf.dispose([e, w[j]!]);
      gBs.unshift(sumStates(g, Bs[j]!));
      dBs.unshift(sumChannels(g, xs[j]!));
      e = tf.mul(a[j]!, g);
      tf.dispose([g, a[j]!]);
      const eh = tf.mul(e, h[j]!);
      h[j]!.dispose();
      gAhs.unshift(sumStates(eh, At));
      const next = multiplyAdd(eh, dts[j]!, dA);
      tf.dispose([eh, dA]);
      dA = next;
    }
    return {
      y: joined(ys, d),
      gB: joined(gBs, d),
      gAh: joined(gAhs, d),
      dA: tf.transpose(tf.reshape(sumRows(tf.reshape(dA, [r, n * d])), [n, d])),
      dB: joined(dBs, n),
      dC: joined(dCs, n),
    };
  });
}

/** y and all gradients of the gated scan, from u, delta, z, dy [b, l, d], B, C [b, l, n], ... */
export function gatedScan(t: Record<ScanInput, T>, chunkSteps: number): Record<ScanOutput, T> {
  return tf.tidy(() => {
    const raw = tf.add(t.delta, t.delta_bias);
    const dt = tf.softplus(raw);
    const sigmoid = tf.sigmoid(t.z);
    const gate = tf.mul(t.z, sigmoid);
    const ds = tf.mul(t.dy, gate);
    const core = chunkedScan(dt, tf.mul(dt, t.u), ds, t.A, t.B, t.C, chunkSteps);
    const s = multiplyAdd(t.D, t.u, core.y);
    const ddelta = tf.mul(multiplyAdd(t.u, core.gB, core.gAh), tf.sigmoid(raw));
    return {
      y: tf.mul(s, gate),
      du: multiplyAdd(dt, core.gB, tf.mul(t.D, ds)),
      ddelta,
      dA: core.dA,
      dB: core.dB,
      dC: core.dC,
      dD: sumRows(tf.mul(ds, t.u)),
      dz: tf.mul(tf.mul(tf.mul(t.dy, s), sigmoid), tf.sub(tf.add(t.z, 1), gate)),
      ddelta_bias: sumRows(ddelta),
    };
  });
}
