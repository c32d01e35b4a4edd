/** Whether a device deals lanes to quads as the kernels take it that it does. */
import { messageOf } from '../base/text';
import source from '../../shaders/quads.wgsl?raw';
import type { DeviceBuffer, GpuDevice } from './gpu_device';
import { Graph } from './graph';
import { kernel, write } from './ops/kernel';

/** Workgroups as the kernels have them: one quad, and more lanes than a subgroup. */
const WORKGROUPS = [4, 64, 256] as const;

/** In which a device that is being opened has to answer: nothing else was asked of it. */
const MINUTES = 2;

/** What a lane writes: the four values of its quad, its neighbour's to the side, that of the one across. */
const VALUES = 6;

/**
 * Whether lanes 4i … 4i + 3 are quad i in that order. `seen` [lanes, 6] is what shaders/quads.wgsl writes.
 * Exported for its tests.
 */
export function quadsFollowLanes(seen: Uint32Array): boolean {
  return seen.every((value, i) => {
    const lane = Math.floor(i / VALUES);
    const first = lane - (lane % 4);
    const expected = [first, first + 1, first + 2, first + 3, lane ^ 1, lane ^ 2];
    return value === expected[i % VALUES];
  });
}

/**
 * Why quads cannot be used on a device that has subgroups; undefined where they can. WGSL leaves open which lanes of a
 * workgroup make a quad, and a kernel that guessed wrong would compute nonsense without an error.
 */
export async function quadsRejected(device: GpuDevice): Promise<string | undefined> {
  for (const lanes of WORKGROUPS) {
    let seen: Uint32Array;
    try {
      seen = await exchange(device, lanes);
    } catch (error) {
      device.check();
      return `their quads do not run (${messageOf(error)})`;
    }
    if (!quadsFollowLanes(seen))
      return `their quads are not four lanes side by side in a workgroup of ${lanes}`;
  }
  return undefined;
}

async function exchange(device: GpuDevice, lanes: number): Promise<Uint32Array> {
  const where = `quads of ${lanes} lanes`;
  const graph = new Graph();
  const seen = graph.input('seen', [lanes * VALUES], 'u32');
  const dispatch = kernel({
    name: 'quads',
    source,
    bindings: [write('seen', seen)],
    workgroup: lanes,
    workgroups: 1,
    subgroups: true,
  });
  const bytes = 4 * lanes * VALUES;
  const buffers: DeviceBuffer[] = [];
  try {
    const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const values = await device.createBuffer(where, bytes, STORAGE | COPY_SRC);
    buffers.push(values);
    const readable = await device.createBuffer(where, bytes, COPY_DST | MAP_READ);
    buffers.push(readable);
    const pipeline = await device.pipeline(where, dispatch);
    await device.scoped(where, () => {
      const encoder = device.createCommandEncoder(where);
      const pass = encoder.beginComputePass({ label: where });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, device.bindGroup(where, dispatch, [{ buffer: values.gpu }]));
      pass.dispatchWorkgroups(1);
      pass.end();
      encoder.copyBufferToBuffer(values.gpu, 0, readable.gpu, 0, bytes);
      device.queue.submit([encoder.finish()]);
    });
    await device.answer(readable.gpu.mapAsync(GPUMapMode.READ), where, MINUTES);
    return new Uint32Array(readable.gpu.getMappedRange().slice(0));
  } finally {
    for (const buffer of buffers) buffer.destroy();
  }
}
