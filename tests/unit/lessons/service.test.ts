import { afterEach, beforeAll, expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import type { RunEvent } from '../../../src/lessons/loop/protocol';
import { TrainingService } from '../../../src/lessons/loop/service';
import { losable } from '../run/losable';
import { TINY } from './record';

let gpu: GPU;
let lose: () => void;
let service: TrainingService;
beforeAll(async () => {
  ({ gpu, lose } = losable(await requestNodeGpu()));
  service = new TrainingService(gpu, new Map());
});
afterEach(() => service.stop());

/** Starts a run; resolves with its events when the worker has closed the port. */
async function start(of: TrainingService, onEvent: (event: RunEvent) => void): Promise<RunEvent[]> {
  const { port1, port2 } = new MessageChannel();
  const events: RunEvent[] = [];
  const closed = new Promise<RunEvent[]>((resolve) => port1.addEventListener('close', () => resolve(events)));
  port1.onmessage = ({ data }: MessageEvent<RunEvent>) => {
    events.push(data);
    onEvent(data);
  };
  await of.start(TINY, port2);
  return closed;
}

test('the device is described', async () => {
  const report = await service.device();
  expect(report.features).toEqual([...report.features].sort());
  expect(Object.fromEntries(report.limits)['maxStorageBufferBindingSize']).toBeGreaterThanOrEqual(2 ** 27);
  expect(report).toMatchObject({ bandwidthBytesPerSecond: null, flopsPerSecond: null });
});

test('the device is measured once, and remembered', async () => {
  const report = await service.measure();
  expect(report.bandwidthBytesPerSecond).toBeGreaterThan(0);
  expect(report.flopsPerSecond).toBeGreaterThan(0);
  expect(await service.device()).toEqual(report);
});

test('one run at a time, and no measuring meanwhile', async () => {
  let rejections: Promise<PromiseSettledResult<unknown>[]> = Promise.resolve([]);
  const events = await start(service, ({ type }) => {
    if (type !== 'preparing') return;
    const { port2 } = new MessageChannel();
    rejections = Promise.allSettled([service.start(TINY, port2), service.measure()]);
    service.stop();
  });
  expect((await rejections).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(events.at(-1)).toMatchObject({ type: 'finished', reason: 'stopped' });
  const again = await start(service, () => service.stop());
  expect(again.at(-1)).toMatchObject({ type: 'finished', reason: 'stopped' });
});

test('a lost device is replaced', async () => {
  await service.device();
  lose();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const events = await start(service, () => service.stop());
  expect(events.at(-1)?.type).toBe('finished');
});

test('without WebGPU calls are rejected with a sentence, and a run fails with advice', async () => {
  const blind = new TrainingService(undefined, new Map());
  await expect(blind.device()).rejects.toThrow('WebGPU');
  const events = await start(blind, () => undefined);
  expect(events).toMatchObject([{ type: 'failed', failure: { kind: 'unsupported' } }]);
});
