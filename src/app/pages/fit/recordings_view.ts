/** Lengths of recordings: an assumed distribution, or those of recordings that are open. */
import { lengthsOf, WindowFiles, type RecordingLengths } from '../../../estimate/loader_files';
import { CACHED_WINDOW_BYTES } from '../../../estimate/host_facts';
import { exactly } from '../../../base/quantity';
import type { RecordingInfo } from '../../../eeg/files/recording';
import { windowStarts } from '../../../eeg/windows/windows';

export const givenLengths = (recordings: readonly Pick<RecordingInfo, 'segments'>[]): RecordingLengths => ({
  kind: 'given',
  windows: recordings.map((recording) => windowStarts(recording).length),
});

/** A log-normal distribution as typed. */
export const typedLengths = (mean: number, spread: number, longest: number): RecordingLengths => ({
  kind: 'lognormal',
  mean,
  spread: exactly(spread, 'assumed', 'as typed here'),
  longest,
});

export interface LengthsView {
  /** Windows of a recording. */
  readonly mean: number;
  /** Windows of the recording of a random window. */
  readonly met: number;
  readonly longest: number;
  /** Bytes that are inflated for one window, on average and at most. */
  readonly metBytes: number;
  readonly longestBytes: number;
  /** Share of the recordings by length, as percent of the fullest bin. */
  readonly bins: readonly { readonly upTo: number; readonly percent: number; readonly count: number }[];
}

const BINS = 24;

/** Throws RangeError where there is no such distribution. */
export function lengthsView(lengths: RecordingLengths): LengthsView {
  const files = new WindowFiles(lengths);
  const windows = lengthsOf(lengths);
  const width = files.longest / BINS;
  const counts = new Array<number>(BINS).fill(0);
  for (const length of windows) {
    const bin = Math.min(BINS - 1, Math.floor(length / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const most = Math.max(1, ...counts);
  return {
    mean: files.mean,
    met: files.meanMet,
    longest: files.longest,
    metBytes: files.meanMet * CACHED_WINDOW_BYTES,
    longestBytes: files.longest * CACHED_WINDOW_BYTES,
    bins: counts.map((count, i) => ({
      upTo: Math.round((i + 1) * width),
      percent: (100 * count) / most,
      count,
    })),
  };
}
