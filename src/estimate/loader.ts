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

const NEVER = Infinity;

/**
 * Simulates until all batches are done or `see` says that it is over. `see` is called at every local maximum of memory;
 * it returns true to end the run there. Returns the last state. Time and memory: O(batches · batch · workers), O(workers).
 */
export function simulateLoader(options: LoaderOptions, see: (memory: LoaderMemory) => boolean): LoaderMemory {
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
  const items = new Int32Array(count);
  /** The batch that a worker assembles or waits to start. */
  const assigned = Int32Array.from({ length: count }, (_, worker) => worker);

  let delivered = 0;
  let collated = 0;
  let stepEnds = NEVER;
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
    state.inFlight = (collated - state.done) * batchBytes;
    state.total = total + state.inFlight + state.kept;
    return see(state);
  };

  const startItem = (worker: number): void => {
    const bytes = nextFile(assigned[worker] as number, items[worker] as number);
    array[worker] = bytes;
    startedAt[worker] = state.seconds;
    ends[worker] = state.seconds + decompressSeconds(bytes);
  };

  /** Whether the main process has asked for a worker's next batch. */
  const asked = (worker: number): boolean => {
    const next = assigned[worker] as number;
    return next < batches && (inMain ? stepEnds === NEVER : next < delivered + ahead);
  };

  /** Delivers the next batch if it is there, and requests further ones. */
  const deliver = (): void => {
    const owner = delivered % count;
    if (delivered < batches && (assigned[owner] as number) > delivered) {
      delivered++;
      stepEnds = state.seconds + stepSeconds;
    }
    for (let worker = 0; worker < count; worker++)
      if (ends[worker] === NEVER && asked(worker)) startItem(worker);
  };

  deliver();
  while (state.done < batches) {
    let next = -1;
    let at = stepEnds;
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
      stepEnds = NEVER;
      deliver();
      continue;
    }
    if (look()) return state;
    const bytes = array[next] as number;
    state.decompressed += bytes;
    owned[next] = (owned[next] as number) + (views ? bytes : windowBytes);
    ends[next] = NEVER;
    if (++(items[next] as number) < batch) {
      startItem(next);
      continue;
    }
    // The collated batch exists beside the windows that it is made of.
    collated++;
    if (look()) return state;
    owned[next] = 0;
    items[next] = 0;
    assigned[next] = (assigned[next] as number) + count;
    if (stepEnds === NEVER) deliver();
    else if (asked(next)) startItem(next);
  }
  return state;
}
