/**
 * The predicted run as the snapshot that PyTorch would record of it: its first steps through the simulated allocator, event
 * by event. A stack names what is allocated and for which operation. Times are not known, so there are none.
 */
import type { Block } from '../vram/allocator';
import type { Trace } from '../vram/events';
import { checkRun, windowsOf, type VramRun } from '../vram/options';
import { bytesOf, walk, type ReplayOptions } from '../vram/replay';
import { traceOf, WORKSPACES } from '../vram/scenarios';
import { EventColumns } from './columns';
import { CODE, type Action, type Frame, type MemorySnapshot, type SnapshotSegment } from './snapshot';

/** Where CUDA's addresses start on Linux; only their differences mean something here. */
const BASE = 0x7f_0000_000000;

/** Throws RangeError for an impossible run. */
export function predictedSnapshot(run: VramRun): MemorySnapshot {
  checkRun(run);
  return snapshotOf(traceOf(run), { windows: windowsOf(run), workspace: WORKSPACES.likely });
}

/** The snapshot of a traced loop. Throws OutOfMemory where `options.capacity` is not enough. */
export function snapshotOf(trace: Trace, options: ReplayOptions): MemorySnapshot {
  const events = new EventColumns();
  const stacks = new Stacks();
  /** The first block of each segment, which stays its first. */
  const segments: { readonly first: Block; readonly size: number; readonly stack: number }[] = [];
  const living = new Map<number, { readonly requested: number; readonly stack: number }>();
  let count = 0;
  const add = (action: Action, address: number, size: number, stack: number): void => {
    events.add(CODE[action], BASE + address, size, stack, NaN);
    count++;
  };
  let reserved = 0;
  walk(trace, options, (at, allocator, _uses, use, index, block) => {
    const storage = trace.storages[index];
    const moment = trace.moments[at];
    if (!storage || !moment) return;
    const operation = { filename: `${moment.phase}, step ${moment.step}`, line: 0, name: moment.op };
    const stack = stacks.of([
      { filename: storage.layer, line: 0, name: `${storage.name} (${storage.use})` },
      operation,
    ]);
    const requested = bytesOf(storage, options);
    if (use === undefined) {
      // A block that was merged into the one before it keeps its own address.
      living.delete(block.address);
      add('free_requested', block.address, requested, stack);
      add('free_completed', block.address, requested, stack);
      return;
    }
    if (allocator.reserved > reserved) {
      const size = allocator.reserved - reserved;
      segments.push({ first: block, size, stack });
      add('segment_alloc', block.address, size, stack);
    }
    reserved = allocator.reserved;
    living.set(block.address, { requested, stack });
    add('alloc', block.address, requested, stack);
  });
  return {
    traces: [events.part(0, count)],
    segments: segments.map(({ first, size, stack }): SnapshotSegment => {
      const blocks = [];
      for (let block: Block | undefined = first; block; block = block.next) {
        const known = living.get(block.address);
        blocks.push({
          address: BASE + block.address,
          size: block.bytes,
          requested: known?.requested ?? 0,
          state: known ? 'active_allocated' : 'inactive',
          stack: known?.stack ?? -1,
        });
      }
      return { device: 0, address: BASE + first.address, size, small: first.small, stack, blocks };
    }),
    stacks: stacks.stacks,
    frames: stacks.frames,
  };
}

/** Frames and stacks, each once. */
class Stacks {
  readonly frames: Frame[] = [];
  readonly stacks: Int32Array[] = [];
  readonly #frames = new Map<string, number>();
  readonly #stacks = new Map<string, number>();

  of(frames: readonly Frame[]): number {
    const ids = frames.map((frame) =>
      once(this.#frames, JSON.stringify(frame), () => this.frames.push(frame)),
    );
    return once(this.#stacks, ids.join(), () => this.stacks.push(Int32Array.from(ids)));
  }
}

/** The number of a key; `add` says how many there are with it. */
function once(known: Map<string, number>, key: string, add: () => number): number {
  const index = known.get(key) ?? add() - 1;
  known.set(key, index);
  return index;
}
