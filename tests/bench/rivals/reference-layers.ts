/** Float64 references of a convolution, LayerNorm and AdamW, for checking. */

import type { Doubles } from './reference';
import {
  adamw,
  layerNormEpsilon,
  tensor,
  type ConvShape,
  type NormShape,
  type Tensors,
  type UpdateShape,
} from './types';

/** y[t, o] = sum_{c, j} weight[o, c, j] x[t - (k - 1)/2 + j, c], and its gradients. */
export function convReference(
  { batch, length, channels, outputs, kernel }: ConvShape,
  inputs: Tensors,
): Doubles {
  const x = Float64Array.from(tensor(inputs, 'x'));
  const weight = tensor(inputs, 'weight');
  const dy = Float64Array.from(tensor(inputs, 'dy'));
  const y = new Float64Array(batch * length * outputs);
  const dx = new Float64Array(x.length);
  const dweight = new Float64Array(weight.length);
  const tap = new Float64Array(channels);
  const dtap = new Float64Array(channels);
  for (let o = 0; o < outputs; o++)
    for (let j = 0; j < kernel; j++) {
      const at = (c: number): number => (o * channels + c) * kernel + j;
      for (let c = 0; c < channels; c++) tap[c] = weight[at(c)]!;
      dtap.fill(0);
      for (let b = 0; b < batch; b++)
        for (let t = 0; t < length; t++) {
          const from = t - (kernel - 1) / 2 + j;
          if (from < 0 || from >= length) continue;
          const row = (b * length + from) * channels;
          const out = (b * length + t) * outputs + o;
          const g = dy[out]!;
          let sum = 0;
          for (let c = 0; c < channels; c++) {
            sum += tap[c]! * x[row + c]!;
            dx[row + c]! += tap[c]! * g;
            dtap[c]! += x[row + c]! * g;
          }
          y[out]! += sum;
        }
      for (let c = 0; c < channels; c++) dweight[at(c)] = dtap[c]!;
    }
  return { y, dx, dweight };
}

/** y = (x - mean) r weight + bias with r = 1 / sqrt(var + epsilon), and its gradients. */
export function normReference({ rows, channels: d }: NormShape, inputs: Tensors): Doubles {
  const [x, weight, bias, dy] = ['x', 'weight', 'bias', 'dy'].map((name) => tensor(inputs, name)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const out = {
    y: new Float64Array(rows * d),
    dx: new Float64Array(rows * d),
    dweight: new Float64Array(d),
    dbias: new Float64Array(d),
  };
  for (let i = 0; i < rows * d; i += d) {
    let mean = 0;
    let variance = 0;
    for (let c = 0; c < d; c++) mean += x[i + c]! / d;
    for (let c = 0; c < d; c++) variance += (x[i + c]! - mean) ** 2 / d;
    const r = 1 / Math.sqrt(variance + layerNormEpsilon);
    let meanG = 0;
    let meanGx = 0;
    for (let c = 0; c < d; c++) {
      const normal = (x[i + c]! - mean) * r;
      out.y[i + c] = normal * weight[c]! + bias[c]!;
      out.dweight[c]! += dy[i + c]! * normal;
      out.dbias[c]! += dy[i + c]!;
      meanG += (dy[i + c]! * weight[c]!) / d;
      meanGx += (dy[i + c]! * weight[c]! * normal) / d;
    }
    for (let c = 0; c < d; c++)
      out.dx[i + c] = r * (dy[i + c]! * weight[c]! - meanG - (x[i + c]! - mean) * r * meanGx);
  }
  return out;
}

/** The state after `steps` updates by the same gradient, without clipping. */
export function updateReference({ parameters }: UpdateShape, inputs: Tensors, steps: number): Doubles {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = adamw;
  const [p, m, v] = ['p', 'm', 'v'].map((name) => Float64Array.from(tensor(inputs, name))) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const g = tensor(inputs, 'g');
  for (let step = 1; step <= steps; step++)
    for (let i = 0; i < parameters; i++) {
      m[i] = beta1 * m[i]! + (1 - beta1) * g[i]!;
      v[i] = beta2 * v[i]! + (1 - beta2) * g[i]! * g[i]!;
      const root = Math.sqrt(v[i]! / (1 - beta2 ** step)) + epsilon;
      p[i] = p[i]! * (1 - learningRate * weightDecay) - (learningRate * m[i]!) / (1 - beta1 ** step) / root;
    }
  return { p, m, v };
}
