/**
 * Overlapping windows' probabilities put together to one recording: the mean of all windows that cover a sample
 * (overlap-add), added in float32 as the trainer does. Samples that no window covers are 0.
 *
 * Windows come in the order of their starts, so what lies before the newest start is final and is given on at once: only
 * one window's length is held, whatever the recording's length.
 */
export class Stitcher {
  #sum = new Float32Array(0);
  #windows = new Uint8Array(0);
  /** The recording's sample that `#sum[0]` belongs to. */
  #at = 0;
  #done = false;

  /** `samples`: the recording's length. `emit` is given the stitched probabilities piece by piece, in order, without gaps. */
  constructor(
    private readonly samples: number,
    private readonly emit: (probabilities: Float32Array<ArrayBuffer>) => void,
  ) {
    if (!Number.isSafeInteger(samples) || samples < 0)
      throw new RangeError(`a recording has a whole number of samples; it is ${samples}`);
  }

  /** Adds a window whose first probability belongs to sample `start`. What lies behind the recording's end is padding. */
  add(start: number, probabilities: Float32Array): void {
    if (this.#done) throw new Error('the recording is stitched already');
    if (!Number.isSafeInteger(start) || start < 0)
      throw new RangeError(`a window starts at a sample from 0; it is ${start}`);
    if (start < this.#at)
      throw new RangeError(`the window at sample ${start} comes after one at sample ${this.#at}`);
    const count = Math.min(probabilities.length, this.samples - start);
    for (let i = 0; i < count; i++) {
      const probability = probabilities[i] as number;
      // A NaN is not within any bounds.
      if (!(probability >= 0 && probability <= 1))
        throw new RangeError(
          `the window at sample ${start} has the probability ${probability} at its sample ${i}; probabilities are 0 to 1`,
        );
    }
    this.#advance(start, count);
    const [sum, windows] = [this.#sum, this.#windows];
    for (let i = 0; i < count; i++) {
      if (windows[i] === 255)
        throw new RangeError(`more than 255 windows cover sample ${start + i}: the stride is too short`);
      (sum[i] as number) += probabilities[i] as number;
      (windows[i] as number)++;
    }
  }

  /** Gives on what is left of the recording. Ends the stitching. */
  finish(): void {
    this.#done = true;
    this.#advance(this.samples, 0);
  }

  /** Gives on everything before sample `start`, and makes room for `count` samples from there. */
  #advance(start: number, count: number): void {
    const held = this.#sum.length;
    const final = Math.min(held, start - this.#at);
    if (final > 0) this.#give(final);
    // Between two windows that do not overlap.
    for (let left = start - this.#at - final; left > 0;) {
      const piece = Math.min(left, Math.max(1, held));
      this.emit(new Float32Array(piece));
      left -= piece;
    }
    const [sum, windows] = [this.#sum.subarray(final), this.#windows.subarray(final)];
    const length = Math.max(count, sum.length);
    this.#sum = new Float32Array(length);
    this.#sum.set(sum);
    this.#windows = new Uint8Array(length);
    this.#windows.set(windows);
    this.#at = start;
  }

  #give(count: number): void {
    const mean = this.#sum.slice(0, count);
    for (let i = 0; i < count; i++) {
      const windows = this.#windows[i] as number;
      if (windows > 1) mean[i] = Math.min(1, (mean[i] as number) / windows);
    }
    this.emit(mean);
  }
}

/** A recording's probabilities as one array, [samples]: `fill` adds its windows. */
export async function stitched(
  samples: number,
  fill: (stitcher: Stitcher) => Promise<void> | void,
): Promise<Float32Array<ArrayBuffer>> {
  const whole = new Float32Array(samples);
  let at = 0;
  const stitcher = new Stitcher(samples, (piece) => {
    whole.set(piece, at);
    at += piece.length;
  });
  await fill(stitcher);
  stitcher.finish();
  return whole;
}
