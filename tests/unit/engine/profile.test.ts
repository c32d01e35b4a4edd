import { afterAll, beforeAll, expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { profileDevice } from '../../../src/engine/profile';

let device: Device;
beforeAll(async () => {
  device = await Device.request(await requestNodeGpu());
});
afterAll(() => device.destroy());

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
