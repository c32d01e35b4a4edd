import { expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { answered } from '../../../src/run/watchdog';

const MINUTES = 0.001;
const never = new Promise<never>(() => undefined);

test('a GPU that gives no answer counts as lost, an answer in time is passed on', async () => {
  const device = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
  expect(await answered(device, Promise.resolve(3), MINUTES)).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 2 * 60_000 * MINUTES));
  expect(device.failure).toBeUndefined();
  const lost = { kind: 'device-lost', message: 'the device: the GPU gave no answer for 0.001 minutes' };
  await expect(answered(device, device.guard(never, 'reading'), MINUTES)).rejects.toMatchObject(lost);
  expect(device.failure).toMatchObject(lost);
});
