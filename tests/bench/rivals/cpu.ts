/**
 * Plain float32 loops on one CPU thread: what the page could do without WebGPU.
 *
 * matmul: y [m, n] = x [m, k] w [k, n]. x and w are packed into panels of four
 * rows and four columns, so that the inner loop reads both in order and holds a
 * 4 x 4 tile of y in registers. The panels are float64, which spares a
 * conversion per load: JavaScript's arithmetic is in doubles anyway.
 *
 * Selective scan: see reference.ts for the equations. One channel at a time,
 * forward then backward, so that its states and decays (2 l n floats) stay in the
 * second-level cache; states of a step are the innermost loop, as A, B, C and h
 * are contiguous along it. exp is taken once per (t, d, n) and kept for the
 * backward pass. No allocation in loops.
 */

import {
  matmulName,
  scanName,
  tensor,
  type BenchCase,
  type Contender,
  type MatmulShape,
  type PreparedCase,
  type Results,
  type ScanShape,
} from './types';

const tile = 4;

function prepared(results: Results, compute: () => void): PreparedCase {
  return {
    run: () => {
      compute();
      return Promise.resolve();
    },
    read: () => Promise.resolve({ ...results }),
    dispose: () => undefined,
  };
}

function matmul({ m, k, n }: MatmulShape): BenchCase {
  return {
    name: matmulName({ m, k, n }),
    prepare: (inputs) => {
      if (m % tile !== 0 || n % tile !== 0) throw new Error('m and n must be multiples of 4');
      const x = tensor(inputs, 'x');
      const w = tensor(inputs, 'w');
      const y = new Float32Array(m * n);
      const xPanel = new Float64Array(k * tile);
      const wPanels = new Float64Array(k * n);
      return Promise.resolve(prepared({ y }, () => multiply(x, w, y, xPanel, wPanels, m, k, n)));
    },
  };
}

// oxfmt-ignore
function multiply(
  x: Float32Array,
  w: Float32Array,
  y: Float32Array,
  xPanel: Float64Array,
  wPanels: Float64Array,
  m: number,
  k: number,
  n: number,
): void {
  for (let j = 0, to = 0; j < n; j += tile)
    for (let p = 0; p < k; p++, to += tile) {
      const from = p * n + j;
      wPanels[to] = w[from]!;
      wPanels[to + 1] = w[from + 1]!;
      wPanels[to + 2] = w[from + 2]!;
      wPanels[to + 3] = w[from + 3]!;
    }
  for (let i = 0; i < m; i += tile) {
    for (let p = 0, to = 0; p < k; p++)
      for (let r = 0; r < tile; r++) xPanel[to++] = x[(i + r) * k + p]!;
    for (let j = 0, q = 0; j < n; j += tile) {
      let y00 = 0, y01 = 0, y02 = 0, y03 = 0;
      let y10 = 0, y11 = 0, y12 = 0, y13 = 0;
      let y20 = 0, y21 = 0, y22 = 0, y23 = 0;
      let y30 = 0, y31 = 0, y32 = 0, y33 = 0;
      for (let p = 0; p < k * tile; p += tile, q += tile) {
        const w0 = wPanels[q]!, w1 = wPanels[q + 1]!, w2 = wPanels[q + 2]!, w3 = wPanels[q + 3]!;
        const x0 = xPanel[p]!;
        y00 += x0 * w0; y01 += x0 * w1; y02 += x0 * w2; y03 += x0 * w3;
        const x1 = xPanel[p + 1]!;
        y10 += x1 * w0; y11 += x1 * w1; y12 += x1 * w2; y13 += x1 * w3;
        const x2 = xPanel[p + 2]!;
        y20 += x2 * w0; y21 += x2 * w1; y22 += x2 * w2; y23 += x2 * w3;
        const x3 = xPanel[p + 3]!;
        y30 += x3 * w0; y31 += x3 * w1; y32 += x3 * w2; y33 += x3 * w3;
      }
      let o = i * n + j;
      y[o] = y00; y[o + 1] = y01; y[o + 2] = y02; y[o + 3] = y03;
      o += n;
      y[o] = y10; y[o + 1] = y11; y[o + 2] = y12; y[o + 3] = y13;
      o += n;
      y[o] = y20; y[o + 1] = y21; y[o + 2] = y22; y[o + 3] = y23;
      o += n;
      y[o] = y30; y[o + 1] = y31; y[o + 2] = y32; y[o + 3] = y33;
    }
  }
}

function selectiveScan(shape: ScanShape): BenchCase {
  return {
    name: scanName(shape),
    prepare: (inputs) => {
      const { batch, length, channels, d_state: N } = shape;
      const u = tensor(inputs, 'u');
      const delta = tensor(inputs, 'delta');
      const A = tensor(inputs, 'A');
      const B = tensor(inputs, 'B');
      const C = tensor(inputs, 'C');
      const D = tensor(inputs, 'D');
      const z = tensor(inputs, 'z');
      const delta_bias = tensor(inputs, 'delta_bias');
      const dy = tensor(inputs, 'dy');

      const y = new Float32Array(u.length);
      const du = new Float32Array(u.length);
      const ddelta = new Float32Array(u.length);
      const dz = new Float32Array(u.length);
      const dA = new Float32Array(A.length);
      const dB = new Float32Array(B.length);
      const dC = new Float32Array(C.length);
      const dD = new Float32Array(D.length);
      const ddelta_bias = new Float32Array(channels);

      // Scratch for one channel: h has one more row, the state before step 0.
      const dt = new Float32Array(length);
      const ds = new Float32Array(length);
      const slope = new Float32Array(length);
      const decay = new Float32Array(length * N);
      const h = new Float32Array((length + 1) * N);
      const g = new Float32Array(N);

      const forward = (b: number, d: number): void => {
        const dRow = d * N;
        const skip = D[d]!;
        const bias = delta_bias[d]!;
        for (let t = 0; t < length; t++) {
          const i = (b * length + t) * channels + d;
          const bn = (b * length + t) * N;
          const hn = t * N;
          // softplus and its slope, sigmoid, share one exponential.
          const e = Math.exp(delta[i]! + bias);
          const step = Math.log1p(e);
          dt[t] = step;
          slope[t] = e / (1 + e);
          const x = step * u[i]!;
          let s = skip * u[i]!;
          for (let n = 0; n < N; n++) {
            const a = Math.exp(step * A[dRow + n]!);
            decay[hn + n] = a;
            const next = a * h[hn + n]! + x * B[bn + n]!;
            h[hn + N + n] = next;
            s += C[bn + n]! * next;
          }
          const sigmoid = 1 / (1 + Math.exp(-z[i]!));
          const gate = z[i]! * sigmoid;
          y[i] = s * gate;
          ds[t] = dy[i]! * gate;
          dz[i] = dy[i]! * s * sigmoid * (1 + z[i]! - gate);
        }
      };

      const backward = (b: number, d: number): void => {
        const dRow = d * N;
        let sumD = 0;
        let sumBias = 0;
        g.fill(0);
        for (let t = length - 1; t >= 0; t--) {
          const i = (b * length + t) * channels + d;
          const bn = (b * length + t) * N;
          const hn = t * N;
          const step = dt[t]!;
          const x = step * u[i]!;
          const dst = ds[t]!;
          let gB = 0;
          let gAh = 0;
          for (let n = 0; n < N; n++) {
            const gn = g[n]! + dst * C[bn + n]!;
            const ga = gn * decay[hn + n]!;
            const gah = ga * h[hn + n]!;
            g[n] = ga;
            gB += gn * B[bn + n]!;
            gAh += gah * A[dRow + n]!;
            dA[dRow + n]! += gah * step;
            dB[bn + n]! += gn * x;
            dC[bn + n]! += dst * h[hn + N + n]!;
          }
          du[i] = step * gB + D[d]! * dst;
          const dd = (u[i]! * gB + gAh) * slope[t]!;
          ddelta[i] = dd;
          sumD += dst * u[i]!;
          sumBias += dd;
        }
        dD[d]! += sumD;
        ddelta_bias[d]! += sumBias;
      };

      return Promise.resolve(
        prepared({ y, du, ddelta, dA, dB, dC, dD, dz, ddelta_bias }, () => {
          dA.fill(0);
          dB.fill(0);
          dC.fill(0);
          dD.fill(0);
          ddelta_bias.fill(0);
          for (let b = 0; b < batch; b++)
            for (let d = 0; d < channels; d++) {
              forward(b, d);
              backward(b, d);
            }
        }),
      );
    },
  };
}

export const cpu: Contender = { name: 'CPU loops', device: null, matmul, selectiveScan };
