/** Simulated system RAM as pictures: of a run, of a validation, the probability of an OOM kill, and recordings. */
import { several } from '../../../base/text';
import { exactly } from '../../../base/quantity';
import type { RecordingInfo } from '../../../eeg/files/recording';
import { windowStarts } from '../../../eeg/windows/windows';
import { CACHED_WINDOW_BYTES } from '../../../estimate/ram_facts';
import type { OomOdds } from '../../../estimate/oom_odds';
import type { RamRun } from '../../../estimate/ram_simulator';
import type { RamFrame, RamRecord, Victim } from '../../../estimate/ram_watch';
import { lengthsOf, WindowFiles, type RecordingLengths } from '../../../estimate/loader_files';
import { bytes, count, duration, percent } from '../../ui/format';
import { RAM_ORDER, RAM_PARTS, type RamPart } from './parts';
import type { Caption } from './stack';

export interface RamPicture {
  readonly frames: readonly RamFrame[];
  /** Seconds of each frame, or where else it stands. */
  readonly xs: Float64Array;
  readonly layers: readonly {
    readonly label: string;
    readonly fill: string;
    readonly values: Float64Array;
  }[];
  /** Highest bytes. */
  readonly peak: number;
  readonly seconds: number;
}

export function ramPicture(
  { frames }: Pick<RamRun, 'frames'>,
  xOf: (frame: RamFrame, at: number) => number = ({ seconds }) => seconds,
): RamPicture {
  return {
    frames,
    xs: Float64Array.from(frames, xOf),
    layers: RAM_ORDER.map((part) => ({
      label: RAM_PARTS[part].label,
      fill: RAM_PARTS[part].fill,
      values: Float64Array.from(frames, (frame) => frame[part]),
    })),
    peak: Math.max(0, ...frames.map(({ total }) => total)),
    seconds: frames.at(-1)?.seconds ?? 0,
  };
}

/** The edge of pictures that are compared with each other and with a limit. */
export const edgeOf = (limit: number, ...pictures: readonly (RamPicture | undefined)[]): number =>
  1.08 * Math.max(limit, ...pictures.map((picture) => picture?.peak ?? 0));

export interface PartBytes {
  readonly part: RamPart;
  readonly bytes: number;
}

/** From above. */
export const partsAt = (frame: RamFrame): PartBytes[] =>
  RAM_ORDER.map((part) => ({ part, bytes: frame[part] })).reverse();

/** The first frame above a limit; undefined where none is. */
export const crossing = ({ frames }: RamPicture, limit: number): RamFrame | undefined =>
  frames.find(({ total }) => total > limit);

/** Index of the last frame at or before a moment. */
export function frameAt({ xs }: RamPicture, seconds: number): number {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((xs[middle] ?? 0) <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const highest = ({ frames }: RamPicture): number =>
  frames.reduce((best, { total }, at) => (total > (frames[best]?.total ?? 0) ? at : best), 0);

export function describeFrame(frame: RamFrame | undefined): string {
  if (!frame) return '';
  return `${bytes(frame.total)} after ${several(frame.batch, 'batch')} (${duration(frame.seconds)})`;
}

const victimName = (victim: Victim): string =>
  victim.process === 'main' ? 'the main process' : `worker ${victim.worker}`;

export const describeKill = ({ batch, victim, victimBytes, seconds }: RamRecord): string =>
  `Out of memory after ${several(batch, 'batch')} (${duration(seconds)}): Linux kills ${victimName(victim)}, the largest process with ${bytes(victimBytes)}.`;

/** Captions under an axis that ends at `max`. */
const quarters = (max: number, say: (value: number) => string): Caption[] =>
  [0, 0.25, 0.5, 0.75].map((share) => ({ at: share * max, label: say(share * max) }));

export const timeCaptions = (seconds: number): Caption[] => quarters(seconds, duration);

/** Index of the first frame in which a validation's scores are computed, after its last batch. */
const scoring = (frames: readonly RamFrame[]): number => {
  const last = frames.at(-1)?.batch;
  return Math.max(
    0,
    frames.findIndex(({ batch }) => batch === last),
  );
};

/** A validation's frames: all of the scores' computation, and of the reading before it `count`, each the highest of its bin. */
export function withScores(frames: readonly RamFrame[], count: number): RamFrame[] {
  const first = scoring(frames);
  const bins = Math.min(count, first);
  const edge = (bin: number): number => Math.floor((bin * first) / bins);
  const reading = Array.from({ length: bins }, (_, bin) =>
    frames.slice(edge(bin), edge(bin + 1)).reduce((high, frame) => (frame.total > high.total ? frame : high)),
  );
  return [...reading, ...frames.slice(first)];
}

/** Of the width of a validation's picture, what its reading has; the scores take seconds and would not be seen. */
const READING_SHARE = 0.75;

/** A validation, in shares of the picture's width: reading by batch, then the scores step by step. */
export function validationPicture(run: Pick<RamRun, 'frames'>): RamPicture {
  const { frames } = run;
  const first = scoring(frames);
  const batches = Math.max(1, frames.at(-1)?.batch ?? 1);
  const steps = Math.max(1, frames.length - first);
  return ramPicture(run, ({ batch }, at) =>
    at < first
      ? (READING_SHARE * batch) / batches
      : READING_SHARE + ((1 - READING_SHARE) * (at - first + 1)) / steps,
  );
}

export const validationCaptions = (picture: RamPicture): Caption[] => [
  { at: 0, label: `reading, ${duration(picture.seconds)}` },
  { at: READING_SHARE, label: 'scores' },
];

/** The probability of an OOM kill over the batches, with its 95 % interval as a band. */
export interface Curve {
  readonly xs: Float64Array;
  readonly likely: Float64Array;
  readonly layers: RamPicture['layers'];
  /** Of all that is simulated. */
  readonly batches: number;
  readonly captions: readonly Caption[];
}

export function curveOf({ curve }: OomOdds): Curve {
  const batches = Math.max(1, curve.at(-1)?.batch ?? 1);
  return {
    xs: Float64Array.from(curve, ({ batch }) => batch),
    likely: Float64Array.from(curve, ({ likely }) => likely),
    layers: [
      { label: 'below', fill: 'transparent', values: Float64Array.from(curve, ({ low }) => low) },
      {
        label: '95 % interval',
        fill: 'var(--accent-soft)',
        values: Float64Array.from(curve, ({ low, high }) => high - low),
      },
    ],
    batches,
    captions: quarters(batches, (batch) => several(batch, 'batch')),
  };
}

/** How the simulated runs of training end. */
export const outcomeOf = ({ killed, victims }: OomOdds) => [
  {
    name: 'OOM-killed',
    value: percent(killed.likely),
    note: `${percent(killed.low)} – ${percent(killed.high)} (95 %)`,
    testid: 'kill-odds',
  },
  { name: 'Killed process: worker', value: count(victims.worker) },
  { name: 'Killed process: main', value: count(victims.main) },
];

export function describeOdds({ curve, runs }: OomOdds, at: number): string {
  const point = curve[at];
  if (!point) return '';
  const { batch, low, likely, high } = point;
  return `OOM-killed within ${several(batch, 'batch')}: ${percent(likely)} of ${several(runs, 'run')} (95 % interval ${percent(low)} to ${percent(high)}).`;
}

export const givenLengths = (recordings: readonly Pick<RecordingInfo, 'segments'>[]): RecordingLengths => ({
  kind: 'given',
  windows: recordings.map((recording) => windowStarts(recording).length),
});

/** A log-normal distribution as typed. */
export const typedLengths = (
  typed: Readonly<Record<'mean' | 'spread' | 'longest', number>>,
): RecordingLengths => ({
  ...typed,
  kind: 'lognormal',
  spread: exactly(typed.spread, 'assumed', 'as typed here'),
});

export interface LengthsView {
  /** Windows of a recording. */
  readonly mean: number;
  /** Windows of the recording of a random window. */
  readonly met: number;
  readonly longest: number;
  /** Bytes that are decompressed for one window, on average and at most. */
  readonly metBytes: number;
  readonly longestBytes: number;
  /** Share of the recordings by length, as percent of the fullest bin. */
  readonly bins: readonly { readonly percent: number; readonly count: number }[];
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
  const max = Math.max(1, ...counts);
  return {
    mean: files.mean,
    met: files.meanMet,
    longest: files.longest,
    metBytes: files.meanMet * CACHED_WINDOW_BYTES,
    longestBytes: files.longest * CACHED_WINDOW_BYTES,
    bins: counts.map((count) => ({ percent: (100 * count) / max, count })),
  };
}
