/** Watches one simulated run: memory by part, records, the kill and its victim, frames for a picture. */
import { EEG_BYTES, LABEL_BYTES, WINDOW_BYTES } from '../config/facts';
import { COMPRESSED } from './ram_facts';
import type { LoaderMemory, LoaderWatch } from './loader';

/** Where memory is; bytes. */
export interface RamParts {
  /** Kernel and other processes. */
  readonly other: number;
  readonly main: number;
  /** Own memory of all workers. */
  readonly workers: number;
  /** Decompressed arrays, windows, and what heaps keep of them, in whichever process. */
  readonly files: number;
  /** Batches in /dev/shm. */
  readonly inFlight: number;
  readonly pinned: number;
  /** Validation's lists and what its scores are computed in. */
  readonly lists: number;
}

export interface RamFrame extends RamParts {
  /** Batches done with. */
  readonly batch: number;
  readonly seconds: number;
  /** All parts. */
  readonly total: number;
  /** Files that Linux keeps as long as nobody else wants the memory; never a reason to kill. */
  readonly pageCache: number;
}

export type Victim = { readonly process: 'main' } | { readonly process: 'worker'; readonly worker: number };

/** A moment at which memory was above all before. */
export interface RamRecord {
  /** Batches done with. */
  readonly batch: number;
  readonly seconds: number;
  readonly bytes: number;
  /** The largest of the run's processes. Linux kills the one with the highest oom_score, which is its resident memory. */
  readonly victim: Victim;
  readonly victimBytes: number;
}

export interface Kill extends RamRecord {
  /** `oom`: RAM and swap are full. `shm`: /dev/shm is, and the worker that writes there gets SIGBUS. */
  readonly cause: 'oom' | 'shm';
}

/** A moment at which /dev/shm held more than ever before. */
export interface ShmRecord {
  readonly inShm: number;
  readonly record: RamRecord;
}

/** Why and when a run is killed where there is so much memory. */
export function killAt(
  { records, shmRecords }: Pick<RamWatch, 'records' | 'shmRecords'>,
  { limitBytes, shmBytes }: Pick<Fixed, 'limitBytes' | 'shmBytes'>,
): Kill | null {
  const oom = records.find(({ bytes }) => bytes > limitBytes);
  const full = shmRecords.find(({ inShm }) => inShm > shmBytes)?.record;
  if (oom && !(full && full.seconds < oom.seconds)) return { ...oom, cause: 'oom' };
  return full ? { ...full, cause: 'shm' } : null;
}

/** What does not change during a run; bytes. */
export interface Fixed {
  readonly ramBytes: number;
  readonly limitBytes: number;
  readonly shmBytes: number;
  readonly other: number;
  readonly main: number;
  readonly ownEach: number;
  /** Worker processes that are alive. */
  readonly alive: number;
  /** Workers of the loader that is read; 0: the main process reads. */
  readonly workers: number;
  readonly pinMemory: boolean;
  /** Windows. */
  readonly batch: number;
}

/**
 * Memory that grows from batch to batch would be looked at in each of them: after so many records only where it is more by
 * such a share.
 */
const FINE_RECORDS = 256;
const COARSE = 1 / 256;

/** PyTorch's cache of pinned memory takes powers of two and keeps them. */
const pinnedSize = (bytes: number): number => 2 ** Math.ceil(Math.log2(bytes));

export class RamWatch implements LoaderWatch {
  readonly records: RamRecord[] = [];
  readonly shmRecords: ShmRecord[] = [];
  readonly #frames: RamFrame[] = [];
  #highest = 0;
  #fullest = 0;
  #mostInFlight = 0;
  seenTotal = -Infinity;
  seenInFlight = 0;
  readonly #constant: number;
  /** Pinned bytes for a byte in flight. */
  readonly #pinnedShare: number;
  /** Bytes in flight that are not pinned. */
  readonly maxInFlight: number;

  /** `frames`: at most as many are kept, until the kill; 0: none, and the run continues after it. */
  constructor(
    readonly fixed: Fixed,
    readonly frames: number,
  ) {
    const { other, main, alive, ownEach, batch, pinMemory, workers } = fixed;
    this.#constant = other + main + alive * ownEach;
    const batchBytes = batch * WINDOW_BYTES;
    const pinnedBatch = pinnedSize(batch * EEG_BYTES) + pinnedSize(batch * LABEL_BYTES);
    this.#pinnedShare = pinMemory ? pinnedBatch / batchBytes : 0;
    this.maxInFlight = pinMemory && workers > 0 ? batchBytes : Infinity;
  }

  /** Takes a maximum of memory in; true where the run is over. `apart`: no frame but this one shows it. */
  see(memory: LoaderMemory, apart = false): boolean {
    const { fixed } = this;
    this.#mostInFlight = Math.max(memory.inFlight, this.#mostInFlight);
    // With pinned memory a batch leaves /dev/shm as soon as it is there, for a buffer that is kept.
    const pinned = this.#mostInFlight * this.#pinnedShare;
    const inFlight = Math.min(memory.inFlight, this.maxInFlight);
    const total = this.#constant + memory.total - memory.inFlight + inFlight + pinned;
    const inShm = fixed.workers > 0 ? inFlight : 0;
    const more =
      this.frames === 0 && this.records.length + this.shmRecords.length > FINE_RECORDS ? 1 + COARSE : 1;
    if (total > more * this.#highest || inShm > more * this.#fullest) {
      const { done: batch, seconds } = memory;
      const record = { batch, seconds, bytes: total, ...this.#largest(memory, pinned) };
      if (total > more * this.#highest) {
        this.#highest = total;
        this.records.push(record);
      }
      if (inShm > more * this.#fullest) {
        this.#fullest = inShm;
        this.shmRecords.push({ inShm, record });
      }
    }
    // What a run without frames would have taken after its kill answers for other limits.
    if (this.frames === 0) {
      this.seenInFlight = more * this.#mostInFlight;
      this.seenTotal = more * this.#highest - this.#constant - pinned;
      return false;
    }
    this.seenInFlight = this.#mostInFlight;
    this.#picture(memory, { inFlight, pinned, total }, apart);
    return inShm > fixed.shmBytes || total > fixed.limitBytes;
  }

  /** Takes in that the highest moment so far comes again when the main process has so many bytes more. */
  grow(bytes: number): void {
    const last = this.records.at(-1);
    if (!last) return;
    const ofVictim = last.victim.process === 'main' ? bytes : 0;
    this.#highest = last.bytes + bytes;
    this.records.push({ ...last, bytes: this.#highest, victimBytes: last.victimBytes + ofVictim });
  }

  #largest(memory: LoaderMemory, pinned: number): Pick<RamRecord, 'victim' | 'victimBytes'> {
    const { main, ownEach, workers } = this.fixed;
    const owned = memory.workers;
    let worker = 0;
    for (let i = 1; i < owned.length; i++) if ((owned[i] ?? 0) > (owned[worker] ?? 0)) worker = i;
    const largest = owned[worker] ?? 0;
    const mainHolds = main + memory.kept + pinned + (workers === 0 ? largest : 0);
    const workerHolds = workers === 0 ? 0 : ownEach + largest;
    return workerHolds > mainHolds
      ? { victim: { process: 'worker', worker }, victimBytes: workerHolds }
      : { victim: { process: 'main' }, victimBytes: mainHolds };
  }

  /** One frame a batch, of its highest moment. */
  #picture(
    memory: LoaderMemory,
    parts: Pick<RamFrame, 'inFlight' | 'pinned' | 'total'>,
    apart: boolean,
  ): void {
    const { other, main, alive, ownEach, ramBytes } = this.fixed;
    const last = this.#frames[this.#frames.length - 1];
    if (!apart && last?.batch === memory.done) {
      if (last.total >= parts.total) return;
      this.#frames.pop();
    }
    this.#frames.push({
      ...parts,
      batch: memory.done,
      seconds: memory.seconds,
      other,
      main,
      workers: alive * ownEach,
      files: memory.total - memory.inFlight - memory.kept,
      lists: memory.kept,
      pageCache: Math.max(0, Math.min(ramBytes - parts.total, memory.decompressed * COMPRESSED)),
    });
  }

  /** As many frames as were asked for at most; of those that give way, the highest stays. */
  thinned(): readonly RamFrame[] {
    const all = this.#frames;
    const count = this.frames;
    if (all.length <= count) return all;
    return Array.from({ length: count }, (_, bin) => {
      const from = Math.floor((bin * all.length) / count);
      const to = Math.floor(((bin + 1) * all.length) / count);
      return all.slice(from, to).reduce((high, frame) => (frame.total > high.total ? frame : high));
    });
  }
}
