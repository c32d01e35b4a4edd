/**
 * Overlapping windows' probabilities put together to one recording: the mean of all windows that cover a sample
 * (overlap-add), added in float32 as the trainer does. Samples that no window covers are 0.
 *
 * Five bytes a sample: 111 MB for 24 hours at 256 Hz, however many windows come.
 */
export class Stitcher {
  readonly #sum: Float32Array<ArrayBuffer>;
  readonly #windows: Uint8Array;
  #done = false;

  /** `samples`: the recording's length. */
  constructor(samples: number) {
    if (!Number.isSafeInteger(samples) || samples < 0)
      throw new RangeError(`a recording has a whole number of samples; it is ${samples}`);
    this.#sum = new Float32Array(samples);
    this.#windows = new Uint8Array(samples);
  }

  /** Adds a window whose first probability belongs to sample `start`. What lies behind the recording's end is padding. */
  add(start: number, probabilities: Float32Array): void {
    if (this.#done) throw new Error('the recording is stitched already');
    if (!Number.isSafeInteger(start) || start < 0)
      throw new RangeError(`a window starts at a sample from 0; it is ${start}`);
    const sum = this.#sum;
    const windows = this.#windows;
    const count = Math.min(probabilities.length, sum.length - start);
    for (let i = 0; i < count; i++) {
      const probability = probabilities[i] as number;
      // A NaN is not within any bounds.
      if (!(probability >= 0 && probability <= 1))
        throw new RangeError(
          `the window at sample ${start} has the probability ${probability} at its sample ${i}; probabilities are 0 to 1`,
        );
      if (windows[start + i] === 255)
        throw new RangeError(`more than 255 windows cover sample ${start + i}: the stride is too short`);
      (sum[start + i] as number) += probability;
      (windows[start + i] as number)++;
    }
  }

  /** The recording's probabilities, [samples]. Ends the stitching. */
  finish(): Float32Array<ArrayBuffer> {
    this.#done = true;
    const sum = this.#sum;
    for (let i = 0; i < sum.length; i++) {
      const windows = this.#windows[i] as number;
      if (windows > 1) sum[i] = Math.min(1, (sum[i] as number) / windows);
    }
    return sum;
  }
}
