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
  /** Bytes in flight beyond these do not count in all. */
  readonly maxInFlight: number;
  /** Called at every other local maximum of memory; returns true to end the run there. */
  see(memory: LoaderMemory): boolean;
}

const NEVER = Infinity;
/** A sum that is kept up to date by differences may be off by its rounding: so much more is not worth a look. */
const ROUNDING = 1 + 1e-9;

/**
 * Simulates until all batches are done or `watch` says that it is over. Returns the last state, with bytes as they were when
 * it was last seen. Time and memory: O(batches · batch · log workers), O(workers).
 */
export function simulateLoader(options: LoaderOptions, watch: LoaderWatch): LoaderMemory {
  const { batch, batches, windowBytes, nextFile, decompressSeconds, stepSeconds, views, heapKeeps } = options;
  const inMain = options.workers === 0;
  const count = Math.max(1, options.workers);
  const requested = inMain ? 0 : count * options.prefetchFactor;
  const batchBytes = batch * windowBytes;

  const owned = new Float64Array(count);
  const array = new Float64Array(count);
  const startedAt = new Float64Array(count);
  const ends = new Soonest(count);
  const peak = new Float64Array(count);
  /** What a worker's heap does not give back. */
  const keeps = new Float64Array(count);
  /** Workers that will have more than that by their next event, `exceeding` of them in any order, and where each is among them. */
  const exceeders = new Int32Array(count);
  const places = new Int32Array(count).fill(-1);
  /** An array grows by `rate` bytes a second, and had `ahead` less than nothing at second 0; of those that grow the sums. */
  const rate = new Float64Array(count);
  const ahead = new Float64Array(count);
  const items = new Int32Array(count);
  /** The batch that a worker assembles or waits to start. */
  const assigned = Int32Array.from({ length: count }, (_, worker) => worker);

  let delivered = 0;
  let collated = 0;
  // Numbers that closures share: V8 keeps those of an object in place, and allocates each value of a captured variable anew.
  const own = { stepEnds: NEVER, keeps: 0, exceeding: 0, owned: 0, rate: 0, ahead: 0 };
  const state = {
    seconds: 0,
    done: 0,
    workers: new Float64Array(count),
    inFlight: 0,
    kept: 0,
    decompressed: 0,
    total: 0,
  };

  /** What a worker has now. */
  const bytesOf = (worker: number): number => {
    const end = ends.at(worker);
    if (end === NEVER) return owned[worker] as number;
    const start = startedAt[worker] as number;
    const share = end > start ? Math.min(1, (state.seconds - start) / (end - start)) : 1;
    return (owned[worker] as number) + (array[worker] as number) * share;
  };

  /** What all workers have now, with what their heaps keep. */
  const ofWorkers = (): number => {
    if (heapKeeps === 0) return own.owned + own.rate * state.seconds - own.ahead;
    let sum = own.keeps;
    for (let i = 0; i < own.exceeding; i++) {
      const worker = exceeders[i] as number;
      sum += Math.max(0, bytesOf(worker) - (keeps[worker] as number));
    }
    return sum;
  };

  const setPeak = (worker: number, bytes: number): void => {
    if (bytes <= (peak[worker] as number)) return;
    peak[worker] = bytes;
    own.keeps += heapKeeps * bytes - (keeps[worker] as number);
    keeps[worker] = heapKeeps * bytes;
  };

  const look = (): boolean => {
    const inFlight = (collated - state.done) * batchBytes;
    const counted = Math.min(inFlight, watch.maxInFlight);
    if (inFlight <= watch.seenInFlight && ofWorkers() + counted + state.kept <= ROUNDING * watch.seenTotal)
      return false;
    let total = 0;
    for (let worker = 0; worker < count; worker++) {
      const bytes = bytesOf(worker);
      setPeak(worker, bytes);
      total += state.workers[worker] = Math.max(bytes, keeps[worker] as number);
    }
    state.inFlight = inFlight;
    state.total = total + inFlight + state.kept;
    return watch.see(state);
  };

  /** A worker has `bytes`, or will have them when its array is whole. */
  const reaches = (worker: number, bytes: number): void => {
    if (heapKeeps === 0) return;
    const place = places[worker] as number;
    if (bytes > (keeps[worker] as number) === place >= 0) return;
    if (place < 0) {
      places[worker] = own.exceeding;
      exceeders[own.exceeding++] = worker;
    } else {
      const last = exceeders[--own.exceeding] as number;
      exceeders[place] = last;
      places[last] = place;
      places[worker] = -1;
    }
  };

  const grows = (worker: number, sign: 1 | -1): void => {
    own.rate += sign * (rate[worker] as number);
    own.ahead += sign * (ahead[worker] as number);
  };

  const startItem = (worker: number): void => {
    const bytes = nextFile(assigned[worker] as number, items[worker] as number);
    array[worker] = bytes;
    reaches(worker, (owned[worker] as number) + bytes);
    startedAt[worker] = state.seconds;
    const seconds = decompressSeconds(bytes);
    ends.set(worker, state.seconds + seconds);
    rate[worker] = seconds > 0 ? bytes / seconds : 0;
    ahead[worker] = seconds > 0 ? rate[worker] * state.seconds : -bytes;
    grows(worker, 1);
  };

  /** Whether the main process has asked for a worker's next batch. */
  const asked = (worker: number): boolean => {
    const next = assigned[worker] as number;
    return next < batches && (inMain ? own.stepEnds === NEVER : next < delivered + requested);
  };

  const startIfAsked = (worker: number): void => {
    if (ends.at(worker) === NEVER && asked(worker)) startItem(worker);
  };

  /**
   * Delivers the next batch if it is there, which asks its worker for a further one. `idle`: a worker that has just finished a
   * batch, or the main process that is about to.
   */
  const deliver = (idle: number): void => {
    const owner = delivered % count;
    if (delivered < batches && (assigned[owner] as number) > delivered) {
      delivered++;
      own.stepEnds = state.seconds + stepSeconds;
    }
    startIfAsked(Math.min(owner, idle));
    startIfAsked(Math.max(owner, idle));
  };

  for (let worker = 0; worker < count; worker++) startIfAsked(worker);
  while (state.done < batches) {
    const next = ends.first();
    const end = ends.at(next);
    state.seconds = Math.min(own.stepEnds, end);
    if (own.stepEnds <= end) {
      if (look()) return state;
      state.done++;
      state.kept += options.keptPerBatch;
      own.stepEnds = NEVER;
      deliver(delivered % count);
      continue;
    }
    const bytes = array[next] as number;
    setPeak(next, (owned[next] as number) + bytes);
    if (look()) return state;
    state.decompressed += bytes;
    grows(next, -1);
    const stays = views ? bytes : windowBytes;
    owned[next] = (owned[next] as number) + stays;
    own.owned += stays;
    if (++(items[next] as number) < batch) {
      startItem(next);
      continue;
    }
    ends.set(next, NEVER);
    // The collated batch exists beside the windows that it is made of.
    collated++;
    reaches(next, owned[next]);
    if (look()) return state;
    own.owned -= owned[next];
    owned[next] = 0;
    reaches(next, 0);
    items[next] = 0;
    assigned[next] = (assigned[next] as number) + count;
    if (own.stepEnds === NEVER) deliver(next);
    else startIfAsked(next);
  }
  return state;
}

/** The moments at which workers end, and whose is the first: a tournament, in which a change asks log2(workers) times. */
class Soonest {
  readonly #leaves: number;
  readonly #ends: Float64Array;
  /** Of node n, whose children are 2n and 2n + 1, the worker that ends first; of equals the first one. */
  readonly #winners: Int32Array;

  constructor(workers: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(workers));
    this.#ends = new Float64Array(this.#leaves).fill(NEVER);
    this.#winners = new Int32Array(2 * this.#leaves);
    for (let worker = 0; worker < this.#leaves; worker++) this.#winners[this.#leaves + worker] = worker;
    for (let node = this.#leaves - 1; node >= 1; node--)
      this.#winners[node] = this.#winners[2 * node] as number;
  }

  at(worker: number): number {
    return this.#ends[worker] as number;
  }

  set(worker: number, end: number): void {
    const [ends, winners] = [this.#ends, this.#winners];
    ends[worker] = end;
    for (let node = (this.#leaves + worker) >> 1; node >= 1; node >>= 1) {
      const left = winners[2 * node] as number;
      const right = winners[2 * node + 1] as number;
      winners[node] = (ends[right] as number) < (ends[left] as number) ? right : left;
    }
  }

  first(): number {
    return this.#winners[1] as number;
  }
}
