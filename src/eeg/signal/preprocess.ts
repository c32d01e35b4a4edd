/**
 * The trainer's preprocessing: float32 µV → FFT resampling to 256 Hz → Butterworth band-pass of order 3, 0.5 to 120 Hz →
 * notch at 60 Hz, Q 30 → z-score over the recording. Each filter makes one forward pass, float64 until the end.
 * The trainer knows no gaps; here each segment between gaps is resampled and filtered for itself, and the z-score is over
 * all of them.
 */
import { SAMPLE_RATE } from '../../base/production';
import { applyFilter, butterworthBandPass, notch, RunningFilter } from './filters';
import { Resampler } from './resample';

export { SAMPLE_RATE };

/** The trainer's filters: order 3 from 0.5 to 120 Hz, and 60 Hz with a Q of 30. Exported for its tests. */
export const BAND_PASS = butterworthBandPass(3, 0.5, 120, SAMPLE_RATE);
export const NOTCH = notch(60, 30, SAMPLE_RATE);

/** Keeps a flat channel finite, as the trainer does. */
const DEVIATION_FLOOR = 1e-8;

/** Mean and population deviation of `count` samples, by the order of operations of `zScore`. */
interface Moments {
  readonly mean: number;
  readonly deviation: number;
}

const deviationOf = (squares: number, count: number): number => Math.sqrt(squares / count) + DEVIATION_FLOOR;

const scaled = (value: number, { mean, deviation }: Moments): number => {
  const score = (value - mean) / deviation;
  return Number.isFinite(score) ? score : 0;
};

/**
 * Subtracts mean and divides by population deviation + 1e-8 over all parts; what is not finite becomes 0.
 * Exported for its tests.
 */
export function zScore(parts: readonly Float64Array[]): Float32Array {
  const count = parts.reduce((sum, part) => sum + part.length, 0);
  let mean = 0;
  for (const part of parts) for (const value of part) mean += value;
  mean /= count;
  let squares = 0;
  for (const part of parts) for (const value of part) squares += (value - mean) ** 2;
  const moments = { mean, deviation: deviationOf(squares, count) };
  const out = new Float32Array(count);
  let at = 0;
  for (const part of parts) for (const value of part) out[at++] = scaled(value, moments);
  return out;
}

/** Channels [samples] each, in µV, of the next stretch of a recording; `first`: whether a segment starts with it. */
export interface Stretch {
  readonly channels: readonly Float32Array[];
  readonly first: boolean;
}

/**
 * Preprocesses a recording that needs no resampling, in three passes over its stretches, each of which `read` starts
 * anew: mean, deviation, z-scores. Gives, for each stretch, the same bits as `Preprocessor`; memory does not grow with length.
 */
export async function* prepareByStretches(
  read: () => AsyncIterable<Stretch>,
  channels: number,
): AsyncGenerator<Float32Array[]> {
  const filtered = async function* (): AsyncGenerator<Float64Array[]> {
    let filters: (readonly [RunningFilter, RunningFilter])[] = [];
    for await (const stretch of read()) {
      if (stretch.first)
        filters = stretch.channels.map(() => [new RunningFilter(BAND_PASS), new RunningFilter(NOTCH)]);
      yield stretch.channels.map((channel, i) => {
        const signal = new Float64Array(channel);
        for (const filter of filters[i] ?? []) filter.apply(signal);
        return signal;
      });
    }
  };
  const sums = new Float64Array(channels);
  let count = 0;
  for await (const parts of filtered()) {
    for (const [i, part] of parts.entries()) {
      let sum = sums[i] ?? 0;
      for (const value of part) sum += value;
      sums[i] = sum;
    }
    count += parts[0]?.length ?? 0;
  }
  const means = sums.map((sum) => sum / count);
  const squares = new Float64Array(channels);
  for await (const parts of filtered())
    for (const [i, part] of parts.entries()) {
      const mean = means[i] ?? 0;
      let sum = squares[i] ?? 0;
      for (const value of part) sum += (value - mean) ** 2;
      squares[i] = sum;
    }
  const moments = Array.from(means, (mean, i) => ({ mean, deviation: deviationOf(squares[i] ?? 0, count) }));
  for await (const parts of filtered())
    yield parts.map((part, i) => {
      const out = new Float32Array(part.length);
      const channel = moments[i];
      if (channel) for (let k = 0; k < part.length; k++) out[k] = scaled(part[k] as number, channel);
      return out;
    });
}

/** The transforms of a recording's segments, made once for all its channels of one rate. */
export class Preprocessor {
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
