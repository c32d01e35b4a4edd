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
 * One value for each 1/`rate` s of the recording: the highest of the prepared signal's `values` that begin in it, so
 * that nothing short gets lost. NaN in gaps. `duration`: seconds, gaps included.
 */
export function highestInRecordedTime(
  values: Float32Array,
  segments: readonly PreparedSegment[],
  duration: number,
  rate: number,
): Float32Array {
  const out = new Float32Array(Math.ceil(duration * rate)).fill(NaN);
  for (const { start, firstSample, samples } of segments)
    for (let i = 0; i < samples; i++) {
      const at = Math.floor((start + i / SAMPLE_RATE) * rate);
      const value = values[firstSample + i];
      // Resampling may have rounded a segment up beyond its end.
      if (value !== undefined && at < out.length && !((out[at] as number) >= value)) out[at] = value;
    }
  return out;
}
