/**
 * PyTorch's DataLoader and the loop that reads from it, as a discrete-event simulation of their memory. As in
 * torch/utils/data/dataloader.py: batch b belongs to worker b mod W; at most W · prefetch_factor batches are requested beyond
 * the one that was delivered; a finished batch waits in /dev/shm, or in pinned memory, until its turn.
 *
 * Between two events memory only grows, so what is seen at the end of each decompression, before anything is freed, is the peak.
 */

/** Bytes and seconds that the loader's work takes. */
export interface LoaderOptions {
  /** Windows of a batch. */
  readonly batch: number;
  /** Processes; 0: the main process assembles its batches itself. */
  readonly workers: number;
  readonly prefetchFactor: number;
  /** Batches to read. */
  readonly batches: number;
  /** One window with its labels as it travels. */
  readonly windowBytes: number;
  /** Array of the next window's file; called once a window, in the order in which their decompression starts. */
  readonly nextFile: (batch: number, item: number) => number;
  readonly decompressSeconds: (bytes: number) => number;
  /** Of the step with a batch. */
  readonly stepSeconds: number;
  /** Whether a window keeps its file's array alive until its batch is collated. */
  readonly views: boolean;
  /** Share of its peak that a worker’s heap does not give back. */
  readonly heapKeeps: number;
  /** What the main process keeps of each batch that it has read. */
  readonly keptPerBatch: number;
}

/** Memory at one moment, bytes; `workers` without their own base. Read it at once: it is written again. */
export interface LoaderMemory {
  readonly seconds: number;
  /** Batches that were delivered and whose step is over. */
  readonly done: number;
  /** Of each worker, or of the main process where there is none: arrays, windows, and what its heap keeps. */
  readonly workers: Float64Array;
  /** Batches that are collated and whose step is not over. */
  readonly inFlight: number;
  readonly kept: number;
  /** Array bytes decompressed since the start. */
  readonly decompressed: number;
  /** All of these but `decompressed`. */
  readonly total: number;
}

/** Sees a run. Nearly no moment is worth a look, which costs more than all the rest of it. */
export interface LoaderWatch {
  /** Moments with no more bytes in all than this, and no more in flight than `seenInFlight`, are not looked at. */
  readonly seenTotal: number;
  readonly seenInFlight: number;
  /** Called at every other local maximum of memory; returns true to end the run there. */
  see(memory: LoaderMemory): boolean;
}

const NEVER = Infinity;
/** A sum that is kept up to date by differences may be off by its rounding. */
const ROUNDING = 1 + 1e-9;

/**
 * Simulates until all batches are done or `watch` says that it is over. Returns the last state, with bytes as they were when
 * it was last seen. Time and memory: O(batches · batch · workers), O(workers).
 */
export function simulateLoader(options: LoaderOptions, watch: LoaderWatch): LoaderMemory {
  const { batch, batches, windowBytes, nextFile, decompressSeconds, stepSeconds, views, heapKeeps } = options;
  const inMain = options.workers === 0;
  const count = Math.max(1, options.workers);
  const ahead = inMain ? 0 : count * options.prefetchFactor;
  const batchBytes = batch * windowBytes;

  const owned = new Float64Array(count);
  const array = new Float64Array(count);
  const startedAt = new Float64Array(count);
  const ends = new Float64Array(count).fill(NEVER);
  const peak = new Float64Array(count);
  /** What a worker has at most until its next event, and the sum over all. */
  const most = new Float64Array(count);
  const items = new Int32Array(count);
  /** The batch that a worker assembles or waits to start. */
  const assigned = Int32Array.from({ length: count }, (_, worker) => worker);

  let delivered = 0;
  let collated = 0;
  // Numbers that closures share: V8 keeps those of an object in place, and allocates each value of a captured variable anew.
  const own = { stepEnds: NEVER, most: 0 };
  const state = {
    seconds: 0,
    done: 0,
    workers: new Float64Array(count),
    inFlight: 0,
    kept: 0,
    decompressed: 0,
    total: 0,
  };

  const look = (): boolean => {
    const inFlight = (collated - state.done) * batchBytes;
    if (inFlight <= watch.seenInFlight && ROUNDING * (own.most + inFlight + state.kept) <= watch.seenTotal)
      return false;
    let total = 0;
    for (let worker = 0; worker < count; worker++) {
      const end = ends[worker] as number;
      let bytes = owned[worker] as number;
      if (end !== NEVER) {
        const start = startedAt[worker] as number;
        bytes +=
          (array[worker] as number) *
          (end > start ? Math.min(1, (state.seconds - start) / (end - start)) : 1);
      }
      if (bytes > (peak[worker] as number)) peak[worker] = bytes;
      const keeps = heapKeeps * (peak[worker] as number);
      total += state.workers[worker] = bytes > keeps ? bytes : keeps;
    }
    state.inFlight = inFlight;
    state.total = total + inFlight + state.kept;
    return watch.see(state);
  };

  /** A worker has `bytes`, or will have them when its array is whole. */
  const reaches = (worker: number, bytes: number): void => {
    const next = Math.max(bytes, heapKeeps * (peak[worker] as number));
    own.most += next - (most[worker] as number);
    most[worker] = next;
  };

  const startItem = (worker: number): void => {
    const bytes = nextFile(assigned[worker] as number, items[worker] as number);
    array[worker] = bytes;
    reaches(worker, (owned[worker] as number) + bytes);
    startedAt[worker] = state.seconds;
    ends[worker] = state.seconds + decompressSeconds(bytes);
  };

  /** Whether the main process has asked for a worker's next batch. */
  const asked = (worker: number): boolean => {
    const next = assigned[worker] as number;
    return next < batches && (inMain ? own.stepEnds === NEVER : next < delivered + ahead);
  };

  /** Delivers the next batch if it is there, and requests further ones. */
  const deliver = (): void => {
    const owner = delivered % count;
    if (delivered < batches && (assigned[owner] as number) > delivered) {
      delivered++;
      own.stepEnds = state.seconds + stepSeconds;
    }
    for (let worker = 0; worker < count; worker++)
      if (ends[worker] === NEVER && asked(worker)) startItem(worker);
  };

  deliver();
  while (state.done < batches) {
    let next = -1;
    let at = own.stepEnds;
    for (let worker = 0; worker < count; worker++)
      if ((ends[worker] as number) < at) {
        at = ends[worker] as number;
        next = worker;
      }
    state.seconds = at;
    if (next < 0) {
      if (look()) return state;
      state.done++;
      state.kept += options.keptPerBatch;
      own.stepEnds = NEVER;
      deliver();
      continue;
    }
    const bytes = array[next] as number;
    peak[next] = Math.max(peak[next] as number, (owned[next] as number) + bytes);
    if (look()) return state;
    state.decompressed += bytes;
    owned[next] = (owned[next] as number) + (views ? bytes : windowBytes);
    ends[next] = NEVER;
    if (++(items[next] as number) < batch) {
      startItem(next);
      continue;
    }
    // The collated batch exists beside the windows that it is made of.
    collated++;
    reaches(next, owned[next] as number);
    if (look()) return state;
    owned[next] = 0;
    reaches(next, 0);
    items[next] = 0;
    assigned[next] = (assigned[next] as number) + count;
    if (own.stepEnds === NEVER) deliver();
    else if (asked(next)) startItem(next);
  }
  return state;
}
