import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { profileDevice } from '../../../src/engine/profile';
import { clockResolution } from '../../../src/engine/timing';
import { requestNullGpu } from './null_gpu';

let device: Device;
beforeAll(async () => {
  device = await Device.request(await requestNodeGpu());
});
afterAll(() => device.destroy());

test('with a coarse clock, measurements last for many of its ticks', async () => {
  const coarse = await Device.request(await requestNullGpu(), { defaultsOnly: true });
  let ended = 0;
  // A millisecond each on a GPU of which is heard every 50 ms that it is done.
  const dispatched = vi.spyOn(GPUComputePassEncoder.prototype, 'dispatchWorkgroups');
  const lasted: number[] = [];
  vi.spyOn(coarse, 'elapsed').mockImplementation(() => {
    const { length } = dispatched.mock.calls;
    const ms = 50 * Math.ceil((length - ended + 1) / 50);
    ended = length;
    lasted.push(ms);
    return Promise.resolve(ms);
  });
  expect(await clockResolution(coarse)).toBe(50);
  const { bandwidthBytesPerSecond } = await profileDevice(coarse);
  // At least 4 MiB there and back in a millisecond; a single tick would say a fiftieth of it.
  expect(bandwidthBytesPerSecond / (2 * 4 * 2 ** 20 * 1000)).toBeGreaterThan(0.7);
  expect(Math.max(...lasted)).toBeGreaterThanOrEqual(200);
  vi.restoreAllMocks();
  coarse.destroy();
});

test('bandwidth and FLOP rate are measured, and the memory is given back', async () => {
  const { bandwidthBytesPerSecond, flopsPerSecond } = await profileDevice(device);
  // From a tenth of a slow processor to ten times the fastest GPU there is.
  expect(bandwidthBytesPerSecond).toBeGreaterThan(1e7);
  expect(bandwidthBytesPerSecond).toBeLessThan(1e14);
  expect(flopsPerSecond).toBeGreaterThan(1e7);
  expect(flopsPerSecond).toBeLessThan(1e15);
  expect(device.allocatedBytes).toBe(0);
  device.check();
});
