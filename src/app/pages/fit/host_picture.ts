/** A simulated run of the host's memory as a picture. */
import type { HostFrame, HostRecord, Victim } from '../../../estimate/host_watch';
import type { HostRun } from '../../../estimate/host_ram';
import { bytes, count, duration } from '../../ui/format';
import { HOST_ORDER, HOST_PARTS, type HostPart } from './parts';

export interface HostPicture {
  readonly frames: readonly HostFrame[];
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

export function hostPicture(
  { frames }: Pick<HostRun, 'frames'>,
  xOf: (frame: HostFrame, at: number) => number = ({ seconds }) => seconds,
): HostPicture {
  return {
    frames,
    xs: Float64Array.from(frames, xOf),
    layers: HOST_ORDER.map((part) => ({
      label: HOST_PARTS[part].label,
      fill: HOST_PARTS[part].fill,
      values: Float64Array.from(frames, (frame) => frame[part]),
    })),
    peak: Math.max(0, ...frames.map(({ total }) => total)),
    seconds: frames.at(-1)?.seconds ?? 0,
  };
}

/** The edge of pictures that are compared with each other and with a limit. */
export const edgeOf = (limit: number, ...pictures: readonly HostPicture[]): number =>
  1.08 * Math.max(limit, ...pictures.map(({ peak }) => peak));

export interface PartBytes {
  readonly part: HostPart;
  readonly bytes: number;
}

/** From above. */
export const partsAt = (frame: HostFrame): PartBytes[] =>
  HOST_ORDER.map((part) => ({ part, bytes: frame[part] })).reverse();

/** The first frame above a limit; undefined where none is. */
export const crossing = ({ frames }: HostPicture, limit: number): HostFrame | undefined =>
  frames.find(({ total }) => total > limit);

/** Index of the last frame at or before a moment. */
export function frameAt({ xs }: HostPicture, seconds: number): number {
  let [low, high] = [0, xs.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((xs[middle] ?? 0) <= seconds) low = middle;
    else high = middle - 1;
  }
  return low;
}

export const highest = ({ frames }: HostPicture): number =>
  frames.reduce((best, { total }, at) => (total > (frames[best]?.total ?? 0) ? at : best), 0);

export function describeFrame(frame: HostFrame | undefined): string {
  if (!frame) return '';
  return `${bytes(frame.total)} after ${count(frame.batch)} batches, ${duration(frame.seconds)}`;
}

export const victimName = (victim: Victim): string =>
  victim.process === 'main' ? 'the main process' : `worker ${victim.worker}`;

export const describeKill = ({ batch, victim, victimBytes, seconds }: HostRecord): string =>
  `After ${count(batch)} batches (${duration(seconds)}) memory is full: Linux kills ${victimName(victim)}, the largest with ${bytes(victimBytes)}.`;

/** Captions under the axis: three moments with their time. */
export const timeCaptions = (seconds: number): { readonly at: number; readonly label: string }[] =>
  [0, 0.25, 0.5, 0.75].map((share) => ({ at: share * seconds, label: duration(share * seconds) }));

/** Index of the first frame in which a validation's scores are computed, after its last batch. */
const scoring = (frames: readonly HostFrame[]): number => {
  const last = frames.at(-1)?.batch;
  return Math.max(
    0,
    frames.findIndex(({ batch }) => batch === last),
  );
};

/** A validation's frames: all of the scores' computation, and of the reading before it `count`, each the highest of its bin. */
export function withScores(frames: readonly HostFrame[], count: number): HostFrame[] {
  const first = scoring(frames);
  const bins = Math.min(count, first);
  const edge = (bin: number): number => Math.floor((bin * first) / bins);
  const reading = Array.from({ length: bins }, (_, bin) =>
    frames.slice(edge(bin), edge(bin + 1)).reduce((high, frame) => (frame.total > high.total ? frame : high)),
  );
  return [...reading, ...frames.slice(first)];
}

/** Of the width of a validation's picture, what its reading has; the scores take seconds and would not be seen. */
export const READING_SHARE = 0.75;

/** A validation, in shares of the picture's width: reading by batch, then the scores step by step. */
export function validationPicture(run: Pick<HostRun, 'frames'>): HostPicture {
  const { frames } = run;
  const first = scoring(frames);
  const batches = Math.max(1, frames.at(-1)?.batch ?? 1);
  const steps = Math.max(1, frames.length - first);
  return hostPicture(run, ({ batch }, at) =>
    at < first
      ? (READING_SHARE * batch) / batches
      : READING_SHARE + ((1 - READING_SHARE) * (at - first + 1)) / steps,
  );
}

export const validationCaptions = (
  picture: HostPicture,
): { readonly at: number; readonly label: string }[] => [
  { at: 0, label: `reading, ${duration(picture.seconds)}` },
  { at: READING_SHARE, label: 'scores' },
];
