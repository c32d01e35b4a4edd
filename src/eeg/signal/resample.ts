/** Resampling in the frequency domain, as `scipy.signal.resample` does it without a window. */
import { Fft } from './fft';

/** Python's `round`, which the trainer uses for the new length: halves go to the even neighbour. */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** How many samples `count` samples at `rate` Hz become at `target` Hz. */
export const resampledLength = (count: number, rate: number, target: number): number =>
  rate === target ? count : roundHalfEven((count * target) / rate);

/** Transforms for one pair of lengths; to be kept for the channels of a recording. */
export class Resampler {
  readonly #forward: Fft | null;
  readonly #backward: Fft | null;

  constructor(
    readonly from: number,
    readonly to: number,
  ) {
    const same = from === to;
    this.#forward = same || to === 0 ? null : new Fft(from);
    this.#backward = same || to === 0 ? null : new Fft(to);
  }

  /**
   * Two real signals [from] → [to] in one complex transform, as real and imaginary part; the operation is linear and keeps
   * conjugate symmetry, so they do not mix. Spectrum cut or filled with zeros; with an even shorter length the unpaired
   * frequency is split or joined as scipy does; scaled by to / from. The inputs may be overwritten.
   */
  resample(a: Float64Array, b: Float64Array): [Float64Array, Float64Array] {
    const { from, to } = this;
    if (!this.#forward || !this.#backward)
      return to === from ? [a, b] : [new Float64Array(0), new Float64Array(0)];
    this.#forward.forward(a, b);
    const re = new Float64Array(to);
    const im = new Float64Array(to);
    const shorter = Math.min(from, to);
    const positive = Math.floor(shorter / 2) + 1;
    const negative = shorter - positive;
    for (const [source, target] of [
      [a, re],
      [b, im],
    ] as const) {
      target.set(source.subarray(0, positive));
      if (negative > 0) target.set(source.subarray(from - negative), to - negative);
      if (shorter % 2 === 0) {
        const middle = shorter / 2;
        if (to < from) target[middle] = (target[middle] ?? 0) + (source[from - middle] ?? 0);
        else {
          target[middle] = 0.5 * (target[middle] ?? 0);
          target[to - middle] = target[middle] ?? 0;
        }
      }
    }
    this.#backward.backward(re, im);
    for (let i = 0; i < to; i++) {
      re[i] = (re[i] ?? 0) / from;
      im[i] = (im[i] ?? 0) / from;
    }
    return [re, im];
  }
}
