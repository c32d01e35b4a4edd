import { afterEach, expect, test, vi } from 'vitest';
import { Device } from '../../../src/engine/device';
import { Graph } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { Program } from '../../../src/engine/program';
import { selfCheck } from '../../../src/engine/self_check';
import { tune } from '../../../src/engine/tune';
import { requestNullGpu } from './null_gpu';

const never = new Promise<never>(() => undefined);

afterEach(() => void vi.restoreAllMocks());

/** Timers of a minute and more, which run only when they are told to; Dawn needs the others. */
function longTimers(): { readonly elapse: (minutes: number) => void } {
  const [start, stop] = [globalThis.setTimeout, globalThis.clearTimeout];
  const waiting = new Map<unknown, { readonly run: () => void; readonly minutes: number }>();
  vi.spyOn(globalThis, 'setTimeout').mockImplementation((run: () => void, ms = 0) => {
    if (ms < 60_000) return start(run, ms);
    const timer = start(() => undefined, 0);
    waiting.set(timer, { run, minutes: ms / 60_000 });
    return timer;
  });
  vi.spyOn(globalThis, 'clearTimeout').mockImplementation((timer) => {
    if (!waiting.delete(timer)) stop(timer);
  });
  const elapse = (minutes: number): void => {
    for (const timer of [...waiting.values()]) if (timer.minutes <= minutes) timer.run();
  };
  return { elapse };
}

/** What `work` says after `minutes` on a GPU that does not answer. */
async function hung(minutes: number, work: () => Promise<unknown>): Promise<unknown> {
  const { elapse } = longTimers();
  const asked = new Promise<void>((resolve) => {
    const hang = (): Promise<never> => (resolve(), never);
    vi.spyOn(GPUBuffer.prototype, 'mapAsync').mockImplementation(hang);
    vi.spyOn(GPUQueue.prototype, 'onSubmittedWorkDone').mockImplementation(hang);
  });
  const said = work().catch((error: unknown) => error);
  await Promise.race([asked, said]);
  const soon = (): Promise<string> => new Promise((resolve) => setTimeout(() => resolve('nothing'), 100));
  await soon();
  elapse(minutes - 1);
  expect(await Promise.race([said, soon()])).toBe('nothing');
  elapse(minutes);
  return said;
}

const lost = (minutes: number) => ({
  kind: 'device-lost',
  message: `the device: the GPU gave no answer for ${minutes} minutes`,
});

function product() {
  const graph = new Graph();
  return { graph, y: linear(graph, graph.input('x', [128, 64]), graph.input('weight', [64, 64])) };
}

test('what a GPU does not answer ends with a sentence: reading, waiting, the check and the choice of kernels', async () => {
  const gpu = await requestNullGpu();
  const works: readonly ((device: Device) => Promise<unknown>)[] = [
    async (device) => {
      const { graph, y } = product();
      const program = await Program.compile(device, graph, { outputs: [y] });
      program.run();
      return program.read();
    },
    async (device) => {
      const { graph, y } = product();
      return (await Program.compile(device, graph, { outputs: [y] })).finish();
    },
    (device) => selfCheck(device),
    (device) => tune(device, [product().graph], new Map<string, string>()),
  ];
  for (const work of works) {
    const device = await Device.request(gpu, { defaultsOnly: true });
    expect(await hung(10, () => work(device))).toMatchObject(lost(10));
    expect(device.failure).toMatchObject(lost(10));
    vi.restoreAllMocks();
  }
});

test('a GPU whose quads give no answer is not opened', async () => {
  const gpu = await requestNullGpu();
  expect(await hung(2, () => Device.request(gpu))).toMatchObject(lost(2));
});

test('an answer in time is passed on, and a wait for a person has no end', async () => {
  const device = await Device.request(await requestNullGpu(), { defaultsOnly: true });
  const { elapse } = longTimers();
  expect(await device.answer(Promise.resolve(3), 'reading')).toBe(3);
  const paused = device.guard(never, 'the pause').catch((error: unknown) => error);
  elapse(24 * 60);
  expect(device.failure).toBe(undefined);
  device.giveUp('it was taken away');
  expect(await paused).toMatchObject({ message: 'the device: it was taken away' });
});
