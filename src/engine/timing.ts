/** How long dispatches take: by the GPU's timestamps where it has them, else by the wall clock. */
import type { Device } from './device';
import type { Command } from './program';

/** What of a command is needed to run it. */
export type Timed = Pick<Command, 'pipeline' | 'group' | 'grid'>;

const MAX_REPEATS = 1000;

/**
 * Milliseconds of one run of `commands`, averaged over enough runs in one submission to last `minimumMs`: browsers
 * round timestamps to 0.1 ms. The first run, which may still compile, is not counted.
 */
export async function timeRuns(
  device: Device,
  commands: readonly Timed[],
  minimumMs: number,
): Promise<number> {
  await time(device, commands, 1);
  let repeats = 1;
  for (;;) {
    const ms = await time(device, commands, repeats);
    if (ms >= minimumMs || repeats >= MAX_REPEATS) return ms / repeats;
    repeats = Math.min(MAX_REPEATS, Math.ceil((repeats * minimumMs * 1.5) / Math.max(ms, minimumMs / 16)));
  }
}

async function time(device: Device, commands: readonly Timed[], repeats: number): Promise<number> {
  const stamped = device.features.has('timestamp-query');
  const querySet = stamped ? device.createQuerySet(2) : undefined;
  const encoder = device.createCommandEncoder('timing');
  const pass = encoder.beginComputePass({
    label: 'timing',
    ...(querySet
      ? { timestampWrites: { querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 } }
      : {}),
  });
  for (let i = 0; i < repeats; i++)
    for (const { pipeline, group, grid } of commands) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    }
  pass.end();
  if (!querySet) {
    device.queue.submit([encoder.finish()]);
    return device.elapsed();
  }
  const resolved = await device.createBuffer(
    'timestamps',
    16,
    GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  );
  const staging = await device.createBuffer(
    'timestamps',
    16,
    GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  );
  try {
    encoder.resolveQuerySet(querySet, 0, 2, resolved.gpu, 0);
    encoder.copyBufferToBuffer(resolved.gpu, 0, staging.gpu, 0, 16);
    device.queue.submit([encoder.finish()]);
    await device.answer(staging.gpu.mapAsync(GPUMapMode.READ), 'timing');
    const [begin, end] = new BigUint64Array(staging.gpu.getMappedRange()) as unknown as [bigint, bigint];
    return Number(end - begin) / 1e6;
  } finally {
    querySet.destroy();
    resolved.destroy();
    staging.destroy();
  }
}

/** Milliseconds between which the clock of `timeRuns` cannot tell: what a submit without work seems to take; 0 with timestamps. */
export async function clockResolution(device: Device): Promise<number> {
  if (device.features.has('timestamp-query')) return 0;
  const times: number[] = [];
  for (let i = 0; i < 3; i++) times.push(await time(device, [], 1));
  return times.sort((a, b) => a - b)[1] as number;
}
