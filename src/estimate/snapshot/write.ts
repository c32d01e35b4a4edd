/**
 * Writes a snapshot as PyTorch's viewer opens it (pytorch.org/memory_viz; torch/utils/viz/MemoryViz.js reads protocols 2 to
 * 4), with the keys of torch/csrc/cuda/memory_snapshot.cpp. No categories: the viewer fails on those of which none is “unknown”.
 */
import { pickle } from '../../checkpoints/pickle';
import { Tuple, type PythonValue } from '../../checkpoints/python';
import {
  ACTIONS,
  CODE,
  framesOf,
  isActive,
  type DeviceTrace,
  type MemorySnapshot,
  type SnapshotSegment,
} from './snapshot';

const dict = (entries: Readonly<Record<string, PythonValue>>): PythonValue =>
  new Map(Object.entries(entries));

/** The file, of protocol 2. */
export function writeSnapshot(snapshot: MemorySnapshot): Uint8Array<ArrayBuffer> {
  const stacks = snapshot.stacks.map((_, stack) =>
    framesOf(snapshot, stack).map(({ filename, line, name }) => dict({ name, filename, line })),
  );
  const frames = (stack: number): PythonValue => stacks[stack] ?? [];
  return pickle(
    dict({
      segments: snapshot.segments.map((segment) => segmentDict(segment, frames)),
      device_traces: snapshot.traces.map((trace) => eventDicts(trace, frames)),
    }),
  ).bytes;
}

type Frames = (stack: number) => PythonValue;

function segmentDict({ device, address, size, small, stack, blocks }: SnapshotSegment, frames: Frames) {
  const active = blocks.filter(isActive);
  const sum = (sizes: readonly number[]): number => sizes.reduce((total, bytes) => total + bytes, 0);
  return dict({
    device,
    address,
    total_size: size,
    allocated_size: sum(active.map((block) => block.size)),
    active_size: sum(active.map((block) => block.size)),
    requested_size: sum(active.map(({ requested }) => requested)),
    stream: 0,
    segment_type: small ? 'small' : 'large',
    segment_pool_id: new Tuple([0, 0]),
    is_expandable: false,
    frames: frames(stack),
    blocks: blocks.map((block) =>
      dict({
        address: block.address,
        size: block.size,
        requested_size: block.requested,
        state: block.state,
        frames: frames(block.stack),
      }),
    ),
  });
}

const eventDicts = ({ action, address, size, stack, time }: DeviceTrace, frames: Frames): PythonValue[] =>
  Array.from(action, (code, i) => {
    const at = time[i] ?? NaN;
    return dict({
      action: ACTIONS[code] ?? 'other',
      [code === CODE.oom ? 'device_free' : 'addr']: address[i] ?? 0,
      size: size[i] ?? 0,
      stream: 0,
      frames: frames(stack[i] ?? -1),
      ...(!Number.isNaN(at) && { time_us: at }),
    });
  });
