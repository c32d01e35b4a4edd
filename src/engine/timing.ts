/** How long dispatches take: by the GPU's timestamps where it has them, else by the wall clock. */
import type { Device } from './device';
import type { Command } from './program';

/** What of a command is needed to run it. */
export type Timed = Pick<Command, 'pipeline' | 'group' | 'grid'>;

/** No GPU starts a dispatch in less than a microsecond. */
const MAX_REPEATS = 10_000;

/** So many ticks of the clock must a measurement last. */
const TICKS = 4;

/** With a coarser clock (milliseconds) the timing of hundreds of dispatches would take minutes. */
export const COARSEST_MS = 20;

/**
 * Milliseconds of one run of `commands`, averaged over enough runs in one submission to last `minimumMs`: browsers
 * round timestamps to 0.1 ms. The first run, which may still compile, is not counted. Undefined where so many runs as can be
 * submitted are shorter: what the clock says of them is noise.
 */
export async function timeRuns(
  device: Device,
  commands: readonly Timed[],
  minimumMs: number,
): Promise<number | undefined> {
  await time(device, commands, 1);
  let repeats = 1;
  for (;;) {
    const ms = await time(device, commands, repeats);
    if (ms >= minimumMs) return ms / repeats;
    if (repeats >= MAX_REPEATS) return undefined;
    repeats = Math.min(MAX_REPEATS, Math.ceil((repeats * minimumMs * 1.5) / Math.max(ms, minimumMs / 16)));
  }
}

/** What a run takes at most where `timeRuns` cannot tell. */
export const shorterThan = (minimumMs: number): number => minimumMs / MAX_REPEATS;

/** How long a measurement has to last by a clock of this resolution, all in milliseconds: `minimumMs` or more. */
export const lastingMs = (resolution: number, minimumMs: number): number =>
  Math.max(minimumMs, TICKS * resolution);

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
    const [start, end] = new BigUint64Array(staging.gpu.getMappedRange()) as unknown as [bigint, bigint];
    return Number(end - start) / 1e6;
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
