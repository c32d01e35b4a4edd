/** How long the steps of a training take one after another, and for how much of that the GPU waits for the next. */
import type { Device } from '../../src/engine/device';
import type { Program } from '../../src/engine/program';

export interface StepTimes {
  /** Milliseconds a step. */
  readonly ms: number;
  /** Share of the GPU's time, from the first step's start to the last one's end, that lies between two steps; undefined without timestamps. */
  readonly idle: number | undefined;
}

/** Steps of which so many may have results that are unread. */
export async function timeSteps(program: Program, steps: number, unread: number): Promise<StepTimes> {
  const { device } = program;
  const stamps = device.features.has('timestamp-query') ? device.createQuerySet(2 * steps) : undefined;
  const reads: Promise<unknown>[] = [];
  try {
    const started = performance.now();
    for (let step = 1; step <= steps; step++) {
      await reads[step - 1 - unread];
      if (stamps) stamp(device, stamps, 2 * step - 2);
      program.run({ step, seed: 1, learningRate: 3e-4 });
      reads.push(program.read());
      if (stamps) stamp(device, stamps, 2 * step - 1);
    }
    await Promise.all(reads);
    const ms = (performance.now() - started) / steps;
    return { ms, idle: stamps && idleShare(await nanoseconds(device, stamps, 2 * steps)) };
  } finally {
    stamps?.destroy();
  }
}

/** Has the GPU note the time when all that was submitted before is done. */
function stamp(device: Device, querySet: GPUQuerySet, index: number): void {
  const encoder = device.createCommandEncoder('time');
  encoder
    .beginComputePass({ label: 'time', timestampWrites: { querySet, endOfPassWriteIndex: index } })
    .end();
  device.queue.submit([encoder.finish()]);
}

async function nanoseconds(device: Device, querySet: GPUQuerySet, count: number): Promise<bigint[]> {
  const bytes = 8 * count;
  const usage = GPUBufferUsage;
  const resolved = await device.createBuffer('timestamps', bytes, usage.QUERY_RESOLVE | usage.COPY_SRC);
  const staging = await device.createBuffer('timestamps', bytes, usage.COPY_DST | usage.MAP_READ);
  try {
    const encoder = device.createCommandEncoder('timestamps');
    encoder.resolveQuerySet(querySet, 0, count, resolved.gpu, 0);
    encoder.copyBufferToBuffer(resolved.gpu, 0, staging.gpu, 0, bytes);
    device.queue.submit([encoder.finish()]);
    await device.guard(staging.gpu.mapAsync(GPUMapMode.READ), 'timestamps');
    return [...new BigUint64Array(staging.gpu.getMappedRange())];
  } finally {
    resolved.destroy();
    staging.destroy();
  }
}

/** `times`: starts and ends of steps in turn. */
function idleShare(times: readonly bigint[]): number {
  let waited = 0n;
  for (let i = 1; i + 1 < times.length; i += 2) waited += (times[i + 1] as bigint) - (times[i] as bigint);
  return Number(waited) / Number((times[times.length - 1] as bigint) - (times[0] as bigint));
}
