/**
 * From the prepared signal back to the recording. The prepared signal is a recording's segments one after the other, so
 * behind a gap its seconds are no longer those of the recording, of its annotations and of what a reader sees.
 */
import type { PreparedSegment } from './recording';
import { SAMPLE_RATE } from '../signal/preprocess';

/**
 * Events in seconds of the prepared signal → in seconds of the recording. One that reaches over a gap becomes one on
 * each side of it: of the gap nothing is known.
 */
export function inRecordedTime<Event extends { readonly start: number; readonly end: number }>(
  events: readonly Event[],
  segments: readonly PreparedSegment[],
): Event[] {
  return events.flatMap((event) =>
    segments.flatMap(({ start, firstSample, samples }) => {
      const first = firstSample / SAMPLE_RATE;
      const from = Math.max(event.start, first);
      const to = Math.min(event.end, first + samples / SAMPLE_RATE);
      return from < to ? [{ ...event, start: start + from - first, end: start + to - first }] : [];
    }),
  );
}

/**
 * One value for each 1/`rate` s of the recording: the highest of the prepared signal's values that start in it, so that
 * nothing short gets lost. NaN in gaps.
 */
export class HighestInRecordedTime {
  readonly values: Float32Array;
  /** Of the next value. */
  #segment = 0;
  #sample = 0;

  /** `duration`: seconds, gaps included. */
  constructor(
    private readonly segments: readonly PreparedSegment[],
    duration: number,
    private readonly rate: number,
  ) {
    this.values = new Float32Array(Math.ceil(duration * rate)).fill(NaN);
  }

  /** Takes the next values of the prepared signal. */
  push(values: Float32Array): void {
    const out = this.values;
    for (const value of values) {
      let segment = this.segments[this.#segment];
      while (segment && this.#sample >= segment.firstSample + segment.samples)
        segment = this.segments[++this.#segment];
      if (!segment) return;
      const second = segment.start + (this.#sample - segment.firstSample) / SAMPLE_RATE;
      const at = Math.floor(second * this.rate);
      // Resampling may have rounded a segment up beyond its end.
      if (at < out.length && !((out[at] as number) >= value)) out[at] = value;
      this.#sample++;
    }
  }
}

/** The same of a whole recording's values. */
export function highestInRecordedTime(
  values: Float32Array,
  segments: readonly PreparedSegment[],
  duration: number,
  rate: number,
): Float32Array {
  const highest = new HighestInRecordedTime(segments, duration, rate);
  highest.push(values);
  return highest.values;
}
