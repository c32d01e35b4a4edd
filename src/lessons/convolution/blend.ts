/** Between frozen and selective: Δ, B and C pulled towards their means over tokens, and the convolution that fits the frozen end. */
import type { ScanValues } from '../course/scan_values';

/** How far each of the three follows from the token: 0 is its mean over all tokens, 1 as the model has it. */
export interface Selection {
  readonly delta: number;
  readonly B: number;
  readonly C: number;
}

export const blendBy = (share: number): Selection => ({ delta: share, B: share, C: share });

/** Means over sequences and tokens of each of `width` columns. */
export function meansOf(values: ArrayLike<number>, width: number): Float64Array {
  const means = new Float64Array(width);
  for (let i = 0; i < values.length; i++)
    means[i % width] = (means[i % width] as number) + (values[i] as number);
  return means.map((sum) => (sum * width) / values.length);
}

/** mean + share · (value − mean), column by column. */
function towardsMean(values: Float32Array, width: number, share: number): Float32Array {
  const means = meansOf(values, width);
  return values.map(
    (value, i) => (means[i % width] as number) + share * (value - (means[i % width] as number)),
  );
}

export const blend = (values: ScanValues, { delta, B, C }: Selection): ScanValues => ({
  ...values,
  delta: towardsMean(values.delta, values.channels, delta),
  B: towardsMean(values.B, values.states, B),
  C: towardsMean(values.C, values.states, C),
});

/** k[τ, d] = Σ_n C̄_n exp(Δ̄_d A_dn τ) Δ̄_d B̄_n: the kernel of the frozen scan. */
export function frozenKernel({ length, channels, states, delta, A, B, C }: ScanValues): Float64Array {
  const [step, b, c] = [meansOf(delta, channels), meansOf(B, states), meansOf(C, states)];
  const kernel = new Float64Array(length * channels);
  for (let lag = 0; lag < length; lag++)
    for (let d = 0; d < channels; d++) {
      let sum = 0;
      for (let n = 0; n < states; n++)
        sum +=
          (c[n] as number) *
          (b[n] as number) *
          Math.exp((step[d] as number) * (A[d * states + n] as number) * lag);
      kernel[lag * channels + d] = sum * (step[d] as number);
    }
  return kernel;
}

/** The best single kernel for one matrix each sequence and channel: the mean of each diagonal over all sequences. */
export function averagedKernel(values: ScanValues): Float64Array {
  const { batch, length, channels } = values;
  const kernel = new Float64Array(length * channels);
  for (let b = 0; b < batch; b++)
    for (let d = 0; d < channels; d++) {
      const matrix = matrixOf(values, b, d);
      for (let i = 0; i < length; i++)
        for (let j = 0; j <= i; j++) {
          const at = (i - j) * channels + d;
          kernel[at] =
            (kernel[at] as number) + (matrix[i * length + j] as number) / (batch * (length - i + j));
        }
    }
  return kernel;
}

/** M[i, j] = Σ_n C_i,n exp(A_n Σ_{j<t≤i} Δ_t) Δ_j B_j,n: what token i hears of token j in sequence b, channel d. */
export function matrixOf(values: ScanValues, b: number, d: number): Float64Array {
  const { length, channels, states, delta, A, B, C } = values;
  const matrix = new Float64Array(length * length);
  for (let j = 0; j < length; j++) {
    let elapsed = 0;
    for (let i = j; i < length; i++) {
      if (i > j) elapsed += delta[(b * length + i) * channels + d] as number;
      let sum = 0;
      for (let n = 0; n < states; n++)
        sum +=
          (C[(b * length + i) * states + n] as number) *
          (B[(b * length + j) * states + n] as number) *
          Math.exp((A[d * states + n] as number) * elapsed);
      matrix[i * length + j] = sum * (delta[(b * length + j) * channels + d] as number);
    }
  }
  return matrix;
}

/** y[b, i, d] = Σ_j k[i − j, d] u[b, j, d]. */
export function convolve({ batch, length, channels, u }: ScanValues, kernel: Float64Array): Float64Array {
  const y = new Float64Array(batch * length * channels);
  for (let b = 0; b < batch; b++)
    for (let i = 0; i < length; i++)
      for (let j = 0; j <= i; j++)
        for (let d = 0; d < channels; d++) {
          const at = (b * length + i) * channels + d;
          y[at] =
            (y[at] as number) +
            (kernel[(i - j) * channels + d] as number) * (u[(b * length + j) * channels + d] as number);
        }
  return y;
}

/** ‖got − want‖ / ‖want‖ over all values. */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  let [apart, size] = [0, 0];
  for (let i = 0; i < want.length; i++) {
    apart += ((got[i] as number) - (want[i] as number)) ** 2;
    size += (want[i] as number) ** 2;
  }
  return Math.sqrt(apart / size);
}
