import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EngineError, type Device } from '../../../src/engine/device';
import { lossesInMemory } from '../../../src/run/gpu_losses';
import type { Preparation } from '../../../src/run/protocol';
import { GpuHeldBackError, UsableDevice } from '../../../src/run/usable_device';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const NONE = new EngineError('unsupported', 'this machine', 'WebGPU finds no graphics adapter here');

/** A browser that gives no GPU until so many seconds from now. */
function holding(seconds: number) {
  const from = Date.now() + 1000 * seconds;
  const device = { failure: undefined } as unknown as Device;
  const asked: number[] = [];
  const open = (): Promise<Device> => {
    asked.push(Date.now());
    return Date.now() < from ? Promise.reject(NONE) : Promise.resolve(device);
  };
  return { device, asked, open };
}

const lately = () => {
  const losses = lossesInMemory();
  losses.add(Date.now());
  return losses;
};

test('a GPU that is held back for 130 seconds after a loss is waited for, with the seconds that are left', async () => {
  const { device, open } = holding(130);
  const seen: Preparation[] = [];
  const got = new UsableDevice(open, lately()).get({
    waiting: (preparation) => seen.push(preparation),
    skipped: () => false,
  });
  await vi.advanceTimersByTimeAsync(145_000);
  expect(await got).toBe(device);
  expect(seen[0]?.label).toContain('trying again (1 of at most 3 times)');
  expect(seen.map(({ secondsLeft }) => secondsLeft)).toEqual(Array.from({ length: 130 }, (_, i) => 130 - i));
  expect(seen[0]).toMatchObject({ skip: 'Try now', held: true });
});

test('whoever does not want to wait is given it at once, and whoever stops ends the wait', async () => {
  const { device, open } = holding(20);
  let skip = false;
  const skipping = new UsableDevice(open, lately()).get({
    waiting: () => undefined,
    skipped: () => skip,
  });
  await vi.advanceTimersByTimeAsync(25_000);
  skip = true;
  await vi.advanceTimersByTimeAsync(1000);
  expect(await skipping).toBe(device);

  const stopped = new UsableDevice(holding(1e6).open, lately()).get({
    waiting: () => {
      throw new Error('stopped');
    },
    skipped: () => false,
  });
  const ended = expect(stopped).rejects.toThrow('stopped');
  await vi.advanceTimersByTimeAsync(15_000);
  await ended;
});

test('it is waited for three times at most', async () => {
  const waiting = vi.fn();
  const held = new UsableDevice(holding(1e6).open, lately()).get({ waiting, skipped: () => false });
  const ended = expect(held).rejects.toThrow(GpuHeldBackError);
  await vi.advanceTimersByTimeAsync(500_000);
  await ended;
  expect(waiting).toHaveBeenCalledTimes(390);
});

test('a page that is loaded anew and only asks is told that it is held back; without a loss there is none to wait for', async () => {
  await expect(new UsableDevice(holding(60).open, lately()).get()).rejects.toThrow(
    /this browser: it gives no GPU since one was lost 1 minutes ago/,
  );
  const waiting = vi.fn();
  const never = new UsableDevice(holding(60).open, lossesInMemory());
  await expect(never.get({ waiting, skipped: () => false })).rejects.toBe(NONE);
  expect(waiting).not.toHaveBeenCalled();
});

test('a loss is noted when it happens', async () => {
  const losses = lossesInMemory();
  const { device, open } = holding(0);
  await new UsableDevice(open, losses).get();
  expect(await losses.last()).toBe(-Infinity);
  device.onLost?.();
  expect(await losses.last()).toBe(Date.now());
});
