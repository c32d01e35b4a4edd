/**
 * The trainer's signal path: float32 µV → FFT resampling to 256 Hz → Butterworth band-pass of order 3, 0.5 to 120 Hz →
 * notch at 60 Hz, Q 30 → z-score over the recording. Each filter makes one forward pass, float64 until the end.
 * The trainer knows no gaps; here each segment between gaps is resampled and filtered for itself, and the z-score is over
 * all of them.
 */
import { applyFilter, butterworthBandPass, notch } from './filters';
import { Resampler } from './resample';

/** Hz, of everything that the model sees. */
export const SAMPLE_RATE = 256;

export const BAND_PASS = butterworthBandPass(3, 0.5, 120, SAMPLE_RATE);
export const NOTCH = notch(60, 30, SAMPLE_RATE);

/** Keeps a flat channel finite, as the trainer does. */
const DEVIATION_FLOOR = 1e-8;

/** Subtracts mean and divides by population deviation + 1e-8 over all parts; what is not finite becomes 0. */
export function zScore(parts: readonly Float64Array[]): Float32Array {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  let mean = 0;
  for (const part of parts) for (const value of part) mean += value;
  mean /= count;
  let variance = 0;
  for (const part of parts) for (const value of part) variance += (value - mean) ** 2;
  const deviation = Math.sqrt(variance / count) + DEVIATION_FLOOR;
  const out = new Float32Array(count);
  let at = 0;
  for (const part of parts)
    for (const value of part) {
      const scaled = (value - mean) / deviation;
      out[at++] = Number.isFinite(scaled) ? scaled : 0;
    }
  return out;
}

/** The transforms of a recording's segments, made once for all its channels of one rate. */
export class SignalPath {
  readonly #resamplers: readonly Resampler[];

  /** `lengths` and `resampled`: samples of each segment as recorded and at SAMPLE_RATE. */
  constructor(lengths: readonly number[], resampled: readonly number[]) {
    const made = new Map<string, Resampler>();
    this.#resamplers = lengths.map((from, i) => {
      const to = resampled[i] ?? 0;
      const resampler = made.get(`${from} ${to}`) ?? new Resampler(from, to);
      made.set(`${from} ${to}`, resampler);
      return resampler;
    });
  }

  /** Two channels at once, because one transform carries two; per channel its segments in µV → z-scores, joined. */
  prepare(a: readonly Float32Array[], b: readonly Float32Array[]): [Float32Array, Float32Array] {
    const filtered: [Float64Array[], Float64Array[]] = [[], []];
    for (const [i, resampler] of this.#resamplers.entries()) {
      const pair = resampler.resample(Float64Array.from(a[i] ?? []), Float64Array.from(b[i] ?? []));
      for (const [channel, signal] of pair.entries()) {
        applyFilter(BAND_PASS, signal);
        applyFilter(NOTCH, signal);
        filtered[channel]?.push(signal);
      }
    }
    return [zScore(filtered[0]), zScore(filtered[1])];
  }
}
