/**
 * What a device reaches, measured: memory bandwidth by copying, arithmetic by chains of multiply-adds (shaders/profile.wgsl).
 * Takes up to about a second, with a coarse clock some. Whatever else the device does meanwhile is measured too.
 */
import { MIB } from '../base/units';
import source from '../../shaders/profile.wgsl?raw';
import { EngineError, type Device, type DeviceBuffer } from './device';
import { bytesOf, Graph, type Tensor } from './graph';
import type { Dispatch } from './ops/definition';
import { kernel, read, write } from './ops/kernel';
import { foldGrid } from './program';
import { clockResolution, lastingMs, shorterThan, timeRuns } from './timing';

export interface DeviceProfile {
  /** Of a vec4 copy, bytes read and bytes written both counted. */
  readonly bandwidthBytesPerSecond: number;
  /** float32, a fused multiply-add counted as two. */
  readonly flopsPerSecond: number;
}

const WORKGROUP = 64;

/** Browsers round timestamps to 0.1 ms. */
const MEASURED_MS = 20;
/** No dispatch is meant to take longer: watchdogs end those that do. */
const DISPATCH_MS = 40;
/** The fastest counts: what slows a run down is not the device's limit. */
const TRIALS = 2;

const PROBE_BYTES = 4 * MIB;
/** Far above every cache, and within the default limit of a binding. */
const LARGEST_BYTES = 128 * MIB;
const PER_THREAD = 8;

const CHAINS = 8;
const UNROLL = 16;
/** Enough for the largest GPUs. */
const THREADS = 2 ** 16;
/** c ← c · m + (1 − m) stays near 1 for ever. */
const MULTIPLIER = 0.99;
/** Long enough that what a dispatch costs by itself does not count. */
const CHAIN_MS = 5;

/** Measures a device's memory bandwidth and FLOP rate; what a coarse clock cannot tell counts as at least so fast. Throws EngineError when the device fails. */
export async function profileDevice(device: Device): Promise<DeviceProfile> {
  const resolution = await clockResolution(device);
  return {
    bandwidthBytesPerSecond: await bandwidth(device, resolution),
    flopsPerSecond: await flopRate(device, resolution),
  };
}

/** Copies what takes one dispatch well below a watchdog's limit, up to 128 MiB. */
async function bandwidth(device: Device, resolution: number): Promise<number> {
  const rate = (bytes: number, adjacent: boolean): Promise<number> =>
    copyRate(device, bytes, adjacent, lastingMs(resolution, MEASURED_MS));
  const sideBySide = await rate(PROBE_BYTES, false);
  const adjacent = await rate(PROBE_BYTES, true);
  const probed = Math.max(sideBySide, adjacent);
  const fitting = 2 ** Math.floor(Math.log2((probed * DISPATCH_MS) / 2000));
  let bytes = Math.min(fitting, LARGEST_BYTES);
  while (bytes > PROBE_BYTES)
    try {
      return await rate(bytes, adjacent > sideBySide);
    } catch (error) {
      if (!(error instanceof EngineError && error.kind === 'out-of-memory')) throw error;
      bytes /= 2;
    }
  return probed;
}

async function copyRate(
  device: Device,
  bytes: number,
  adjacent: boolean,
  minimumMs: number,
): Promise<number> {
  const graph = new Graph();
  const original = graph.input('original', [bytes / 4]);
  const copied = graph.input('copied', [bytes / 4]);
  const dispatch = kernel({
    name: 'profile_copy',
    source,
    defines: { COPY: true, PER_THREAD, ADJACENT: adjacent },
    bindings: [read('original', original, 'vec4f'), write('copied', copied, 'vec4f')],
    workgroup: WORKGROUP,
    workgroups: bytes / (16 * PER_THREAD * WORKGROUP),
  });
  const ms = await withBuffers(device, [original, copied], (buffers) =>
    milliseconds(device, dispatch, buffers, minimumMs),
  );
  return (2 * bytes * 1000) / ms;
}

async function flopRate(device: Device, resolution: number): Promise<number> {
  const graph = new Graph();
  const operands = graph.input('operands', [4]);
  const result = graph.input('result', [4]);
  const dispatch = kernel({
    name: 'profile_multiply',
    source,
    defines: { COPY: false, CHAINS, UNROLL },
    bindings: [read('operands', operands), write('result', result)],
    workgroup: WORKGROUP,
    workgroups: THREADS / WORKGROUP,
  });
  return withBuffers(device, [operands, result], async (buffers) => {
    const timed = (rounds: number, minimum: number): Promise<number> => {
      const values = Float32Array.of(MULTIPLIER, 1 - MULTIPLIER, rounds, 1 / WORKGROUP);
      device.queue.writeBuffer((buffers[0] as DeviceBuffer).gpu, 0, values);
      return milliseconds(device, dispatch, buffers, lastingMs(resolution, minimum));
    };
    const rounds = Math.max(1, Math.round(CHAIN_MS / (await timed(1, CHAIN_MS))));
    return (8 * CHAINS * UNROLL * THREADS * rounds * 1000) / (await timed(rounds, MEASURED_MS));
  });
}

async function withBuffers<T>(
  device: Device,
  tensors: readonly Tensor[],
  work: (buffers: readonly DeviceBuffer[]) => Promise<T>,
): Promise<T> {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffers: DeviceBuffer[] = [];
  try {
    for (const tensor of tensors)
      buffers.push(await device.createBuffer(`measuring: ${tensor.name}`, bytesOf(tensor), usage));
    return await work(buffers);
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}

/** Of one dispatch, in the fastest of some trials of at least `minimum` milliseconds. */
async function milliseconds(
  device: Device,
  dispatch: Dispatch,
  buffers: readonly DeviceBuffer[],
  minimum: number,
): Promise<number> {
  const where = `measuring (${dispatch.kernel})`;
  const pipeline = await device.pipeline(where, dispatch);
  const resources = buffers.map(({ gpu }) => ({ buffer: gpu }));
  const group = await device.scoped(where, () => device.bindGroup(where, dispatch, resources));
  const command = { pipeline, group, grid: foldGrid(dispatch.workgroups) };
  let fastest = Infinity;
  for (let trial = 0; trial < TRIALS; trial++)
    fastest = Math.min(fastest, (await timeRuns(device, [command], minimum)) ?? shorterThan(minimum));
  return fastest;
}
