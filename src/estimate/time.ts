/** How long a run takes: steps, hours of an epoch, epochs until it stops. */
import { exactly, quantity, sum, type Quantity } from '../base/quantity';
import { CORPUS, FIRST_WINDOWS, LOGGED_PACES, SCORING_SECONDS, type LoggedPace } from '../config/facts';
import { GPUS, type GpuId } from '../config/gpus';
import { slowdown } from './hardware';
import { CACHED_WINDOW_BYTES, decompressSeconds } from './ram_facts';
import { WindowFiles, type RecordingLengths } from './loader_files';

/** Windows of an epoch. */
export interface EpochWindows {
  readonly training: number;
  readonly validation: number;
  /** Validation windows at a validation split of 1; left out where the windows are not a corpus's. */
  readonly whole?: number;
}

/** Windows of an epoch on the corpus. `files`: where only so many recordings are taken. */
export function epochWindows(
  { balanced, validationSplit }: { readonly balanced: boolean; readonly validationSplit: number },
  files = Infinity,
): EpochWindows {
  const kept = (1 - validationSplit) / (1 - CORPUS.countedSplit);
  const share = Math.min(1, files / (CORPUS.recordings / (1 - CORPUS.countedSplit)));
  const whole = (share * CORPUS.validationWindows) / CORPUS.countedSplit;
  return {
    training: Math.round(share * kept * (balanced ? CORPUS.balancedWindows : CORPUS.trainingWindows)),
    validation: Math.round(validationSplit * whole),
    whole,
  };
}

/** Steps of an epoch; the last batch may be smaller. */
export const stepsPerEpoch = (windows: number, batch: number): number => Math.ceil(windows / batch);

/**
 * Hours of an epoch on a card and the precision that they are of, from a figure for the same or another card. A faster card shortens what the GPU takes, not
 * what the loader takes, and nobody knows which of them bounds a run: so the time lies between the figure and the figure
 * times the cards' ratio.
 */
export function hoursOn(gpu: GpuId, id: LoggedPace['id']): Pick<LoggedPace, 'hours' | 'precision'> {
  const figures = LOGGED_PACES.filter((one) => one.id === id);
  const own = figures.find((one) => one.gpu === gpu);
  if (own) return own;
  // The A100's: its runs are the ones that other rented cards replace.
  const from = figures[figures.length - 1] as LoggedPace;
  const { precision } = from;
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
  return { hours, precision };
}

/** The same for another number of windows. */
export const forWindows = (hours: Quantity, windows: number): Quantity => {
  const factor = windows / CORPUS.balancedWindows;
  return quantity(
    [hours.low * factor, hours.likely * factor, hours.high * factor],
    hours.basis,
    factor === 1
      ? hours.source
      : `${hours.source}; × ${factor.toFixed(3)} for ${windows.toLocaleString('en')} windows`,
  );
};

const met = new WeakMap<RecordingLengths, Map<number, number>>();

/** Windows of a random window's recording; remembered, because finding it takes longer than a slider may. */
function meanMet(recordings: RecordingLengths, spread: number): number {
  const known = met.get(recordings) ?? new Map<number, number>();
  met.set(recordings, known);
  const windows = known.get(spread) ?? new WindowFiles(recordings, spread).meanMet;
  known.set(spread, windows);
  return windows;
}

/**
 * Hours in which the recordings of so many random windows are decompressed: each window decompresses its whole file, by as
 * many processes as there are workers.
 */
export function loadingHours(recordings: RecordingLengths, windows: number, workers: number): Quantity {
  const spread = recordings.kind === 'lognormal' ? recordings.spread : exactly(0, 'measured', '');
  const hours = (one: number): number => {
    return (
      (windows * decompressSeconds(meanMet(recordings, one) * CACHED_WINDOW_BYTES)) /
      Math.max(1, workers) /
      3600
    );
  };
  return quantity(
    [hours(spread.low), hours(spread.likely), hours(spread.high)],
    recordings.kind === 'given' ? 'derived' : 'assumed',
    `0.37 s for 75 MiB, 1.7 s for 395 MiB, in ${workers === 0 ? 'the main process' : `${workers} workers`}; lengths of recordings ${recordings.kind === 'given' ? 'as given' : 'assumed'}`,
  );
}

/** Hours of a validation: its windows are decompressed as those of training are, and scored by the main process alone. */
export function validationHours(recordings: RecordingLengths, windows: number, workers: number): Quantity {
  const loading = loadingHours(recordings, windows, workers);
  const scores = exactly((windows * SCORING_SECONDS) / 3600, 'derived', 'scores in Python');
  return sum([loading, scores], `${loading.source}; ${SCORING_SECONDS.toFixed(2)} s a window for the scores`);
}

/**
 * Hours of a launch before its first batch: the main process reads some windows for statistics, and decompresses each
 * held-out recording once to count its windows (the trainer's source at 2025-09-21).
 */
export function startHours(recordings: RecordingLengths, { training, validation }: EpochWindows): Quantity {
  const mean =
    recordings.kind === 'lognormal'
      ? recordings.mean
      : recordings.windows.reduce((total, windows) => total + windows, 0) / recordings.windows.length;
  const counted = (validation / mean) * decompressSeconds(mean * CACHED_WINDOW_BYTES);
  const first = Math.min(FIRST_WINDOWS, training);
  return sum(
    [loadingHours(recordings, first, 0), exactly(counted / 3600, 'derived', 'held-out recordings')],
    `${first.toLocaleString('en')} windows are read, and each held-out recording once, in the main process`,
  );
}

export interface Stop {
  readonly id: 'earliest' | 'likely' | 'all';
  readonly title: string;
  readonly epochs: number;
  readonly why: string;
}

/** Share of the epochs after which the review expects a run to stop: $70–100 of $139.75. */
const REVIEW_SHARE = 85 / 139.75;

/** When early stopping may end a run. */
export function stops(epochs: number, patience: number): readonly Stop[] {
  const earliest = Math.min(epochs, patience + 2);
  return [
    {
      id: 'earliest',
      title: 'no epoch after the first is better',
      epochs: earliest,
      why: `patience ${patience}: the trainer stops after epoch ${patience + 2} at the earliest; also what a misspelt metric gives`,
    },
    {
      id: 'likely',
      title: 'early stopping as the review expects it',
      epochs: Math.max(earliest, Math.round(REVIEW_SHARE * epochs)),
      why: 'the review expects $70–100 of $139.75; nobody measured it',
    },
    { id: 'all', title: 'all epochs', epochs, why: 'every so often an epoch is better than the best before' },
  ];
}
