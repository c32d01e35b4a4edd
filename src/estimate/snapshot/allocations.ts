/** The allocations of a device's trace, each with the events between which it is there, and the levels over the events. */
import { roundSize } from '../vram/allocator';
import { CODE, isActive, reservedAtEnd, type DeviceTrace, type MemorySnapshot } from './snapshot';

/** Columns of equal length. First those that were made in the trace, in order; then those that were there before it. */
export interface Allocations {
  /** Of those that were made in the trace. */
  readonly made: number;
  /** Bytes as the allocator counts them, which are rounded. */
  readonly bytes: Float64Array;
  /** Number of the event that made it; −1 where it was there before. */
  readonly from: Int32Array;
  /** Number of the event that freed it; the number of events where none did. */
  readonly to: Int32Array;
  readonly stack: Int32Array;
}

/** Pairs a device's events of allocation and of freeing by address. A device without a trace has only what its segments hold. */
export function allocationsOf(snapshot: MemorySnapshot, device: number): Allocations {
  const trace = snapshot.traces[device];
  const events = trace?.action.length ?? 0;
  const made: number[] = [];
  const ends: number[] = [];
  /** What was there before the trace: bytes, stack, when it was freed, address. */
  const before: (readonly [bytes: number, stack: number, to: number, address: number])[] = [];
  const living = new Map<number, number>();
  const requested = new Set<number>();
  for (let event = 0; trace && event < events; event++) {
    const action = trace.action[event];
    const address = trace.address[event] as number;
    if (action === CODE.alloc) {
      living.set(address, made.push(event) - 1);
      ends.push(events);
    } else if (action === CODE.free_requested || action === CODE.free_completed) {
      // Memory counts as free when that is asked for; a completion alone is of a trace that leaves requests out.
      if (action === CODE.free_completed && requested.delete(address)) continue;
      if (action === CODE.free_requested) requested.add(address);
      const index = living.get(address);
      if (index === undefined)
        before.push([roundSize(trace.size[event] as number), trace.stack[event] as number, event, address]);
      else {
        ends[index] = event;
        living.delete(address);
      }
    }
  }
  for (const { device: of, blocks } of snapshot.segments)
    for (const block of of === device ? blocks : [])
      if (isActive(block) && !living.has(block.address))
        before.push([roundSize(block.requested), block.stack, events, block.address]);
  before.sort((a, b) => a[3] - b[3]);
  const count = made.length + before.length;
  const all: Allocations = {
    made: made.length,
    bytes: new Float64Array(count),
    from: new Int32Array(count),
    to: new Int32Array(count),
    stack: new Int32Array(count),
  };
  made.forEach((event, i) => {
    all.bytes[i] = roundSize(trace?.size[event] as number);
    all.from[i] = event;
    all.to[i] = ends[i] as number;
    all.stack[i] = trace?.stack[event] as number;
  });
  before.forEach(([bytes, stack, to], i) => {
    const at = made.length + i;
    all.bytes[at] = bytes;
    all.from[at] = -1;
    all.to[at] = to;
    all.stack[at] = stack;
  });
  return all;
}

/** Bytes allocated after each of the events from `first` to `last`. */
export function levels(
  { bytes, from, to }: Allocations,
  first: number,
  last: number,
): Float64Array<ArrayBuffer> {
  const level = new Float64Array(Math.max(0, last - first + 1));
  for (let i = 0; i < bytes.length; i++) {
    const [size, start, end] = [bytes[i] as number, from[i] as number, to[i] as number];
    if (start > last || end <= first) continue;
    const at = Math.max(0, start - first);
    level[at] = (level[at] as number) + size;
    if (end <= last) level[end - first] = (level[end - first] as number) - size;
  }
  for (let i = 1; i < level.length; i++) level[i] = (level[i] as number) + (level[i - 1] as number);
  return level;
}

/** Bytes of all segments at their highest until an event, from the segments at the end back. */
export function reservedUntil(snapshot: MemorySnapshot, device: number, until: number): number {
  const { action, size } = snapshot.traces[device] as DeviceTrace;
  let level = reservedAtEnd(snapshot, device);
  let highest = 0;
  for (let event = action.length - 1; event >= 0; event--) {
    if (event <= until) highest = Math.max(highest, level);
    const code = action[event];
    const bytes = size[event] as number;
    if (code === CODE.segment_alloc || code === CODE.segment_map) level -= bytes;
    else if (code === CODE.segment_free || code === CODE.segment_unmap) level += bytes;
  }
  return highest;
}
