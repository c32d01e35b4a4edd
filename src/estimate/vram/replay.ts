/** A trace through the caching allocator: peaks, what lay in memory at the peak, and one step drawn over its operations. */
import { CachingAllocator, roundSize, type Block } from './allocator';
import { bytesFor } from './tape';
import type { Moment, Phase, Storage, Trace, Use } from './events';

export interface TimelinePoint {
  readonly phase: Phase;
  readonly layer: string;
  readonly op: string;
  /** Bytes allocated after the operation. */
  readonly allocated: number;
  /** Maximum of the allocated bytes while it ran. */
  readonly peak: number;
  /** What that maximum was for. */
  readonly uses: ByUse;
  readonly reserved: number;
}

/** A piece of memory and the first and last point of the timeline at which it is there. */
export interface TimelineBlock {
  readonly name: string;
  readonly layer: string;
  readonly use: Use;
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

/** One steady step, from the arrival of its windows to the optimizer's step. */
export interface Timeline {
  readonly points: readonly TimelinePoint[];
  /** In order of allocation: what is always there comes first. */
  readonly blocks: readonly TimelineBlock[];
}

export type ByUse = Readonly<Record<Use, number>>;

export interface Replay {
  /** `torch.cuda.max_memory_allocated` after the traced steps. */
  readonly allocated: number;
  /** `torch.cuda.max_memory_reserved`. */
  readonly reserved: number;
  /** What was allocated at the peak. */
  readonly atPeak: ByUse;
  readonly peak: Pick<Moment, 'phase' | 'layer' | 'op'>;
  /** The peak of each use by itself. */
  readonly max: ByUse;
}

/** Bytes by use, all 0, to be counted up. */
export const noUses = (): Record<Use, number> => ({
  parameters: 0,
  gradients: 0,
  moments: 0,
  inputs: 0,
  saved: 0,
  casts: 0,
  temporaries: 0,
  workspace: 0,
});

export interface ReplayOptions {
  /** Of a micro-batch. */
  readonly windows: number;
  /** Multiplies cuDNN's workspaces. */
  readonly workspace: number;
  /** Bytes that CUDA has for segments. */
  readonly capacity?: number | undefined;
}

/** Throws OutOfMemory where the capacity is not enough. */
export function replay(trace: Trace, options: ReplayOptions): Replay {
  const max = noUses();
  let allocated = 0;
  let reserved = 0;
  let peak: Replay['peak'] = { phase: 'start', layer: '', op: '' };
  let atPeak = noUses();
  walk(trace, options, (at, allocator, uses, use) => {
    if (use === undefined) return;
    max[use] = Math.max(max[use], uses[use]);
    reserved = Math.max(reserved, allocator.reserved);
    if (allocator.allocated <= allocated) return;
    allocated = allocator.allocated;
    atPeak = { ...uses };
    const { phase, layer, op } = trace.moments[at] as Moment;
    peak = { phase, layer, op };
  });
  return { allocated, reserved, atPeak, peak, max };
}

/** Draws the steady step. */
export function timelineOf(trace: Trace, options: ReplayOptions): Timeline {
  const first = trace.moments.findIndex(({ step }) => step === trace.steady);
  const moments = trace.moments.slice(first);
  const peaks = new Map<number, { readonly peak: number; readonly uses: ByUse }>();
  const levels = new Map<number, { allocated: number; reserved: number; uses: ByUse }>();
  walk(trace, options, (at, { allocated, reserved }, current) => {
    const uses = { ...current };
    if (allocated > (peaks.get(at)?.peak ?? 0)) peaks.set(at, { peak: allocated, uses });
    levels.set(at, { allocated, reserved, uses });
  });
  // Operations that allocate and free nothing do not change memory.
  let level = { allocated: 0, reserved: 0, uses: noUses() as ByUse };
  const points = moments.map(({ phase, layer, op }, index) => {
    const before = level;
    level = levels.get(first + index) ?? level;
    const { allocated, reserved } = level;
    const highest = peaks.get(first + index) ?? { peak: before.allocated, uses: before.uses };
    return { phase, layer, op, allocated, reserved, ...highest };
  });
  return { points, blocks: blocksOf(trace, options, first) };
}

/**
 * Called after every allocation, with its use, and after everything freed. `at`: index of the moment; `storage`: index of what
 * was allocated or freed at `address`.
 */
export type Observer = (
  at: number,
  allocator: CachingAllocator,
  uses: Readonly<Record<Use, number>>,
  use: Use | undefined,
  storage: number,
  block: Block,
) => void;

/**
 * Replays a trace's allocations and frees through the caching allocator, in order. Requests of 0 bytes are left out, as PyTorch
 * does. Throws OutOfMemory where the capacity is not enough.
 */
export function walk(trace: Trace, options: ReplayOptions, observe: Observer): void {
  const allocator = new CachingAllocator(options.capacity);
  const blocks = new Map<number, Block>();
  const uses = noUses();
  trace.moments.forEach(({ events }, at) => {
    for (const event of events) {
      const storage = trace.storages[event < 0 ? ~event : event] as Storage;
      if (event >= 0) {
        const bytes = bytesOf(storage, options);
        if (bytes === 0) continue;
        const block = allocator.allocate(bytes);
        blocks.set(event, block);
        uses[storage.use] += block.bytes;
        observe(at, allocator, uses, storage.use, event, block);
        continue;
      }
      const block = blocks.get(~event);
      if (!block) continue;
      blocks.delete(~event);
      uses[storage.use] -= block.bytes;
      allocator.release(block);
      observe(at, allocator, uses, undefined, ~event, block);
    }
  });
}

/** Bytes that PyTorch asks its allocator for. */
export const bytesOf = ({ size, workspace }: Storage, options: ReplayOptions): number =>
  bytesFor(size, options.windows) * (workspace ? options.workspace : 1);

function blocksOf(trace: Trace, options: ReplayOptions, first: number): TimelineBlock[] {
  const last = trace.moments.length - 1;
  const open = new Map<number, number>();
  const ends = new Map<number, number>();
  trace.moments.forEach((moment, at) => {
    for (const event of moment.events)
      if (event >= 0) open.set(event, at);
      else ends.set(~event, at);
  });
  return [...open]
    .map(([index, from]) => {
      const storage = trace.storages[index] as Storage;
      const { name, layer, use } = storage;
      const bytes = bytesOf(storage, options);
      return { name, layer, use, bytes: bytes && roundSize(bytes), from, to: ends.get(index) ?? last };
    })
    .filter(({ bytes, to }) => bytes > 0 && to >= first)
    .map((block) => ({ ...block, from: Math.max(0, block.from - first), to: block.to - first }));
}

/** What is in memory at a point of the timeline, largest first. */
export const livingAt = ({ blocks }: Timeline, point: number): TimelineBlock[] =>
  blocks.filter(({ from, to }) => from <= point && point <= to).sort((a, b) => b.bytes - a.bytes);
