/**
 * What PyTorch's CUDA allocator recorded: the events of each device in order, and the segments at the end. As
 * `torch.cuda.memory._snapshot` gives it (torch/cuda/memory.py, torch/csrc/cuda/memory_snapshot.cpp); events are columns,
 * because a file has millions of them. Streams, pools and the allocator's settings are not kept.
 */
/** A snapshot that cannot be used: a sentence that says what is missing. */
export class SnapshotError extends RangeError {
  override name = 'SnapshotError';
}

/** In the order of their codes. `other` is what later versions of PyTorch add. */
export const ACTIONS = [
  'alloc',
  'free_requested',
  'free_completed',
  'segment_alloc',
  'segment_free',
  'segment_map',
  'segment_unmap',
  'oom',
  'snapshot',
  'other',
] as const;

export type Action = (typeof ACTIONS)[number];

export const CODE = Object.fromEntries(ACTIONS.map((action, code) => [action, code])) as Record<
  Action,
  number
>;

/** A line of a stack trace. */
export interface Frame {
  readonly filename: string;
  readonly line: number;
  readonly name: string;
}

/** One device's events, oldest first; columns of equal length. */
export interface DeviceTrace {
  /** Codes of ACTIONS. */
  readonly action: Uint8Array;
  /** Of `oom`: what the device had free. */
  readonly address: Float64Array;
  /** Bytes: of an allocation what was requested, not rounded. */
  readonly size: Float64Array;
  /** Indices of stacks; −1 where no stack was recorded. */
  readonly stack: Int32Array;
  /** Microseconds; NaN where no time was recorded. */
  readonly time: Float64Array;
}

export interface SnapshotBlock {
  readonly address: number;
  /** Bytes, and those of them that were requested. */
  readonly size: number;
  readonly requested: number;
  readonly state: string;
  readonly stack: number;
}

export interface SnapshotSegment {
  readonly device: number;
  readonly address: number;
  readonly size: number;
  readonly small: boolean;
  readonly stack: number;
  readonly blocks: readonly SnapshotBlock[];
}

export interface MemorySnapshot {
  /** By device. */
  readonly traces: readonly DeviceTrace[];
  readonly segments: readonly SnapshotSegment[];
  /** Indices of frames, innermost first. */
  readonly stacks: readonly Int32Array[];
  readonly frames: readonly Frame[];
}

/** Whether a block is in use, or is to be freed once other streams are done with it. */
export const isActive = ({ state }: Pick<SnapshotBlock, 'state'>): boolean => state.startsWith('active');

/** The frames of a stack, innermost first; none for a number that is no stack. */
export const framesOf = ({ stacks, frames }: MemorySnapshot, stack: number): readonly Frame[] =>
  Array.from(stacks[stack] ?? [], (frame) => frames[frame] as Frame);

/** Bytes of a device's segments at the end of the trace. */
export const reservedAtEnd = ({ segments }: MemorySnapshot, device: number): number =>
  segments.filter((segment) => segment.device === device).reduce((sum, { size }) => sum + size, 0);
