/** Windows of 60 s by 10 s, their labels, and the trainer's balanced choice among them. */
import { DataError } from '../errors';
import { STRIDE_SAMPLES, WINDOW_SAMPLES } from '../../base/production';
import { Random } from '../../base/random';
import type { RecordingInfo } from '../files/recording';
import { SAMPLE_RATE } from '../signal/preprocess';

/** Samples. */
export const WINDOW = WINDOW_SAMPLES;
export const STRIDE = STRIDE_SAMPLES;

export interface WindowRef {
  /** Index of the recording in its data set. */
  readonly recording: number;
  /** First sample in the prepared signal. */
  readonly start: number;
}

/** By how much of a window is labelled as seizure: nothing, 99 % or more, or something between. */
export type WindowKind = 'none' | 'partial' | 'full';

/** First samples of the windows that lie within one segment; what is left at a segment's end has no window, nor has a recording that the detector cannot take. */
export function windowStarts(
  { segments, unusable = null }: Pick<RecordingInfo, 'segments'> & Partial<Pick<RecordingInfo, 'unusable'>>,
  stride = STRIDE,
): number[] {
  if (unusable !== null) return [];
  return segments.flatMap(({ firstSample, samples }) => {
    const count = Math.max(0, Math.floor((samples - WINDOW) / stride) + 1);
    return Array.from({ length: count }, (_, i) => firstSample + i * stride);
  });
}

/** Why a recording has no window; undefined where it has one. */
export function withoutWindow({
  segments,
  unusable,
}: Pick<RecordingInfo, 'segments' | 'unusable'>): string | undefined {
  if (unusable !== null) return unusable;
  let longest = 0;
  for (const { samples } of segments) longest = Math.max(longest, samples);
  if (longest >= WINDOW) return undefined;
  return `${segments.length > 1 ? 'its longest stretch without a gap' : 'it'} has ${shownSeconds(longest)} s, and a window takes ${shownSeconds(WINDOW)} s`;
}

const shownSeconds = (samples: number): string => String(Number((samples / SAMPLE_RATE).toFixed(1)));

/** 1 where a seizure is labelled, else 0, for samples [from, from + out.length) of the prepared signal. */
export function fillLabels(
  { seizures }: Pick<RecordingInfo, 'seizures'>,
  from: number,
  out: Float32Array,
): void {
  out.fill(0);
  for (const span of seizures)
    if (span.to > from && span.from < from + out.length)
      out.fill(1, Math.max(0, span.from - from), span.to - from);
}

/** The kind of the window from sample `start` of the prepared signal. Exported for its tests. */
export function windowKind({ seizures }: Pick<RecordingInfo, 'seizures'>, start: number): WindowKind {
  let labelled = 0;
  for (const { from, to } of seizures)
    labelled += Math.max(0, Math.min(to, start + WINDOW) - Math.max(from, start));
  if (labelled === 0) return 'none';
  return labelled >= 0.99 * WINDOW ? 'full' : 'partial';
}

/** Windows for training and what their choice says about the classes. */
export interface WindowSet {
  readonly windows: readonly WindowRef[];
  readonly counts: Readonly<Record<WindowKind, number>>;
  /** √((1 − r) / r) with r the share of windows that hold a seizure; 1 if r ≥ 0.5 or r = 0. */
  readonly posWeight: number;
}

/**
 * The trainer's weight of seizure samples in the loss, √((1 − share) / share); 1 for a share of 0, or of a half and more.
 * Exported for its tests.
 */
export function posWeight(share: number): number {
  return share > 0 && share < 0.5 ? Math.sqrt((1 - share) / share) : 1;
}

/** Every window of the recordings of those indices, in order; recordings without annotations have none to learn from. */
export function allWindows(recordings: readonly RecordingInfo[], indices: readonly number[]): WindowSet {
  return windowSet(recordings, labelledWindows(recordings, indices));
}

/**
 * The trainer's balanced set: every partly-seizing window, 0.3 times as many fully-seizing and 2.5 times as many without,
 * as far as there are so many, chosen by `seed`. Throws DataError where no window is partly seizing.
 */
export function balancedWindows(
  recordings: readonly RecordingInfo[],
  indices: readonly number[],
  seed: number,
): WindowSet {
  const byKind: Record<WindowKind, WindowRef[]> = { none: [], partial: [], full: [] };
  for (const window of labelledWindows(recordings, indices)) byKind[kindOf(recordings, window)].push(window);
  const { none, partial, full } = byKind;
  if (partial.length === 0)
    throw new DataError(
      'these recordings',
      'annotations',
      `no window holds the start or end of a seizure, so there is nothing to balance on: ${whatLacks(recordings, indices)}; add recordings with labelled seizures or switch balanced sampling off`,
    );
  const random = new Random(seed, 'balanced windows');
  const some = (windows: readonly WindowRef[], ratio: number, name: string): WindowRef[] =>
    random
      .stream(name)
      .choose(Math.floor(ratio * partial.length), windows.length)
      .flatMap((i) => windows[i] ?? []);
  return windowSet(recordings, [...partial, ...some(full, 0.3, 'full'), ...some(none, 2.5, 'none')]);
}

/** What keeps recordings from being trained on, with numbers: `3 of 3 recordings are shorter than a 60 s window`. */
export function whatLacks(recordings: readonly RecordingInfo[], indices: readonly number[]): string {
  const infos = indices.flatMap((i) => recordings[i] ?? []);
  const total = infos.length;
  if (total === 0) return 'there are no recordings to train on';
  const count = (name: string, of: readonly RecordingInfo[]): string[] =>
    of.length === 0 ? [] : [`${of.length} of ${total} recordings ${name}`];
  const usable = infos.filter(({ unusable }) => unusable === null);
  const long = usable.filter((info) => withoutWindow(info) === undefined);
  const labelled = long.filter((info) => info.labelled);
  return [
    ...count(
      'lack electrodes that the detector needs',
      infos.filter(({ unusable }) => unusable !== null),
    ),
    ...count(
      `are shorter than a ${WINDOW / SAMPLE_RATE} s window`,
      usable.filter((info) => !long.includes(info)),
    ),
    ...count(
      'have no annotations',
      long.filter((info) => !info.labelled),
    ),
    ...count(
      'have annotations without a seizure',
      labelled.filter(({ seizures }) => seizures.length === 0),
    ),
    ...count(
      'have seizures',
      labelled.filter(({ seizures }) => seizures.length > 0),
    ),
  ].join(', ');
}

function labelledWindows(recordings: readonly RecordingInfo[], indices: readonly number[]): WindowRef[] {
  return indices.flatMap((recording) => {
    const info = recordings[recording];
    return info?.labelled ? windowStarts(info).map((start) => ({ recording, start })) : [];
  });
}

function kindOf(recordings: readonly RecordingInfo[], { recording, start }: WindowRef): WindowKind {
  const info = recordings[recording];
  if (!info) throw new RangeError(`there is no recording ${recording}`);
  return windowKind(info, start);
}

function windowSet(recordings: readonly RecordingInfo[], windows: readonly WindowRef[]): WindowSet {
  const counts = { none: 0, partial: 0, full: 0 };
  for (const window of windows) counts[kindOf(recordings, window)]++;
  return {
    windows,
    counts,
    posWeight: posWeight((counts.partial + counts.full) / Math.max(1, windows.length)),
  };
}
