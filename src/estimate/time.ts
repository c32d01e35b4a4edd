/** How long a run takes: steps, hours of an epoch, epochs until it stops. */
import { several } from '../base/text';
import { exactly, quantity, scaled, sum, weakest, type Quantity } from '../base/quantity';
import {
  CORPUS,
  FIRST_WINDOWS,
  REPORTED_PACES,
  PREPROCESS_SECONDS,
  scoringSeconds,
  type ReportedPace,
} from '../config/facts';
import { GPUS, type GpuId } from '../config/gpus';
import { EXPECTED_STOP, type ExpectedStop } from '../config/kills';
import type { EpochWindows } from './epoch_windows';
import { slowdown } from './hardware';
import { CACHED_WINDOW_BYTES, decompressSeconds } from './ram_facts';
import { WindowFiles, type RecordingLengths } from './loader_files';

/** Steps of an epoch; the last batch may be smaller. */
export const stepsPerEpoch = (windows: number, batch: number): number => Math.ceil(windows / batch);

/**
 * Hours of an epoch on a card, and the precision and batch that they are of, from the figure for a rented machine or for one of
 * one's own: from one figure each, so that a faster card never takes longer. It shortens what the GPU takes, not what the loader
 * takes, and nobody knows which of them bounds a run: so the time lies between the figure and the figure times the cards' ratio.
 */
export function hoursOn(
  gpu: GpuId,
  id: ReportedPace['id'],
  rented: boolean,
): Pick<ReportedPace, 'hours' | 'precision' | 'batch'> {
  const figures = REPORTED_PACES.filter((one) => one.id === id);
  // Rented is the A100, the RTX 4090 stands in a machine of one's own.
  const from = figures.at(rented ? -1 : 0) as ReportedPace;
  if (from.gpu === gpu) return from;
  const { precision, batch } = from;
  const ratio = slowdown(GPUS[from.gpu], GPUS[gpu], precision !== 'fp32');
  const hours = quantity(
    [
      from.hours.low * Math.min(1, ratio.low),
      from.hours.likely * ratio.likely,
      from.hours.high * Math.max(1, ratio.high),
    ],
    from.hours.basis === 'assumed' ? 'assumed' : 'derived',
    `${from.hours.source}; times ${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)} for ${ratio.source}`,
  );
  return { hours, precision, batch };
}

/** The same for another number of windows. */
export const forWindows = (hours: Quantity, windows: number): Quantity => {
  const factor = windows / CORPUS.balancedWindows;
  return quantity(
    [hours.low * factor, hours.likely * factor, hours.high * factor],
    hours.basis,
    factor === 1 ? hours.source : `${hours.source}; × ${factor.toFixed(3)} for ${several(windows, 'window')}`,
  );
};

const met = new WeakMap<RecordingLengths, Map<number, number>>();

/**
 * Windows of a random window's recording, where the spread of lengths is such; remembered, because finding it takes longer than
 * a slider may.
 */
export function meanMet(recordings: RecordingLengths, spread: number): number {
  const known = met.get(recordings) ?? new Map<number, number>();
  met.set(recordings, known);
  const windows = known.get(spread) ?? new WindowFiles(recordings, spread).meanMet;
  known.set(spread, windows);
  return windows;
}

/** How many processes decompress at a time. */
export interface Loaders {
  /** data.num_workers; with 0 the main process decompresses. */
  readonly workers: number;
  /** More workers than cores share them. */
  readonly cores: number;
  /** Cores that may be had besides. */
  readonly moreCores?: number;
}

const ALONE: Loaders = { workers: 0, cores: 1 };

/** Hours in which the recordings of so many random windows are decompressed: each window decompresses its whole file. */
export function loadingHours(
  recordings: RecordingLengths,
  windows: number,
  { workers, cores, moreCores = 0 }: Loaders,
): Quantity {
  const spread = recordings.kind === 'lognormal' ? recordings.spread : exactly(0, 'measured', '');
  const hours = (one: number, most: number): number => {
    const processes = Math.max(1, Math.min(workers, most));
    return (windows * decompressSeconds(meanMet(recordings, one) * CACHED_WINDOW_BYTES)) / processes / 3600;
  };
  const who = workers === 0 ? 'the main process' : several(workers, 'worker');
  return quantity(
    [hours(spread.low, cores + moreCores), hours(spread.likely, cores), hours(spread.high, cores)],
    recordings.kind === 'given' ? 'derived' : 'assumed',
    `0.37 s for 75 MiB, 1.7 s for 395 MiB, in ${who}${workers > cores ? ` on ${cores} cores` : ''}; lengths of recordings ${recordings.kind === 'given' ? 'as given' : 'assumed'}`,
  );
}

/** What the slower of loading and the GPU takes. */
function slower(loading: Quantity, gpu?: Quantity): Quantity {
  if (!gpu || gpu.high <= loading.low) return loading;
  return quantity(
    [Math.max(loading.low, gpu.low), Math.max(loading.likely, gpu.likely), Math.max(loading.high, gpu.high)],
    weakest([loading.basis, gpu.basis]),
    `the slower of loading (${loading.source}) and the GPU (${gpu.source})`,
  );
}

/** Hours in which the main process reads windows for statistics before each epoch's first batch. */
export const statisticsHours = (recordings: RecordingLengths, { training }: EpochWindows): Quantity => {
  const read = Math.min(FIRST_WINDOWS, training);
  const hours = loadingHours(recordings, read, ALONE);
  return { ...hours, source: `${several(read, 'window')}; ${hours.source}` };
};

/**
 * Hours of a validation: its windows are decompressed by as many workers as those of training (the trainer's
 * src/brain_brr/train/loop.py at 8e81553, lines 1147–1156: both loaders take data.num_workers), while the GPU takes `forward`
 * hours, and scored by the main process alone once all are there (lines 635–669), at so many `rates` of false alarms.
 */
export function validationHours(
  recordings: RecordingLengths,
  windows: number,
  loaders: Loaders,
  rates: number,
  forward?: Quantity,
): Quantity {
  const loading = slower(loadingHours(recordings, windows, loaders), forward);
  const each = scoringSeconds(rates);
  const scores = exactly((windows * each) / 3600, 'derived', 'scores in Python');
  return sum([loading, scores], `${loading.source}; ${each.toFixed(2)} s a window for the scores`);
}

/**
 * Hours of a launch before its first epoch, all in the main process: recordings that are not cached are preprocessed, the
 * others that are not drawn from a manifest are decompressed once to count their windows, and without a manifest windows are
 * searched for seizures (the trainer's source at 2025-09-21).
 */
export function startHours(
  recordings: RecordingLengths,
  { validation, counted = validation, preprocessed = 0, searched = 0 }: EpochWindows,
): Quantity {
  const mean =
    recordings.kind === 'lognormal'
      ? recordings.mean
      : recordings.windows.reduce((total, windows) => total + windows, 0) / recordings.windows.length;
  const counting = ((counted / mean) * decompressSeconds(mean * CACHED_WINDOW_BYTES)) / 3600;
  const amount = (windows: number): string => Math.round(windows).toLocaleString('en');
  const parts = [
    ...(preprocessed > 0
      ? [scaled(PREPROCESS_SECONDS, preprocessed / 3600, `${PREPROCESS_SECONDS.source}`)]
      : []),
    ...(counted > 0
      ? [exactly(counting, 'derived', `${amount(counted / mean)} cached recordings are read once`)]
      : []),
    ...(searched > 0 ? [loadingHours(recordings, searched, ALONE)] : []),
  ];
  const [only] = parts;
  if (!only) return exactly(0, 'derived', 'nothing is read');
  const search = `${amount(searched)} windows are read one by one in search of seizures`;
  const sources = parts.map(({ source }) => source);
  if (searched > 0) sources[sources.length - 1] = search;
  return sum(parts, sources.join('; '));
}

export interface Stop {
  readonly id: 'earliest' | 'likely' | 'all';
  readonly title: string;
  readonly epochs: number;
  readonly why: string;
}

function likelyStop(epochs: number, earliest: number, { whole, low, high, source }: ExpectedStop): Stop {
  const share = (low + high) / 2 / whole;
  return {
    id: 'likely',
    title: 'early stopping as the review expects it',
    epochs: Math.max(earliest, Math.round(share * epochs)),
    why: `${Math.round(100 * share)} % of all: the ${source} expects $${low}–${high} of the $${whole.toFixed(2)} of a whole run; nobody measured it`,
  };
}

/** When early stopping may end a run: at the earliest, where a review expects it, and not at all. */
export function stops(epochs: number, patience: number): readonly Stop[] {
  const earliest = Math.min(epochs, patience + 2);
  return [
    {
      id: 'earliest',
      title: 'no epoch after the first is better',
      epochs: earliest,
      why: `patience ${patience}: the trainer stops after epoch ${patience + 2} at the earliest; also what a misspelt metric gives`,
    },
    ...(EXPECTED_STOP ? [likelyStop(epochs, earliest, EXPECTED_STOP)] : []),
    { id: 'all', title: 'all epochs', epochs, why: 'every so often an epoch is better than the best before' },
  ];
}
