/**
 * The run that the review describes: WSL2 with 31 GB, batches of 16, four workers, a worker killed after 127 batches. The
 * review tells what died, not why; so several mechanisms are simulated, and each says how well it accounts for the kill.
 */
import { machineOf } from './from_config';
import { CORPUS, CORPUS_LENGTHS, GIB, MAIN_BYTES, NO_HEAP_RETURNED, WHOLE_HEAP_RETURNED } from './host_facts';
import { HostEnsemble, quantileOf, type KillOdds } from './host_odds';
import type { HostRamOptions } from './host_ram';
import { exactly, quantity } from '../base/quantity';

/** Batches that were done when the worker was killed. */
export const CRASH_BATCH = 127;

const BATCH = 16;
/** The review's 45 minutes for an epoch of the balanced set. */
const STEP_SECONDS = (45 * 60) / Math.ceil(CORPUS.balancedWindows / BATCH);

const HEAP_UNKNOWN = quantity(
  [0, 0.5, 1],
  'assumed',
  'how much of its largest batch a worker’s heap keeps: nothing with glibc’s defaults, all with other allocators',
);

/** As the review describes it; what it leaves open is a range. */
const AS_DESCRIBED: HostRamOptions = {
  batch: BATCH,
  workers: 4,
  prefetchFactor: 2,
  pinMemory: false,
  persistentWorkers: false,
  start: 'spawn',
  machine: machineOf('wsl2', 31 * GIB),
  main: MAIN_BYTES,
  recordings: CORPUS_LENGTHS,
  arraysStay: 1,
  heapKeeps: NO_HEAP_RETURNED,
  stepSeconds: STEP_SECONDS,
  batches: Math.ceil(CORPUS.balancedWindows / BATCH),
  afterFirstEpoch: false,
};

export interface Mechanism {
  readonly id: 'copies' | 'views' | 'views-heap' | 'open';
  readonly title: string;
  /** What it assumes, and what speaks for and against it. */
  readonly account: string;
  readonly options: HostRamOptions;
}

/** From the mechanism that is known to be there to those that the kill needs. */
export const MECHANISMS: readonly Mechanism[] = [
  {
    id: 'copies',
    title: 'The loader as its source reads',
    account:
      'Each item inflates its whole recording, copies one window and frees the rest. Then a worker never holds more than one recording: the run needs about half of the memory there was at most, and its largest process is nearly always the main one. This alone explains neither a full memory nor a worker’s death.',
    options: { ...AS_DESCRIBED, arraysStay: 0, heapKeeps: WHOLE_HEAP_RETURNED },
  },
  {
    id: 'views',
    title: 'Windows that keep their recording',
    account:
      'Where a window is a view of its recording’s array, 16 recordings stay alive in a worker until its batch is collated. The trainer does so for a recording that is not in its cache. Now workers are the largest processes, as the kill says; memory fills where other programs take much, or long recordings meet.',
    options: { ...AS_DESCRIBED, heapKeeps: WHOLE_HEAP_RETURNED },
  },
  {
    id: 'views-heap',
    title: 'The same, and nothing is given back',
    account:
      'A worker’s heap stays as large as its largest batch was. Memory then rises with every new largest batch, which is why it takes a while: of the simulated kills most come after 30 to 1,800 batches. The killed workers hold 5 to 9 GB, which agrees with the 11.3 GB of virtual memory that the review names. glibc gives blocks of 32 MiB and more back, so this needs another allocator or smaller blocks.',
    options: AS_DESCRIBED,
  },
  {
    id: 'open',
    title: 'What is left open, drawn at random',
    account:
      'Windows keep their recording; how much the heap keeps, the swap, other programs and the tail of the recordings’ lengths are drawn anew for each run.',
    options: { ...AS_DESCRIBED, heapKeeps: HEAP_UNKNOWN },
  },
];

/** The run that is replayed: the mechanism under which such a kill is most likely. */
export const CRASH: HostRamOptions = AS_DESCRIBED;

/** The review's WSL2-safe file on the same machine: batches of 8, no workers. */
export const WSL2_SAFE: HostRamOptions = {
  ...AS_DESCRIBED,
  batch: 8,
  workers: 0,
  batches: Math.ceil(CORPUS.balancedWindows / 8),
  stepSeconds: STEP_SECONDS / 2,
};

export interface Sensitivity {
  readonly what: string;
  readonly odds: KillOdds;
  /** Share of the killed runs that had died by the review's 127 batches. */
  readonly quantile: number;
}

interface Variation {
  readonly what: string;
  readonly options: HostRamOptions;
}

/** The replayed run with one assumption fixed at an end of its range. */
export const VARIATIONS: readonly Variation[] = [
  { what: 'other programs take 1 GiB', options: withOther(1) },
  { what: 'other programs take 12 GiB', options: withOther(12) },
  { what: 'no swap', options: withSwap(0) },
  { what: 'swap of 8 GiB, WSL2’s own', options: withSwap(8) },
  { what: 'the heap gives all back', options: { ...CRASH, heapKeeps: WHOLE_HEAP_RETURNED } },
  { what: 'the heap keeps half', options: { ...CRASH, heapKeeps: exactly(0.5, 'assumed', 'fixed') } },
  { what: 'recordings vary less (0.8)', options: withSpread(0.8) },
  { what: 'recordings vary more (1.2)', options: withSpread(1.2) },
  { what: 'windows are copied, as the source reads', options: { ...CRASH, arraysStay: 0 } },
  { what: 'one worker less', options: { ...CRASH, workers: 3 } },
  { what: 'batches of 8', options: { ...CRASH, batch: 8, batches: 2 * CRASH.batches } },
  { what: 'no workers', options: { ...CRASH, workers: 0 } },
];

function withOther(gib: number): HostRamOptions {
  return { ...CRASH, machine: { ...CRASH.machine, other: exactly(gib * GIB, 'assumed', 'fixed') } };
}

function withSwap(gib: number): HostRamOptions {
  return { ...CRASH, machine: { ...CRASH.machine, swap: exactly(gib * GIB, 'assumed', 'fixed') } };
}

function withSpread(spread: number): HostRamOptions {
  return { ...CRASH, recordings: { ...CORPUS_LENGTHS, spread: exactly(spread, 'assumed', 'fixed') } };
}

/** How the odds answer to one assumption, on the seeds 1 … `runs`. */
export function sensitivityTo({ what, options }: Variation, runs: number): Sensitivity {
  const odds = new HostEnsemble(options).advance(runs).odds();
  return { what, odds, quantile: quantileOf(CRASH_BATCH, odds) };
}

/** A seed whose run is killed nearest to the review's batch, for the replay; undefined where none of `ensemble` is. */
export function replaySeed({ runs }: HostEnsemble): number | undefined {
  const away = (batch: number): number => Math.abs(Math.log((batch + 1) / (CRASH_BATCH + 1)));
  const killed = runs.flatMap(({ seed, kill }) =>
    kill?.cause === 'oom' ? [{ seed, batch: kill.batch }] : [],
  );
  return killed.sort((a, b) => away(a.batch) - away(b.batch))[0]?.seed;
}
