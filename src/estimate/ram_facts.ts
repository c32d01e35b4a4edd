/** What is known of the memory of the trainer's processes, and what is judged. */
import { WINDOW_SAMPLES } from '../base/production';
import { GIB } from '../base/units';
import { exactly, quantity, type Quantity } from '../base/quantity';
import { CORPUS } from '../config/facts';
import type { Platform } from '../config/targets';
import type { RecordingLengths } from './loader_files';

const MB = 1e6;

/** Of a cached recording's array, a window: one item decompresses all of them. Measured: 67 windows 75 MiB, 355 windows 395 MiB. */
export const CACHED_WINDOW_BYTES = 1.17 * MB;

/** Seconds to decompress an array, the line through both measurements: 75 MiB in 0.37 s, 395 MiB in 1.7 s. */
export function decompressSeconds(bytes: number): number {
  const slope = (1.7 - 0.37) / ((395 - 75) * 2 ** 20);
  return 0.37 + slope * (bytes - 75 * 2 ** 20);
}

/** Read from disk for a byte that is decompressed. */
export const COMPRESSED = 0.8;

/** What validation keeps of a sample, by and by; together 77 B. How they divide is judged from the steps it goes through. */
export const VALIDATION_BYTES = {
  /** A probability and a label in lists, float32. */
  listed: 8,
  /** Both once more, joined. */
  joined: 8,
  /** AUROC: float64 copies, the order of the sort, cumulative sums. */
  sorted: 61,
} as const;

const VALIDATION_BYTES_PER_SAMPLE =
  VALIDATION_BYTES.listed + VALIDATION_BYTES.joined + VALIDATION_BYTES.sorted;

/** By how much the lists may take less or more, as a share. */
const LISTS_UNSURE = 0.2;

/** Validation's lists, joined and sorted, bytes: 61.4 GB at a validation split of 0.2. */
export function validationBytes(windows: number): Quantity {
  const bytes = windows * WINDOW_SAMPLES * VALIDATION_BYTES_PER_SAMPLE;
  return quantity(
    [(1 - LISTS_UNSURE) * bytes, bytes, (1 + LISTS_UNSURE) * bytes],
    'derived',
    `${VALIDATION_BYTES_PER_SAMPLE} B of each of ${windows.toLocaleString('en')} × ${WINDOW_SAMPLES.toLocaleString('en')} samples, assumed to be ±${100 * LISTS_UNSURE} %`,
  );
}

export type StartMethod = 'fork' | 'spawn';

/** A worker's own memory before it reads anything. */
export const WORKER_BYTES: Readonly<Record<StartMethod, Quantity>> = {
  fork: exactly(11 * MB, 'measured', 'a forked worker’s private memory'),
  spawn: quantity([148 * MB, 165 * MB, 181 * MB], 'measured', 'a spawned worker’s private memory'),
};

export const MAIN_BYTES = quantity(
  [1.8 * GIB, 2.8 * GIB, 4.5 * GIB],
  'assumed',
  'Python, PyTorch with its CUDA libraries, the context’s part in system RAM, MNE',
);

/** Kernel and other processes on the same machine. */
export const OTHER_BYTES: Readonly<Record<Platform, Quantity>> = {
  wsl2: quantity(
    [1 * GIB, 4 * GIB, 12 * GIB],
    'assumed',
    'kernel, an editor’s server and its language servers, a browser, a cache being built in the same WSL2',
  ),
  local: quantity([1 * GIB, 4 * GIB, 10 * GIB], 'assumed', 'kernel, desktop, browser, editor'),
  modal: quantity([0.2 * GIB, 0.4 * GIB, 1 * GIB], 'assumed', 'kernel and the container’s runner'),
};

/** WSL2 gives itself a quarter of its memory as swap; the review of the run that was killed names none. */
export const wsl2Swap = (ramBytes: number): Quantity =>
  quantity([0, 0, ramBytes / 4], 'assumed', 'none, or WSL2’s own, a quarter of its RAM');

export const NO_HEAP_RETURNED = exactly(
  1,
  'assumed',
  'a process stays as large as its largest batch was; the kill under WSL2 needs it, glibc’s defaults speak against it',
);

export const WHOLE_HEAP_RETURNED = exactly(
  0,
  'derived',
  'glibc maps blocks of 32 MiB and more by themselves and gives them back when they are freed',
);

/** Lengths of the corpus's recordings: their mean is known, their tail is not. */
export const CORPUS_LENGTHS = {
  kind: 'lognormal',
  mean: CORPUS.trainingWindows / CORPUS.recordings,
  spread: quantity([0.8, 1, 1.2], 'assumed', 'a long tail, recordings of an hour (355 windows) in it'),
  // Three hours.
  longest: 1075,
} as const satisfies RecordingLengths;
