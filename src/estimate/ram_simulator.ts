/**
 * Memory of the machine that feeds the GPU, as the trainer's processes use it over time, and when Linux would kill one of
 * them. Deterministic for a seed: what is unknown (other processes, the order of windows) is drawn from it.
 */
import { WINDOW_SAMPLES } from '../base/production';
import { Random } from '../base/random';
import { WINDOW_BYTES } from '../config/facts';
import {
  CACHED_WINDOW_BYTES,
  decompressSeconds,
  VALIDATION_BYTES,
  WORKER_BYTES,
  type StartMethod,
} from './ram_facts';
import { killAt, RamWatch, type RamFrame, type RamRecord, type ShmRecord, type Kill } from './ram_watch';
import { simulateLoader, type LoaderMemory } from './loader';
import { lengthsOf, triangular, windowFiles, type RecordingLengths, type WindowFiles } from './loader_files';
import type { Quantity } from '../base/quantity';

export interface LoaderSettings {
  /** Windows. */
  readonly batch: number;
  readonly workers: number;
  readonly prefetchFactor: number;
  readonly pinMemory: boolean;
  /** Without workers it has no effect. */
  readonly persistentWorkers: boolean;
  readonly start: StartMethod;
}

export interface RamMachine {
  readonly ramBytes: number;
  readonly swap: Quantity;
  /** Limit of /dev/shm. */
  readonly shmBytes: number;
  /** Kernel and other processes. */
  readonly other: Quantity;
}

export interface RamOptions extends LoaderSettings {
  readonly machine: RamMachine;
  /** The main process without what it loads. */
  readonly main: Quantity;
  readonly recordings: RecordingLengths;
  /**
   * Share of runs in which a window keeps its file's array alive until its batch is collated. 0: it is copied and the array
   * freed at once, as the trainer reads its cache (source of 2025-09-21).
   */
  readonly arraysStay: number;
  /** Share of its peak that a process’s heap does not give back. */
  readonly heapKeeps: Quantity;
  /** Seconds that the GPU takes for a batch. */
  readonly stepSeconds: number;
  /** Batches of training to simulate. */
  readonly batches: number;
  /** Training after the first epoch: with persistent workers those of validation are alive too. */
  readonly afterFirstEpoch: boolean;
}

export interface RamRun {
  readonly seed: number;
  /** RAM and swap of this run. */
  readonly limitBytes: number;
  /** What the run takes as memory rises, if nobody kills it; the last is its peak. */
  readonly records: RamRecord[];
  /** The same of /dev/shm. */
  readonly shmRecords: ShmRecord[];
  readonly kill: Kill | null;
  /** Until the kill or the end. */
  readonly frames: readonly RamFrame[];
}

/** Moments into which a step of the scores' computation is cut. */
const PARTS = 16;
/** Windows of a validation whose loading is simulated: its lists grow on, and its loader's highest moment is taken to come again. */
const VALIDATED = 16_000;
/** What joining and sorting take on the corpus is not known; the picture needs some time for them. */
const SCORE_SECONDS = 30;
/** The name of the random numbers of a run's machine. */
const MACHINE_NUMBERS = 'machine';

/** Simulates runs of one set of options; what they share is computed once. */
export class RamSimulator {
  /** One, or several where the spread of the recordings' lengths is a range. */
  readonly files: readonly WindowFiles[];
  #lengths?: Float64Array;

  /** Throws RangeError where a number makes no sense. */
  constructor(readonly options: RamOptions) {
    const { batch, workers, prefetchFactor, batches } = options;
    if (!(batch >= 1 && batches >= 1 && workers >= 0 && prefetchFactor >= 1))
      throw new RangeError(
        `batch (${batch}), batches (${batches}) and prefetch_factor (${prefetchFactor}) are at least 1, workers (${workers}) at least 0`,
      );
    this.files = windowFiles(options.recordings);
  }

  /** `batches` batches of random windows. `frames`: at most so many for a picture, which ends with the kill. */
  train(seed: number, frames = 0): RamRun {
    const random = new Random(seed, 'windows');
    const files = this.files[random.integer(this.files.length)] as WindowFiles;
    const { batches } = this.options;
    return this.#run({ seed, frames, batches, nextLength: () => files.draw(random), kept: 0 });
  }

  /**
   * A validation of `windows` windows, file by file, with its lists, their joining and sorting. Without frames the loading of
   * VALIDATED of them is simulated.
   */
  validate(seed: number, windows: number, frames = 0): RamRun {
    this.#lengths ??= lengthsOf(this.options.recordings);
    const lengths = this.#lengths.slice();
    new Random(seed, 'files').shuffle(lengths);
    const loaded = frames > 0 ? windows : Math.min(windows, VALIDATED);
    const lengthAt = new Float64Array(loaded);
    for (let at = 0, file = 0; at < loaded; file = (file + 1) % lengths.length) {
      const length = lengths[file] as number;
      lengthAt.fill(length, at, at + Math.ceil(length));
      at += Math.ceil(length);
    }
    const { batch } = this.options;
    const nextLength = (index: number, item: number): number =>
      lengthAt[Math.min(loaded - 1, index * batch + item)] as number;
    const kept = batch * WINDOW_SAMPLES * VALIDATION_BYTES.listed;
    return this.#run({ seed, frames, batches: Math.ceil(loaded / batch), nextLength, kept, windows });
  }

  #run(run: {
    readonly seed: number;
    readonly frames: number;
    readonly batches: number;
    /** Windows of the file of a batch's item. */
    readonly nextLength: (batch: number, item: number) => number;
    /** Bytes of each batch that stay. */
    readonly kept: number;
    /** Of a validation. */
    readonly windows?: number;
  }): RamRun {
    const { options } = this;
    const { batch, workers, machine, pinMemory } = options;
    const random = new Random(run.seed, MACHINE_NUMBERS);
    const both = options.persistentWorkers && (run.windows !== undefined || options.afterFirstEpoch);
    const limitBytes = limitOf(machine, random);
    const fixed = {
      ramBytes: machine.ramBytes,
      limitBytes,
      shmBytes: machine.shmBytes,
      other: triangular(machine.other, random.uniform()),
      main: triangular(options.main, random.uniform()),
      ownEach: triangular(WORKER_BYTES[options.start], random.uniform()),
      alive: workers * (both ? 2 : 1),
      workers,
      pinMemory,
      batch,
    };
    const heapKeeps = triangular(options.heapKeeps, random.uniform());
    const stays = random.uniform() < options.arraysStay;
    const watch = new RamWatch(fixed, run.frames);
    const loader = {
      batch,
      workers,
      prefetchFactor: options.prefetchFactor,
      batches: run.batches,
      windowBytes: WINDOW_BYTES,
      nextFile: (index: number, item: number) => run.nextLength(index, item) * CACHED_WINDOW_BYTES,
      decompressSeconds,
      stepSeconds: options.stepSeconds,
      views: stays,
      heapKeeps,
      keptPerBatch: run.kept,
    };
    const end = simulateLoader(loader, watch);
    const rest = (run.windows ?? 0) * WINDOW_SAMPLES * VALIDATION_BYTES.listed - run.batches * run.kept;
    if (rest > 0) watch.grow(rest);
    if (run.windows !== undefined && (run.frames === 0 || killAt(watch, fixed) === null))
      joinAndSort(end, run.windows, watch);
    const { records, shmRecords } = watch;
    const kill = killAt(watch, fixed);
    return { seed: run.seed, limitBytes, records, shmRecords, kill, frames: watch.thinned() };
  }
}

/** RAM and swap of one run; the first number that is drawn for its machine. */
const limitOf = ({ ramBytes, swap }: RamMachine, random: Random): number =>
  ramBytes + triangular(swap, random.uniform());

/** A run without frames, as it would have been on a machine that differs in RAM, swap and /dev/shm. */
export function onMachine(run: RamRun, machine: RamMachine): RamRun {
  const limitBytes = limitOf(machine, new Random(run.seed, MACHINE_NUMBERS));
  return { ...run, limitBytes, kill: killAt(run, { limitBytes, shmBytes: machine.shmBytes }) };
}

/** What follows a validation's last batch. */
function joinAndSort(end: LoaderMemory, windows: number, watch: RamWatch): void {
  const samples = windows * WINDOW_SAMPLES;
  const none = end.workers.slice().fill(0);
  let [kept, seconds] = [samples * VALIDATION_BYTES.listed, end.seconds];
  for (const bytes of [VALIDATION_BYTES.joined, VALIDATION_BYTES.sorted])
    for (let part = 0; part < PARTS; part++) {
      kept += (samples * bytes) / PARTS;
      seconds += SCORE_SECONDS / PARTS;
      if (watch.see({ ...end, seconds, workers: none, inFlight: 0, kept, total: kept }, true)) return;
    }
}
