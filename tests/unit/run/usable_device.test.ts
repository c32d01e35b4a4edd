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
  await vi.advanceTimersByTimeAsync(131_000);
  expect(await got).toBe(device);
  expect(seen[0]?.label).toContain('trying again (1 of at most 2 times)');
  // The browser was asked for ten seconds before.
  expect(seen.map(({ secondsLeft }) => secondsLeft)).toEqual(Array.from({ length: 120 }, (_, i) => 120 - i));
  expect(seen[0]).toMatchObject({ skip: 'Try now', held: true });
});

test('trying in vain does not lengthen the wait', async () => {
  const { device, asked, open } = holding(60);
  let skip = true;
  const seen: Preparation[] = [];
  const got = new UsableDevice(open, lately()).get({
    waiting: (preparation) => seen.push(preparation),
    skipped: () => {
      const skipped = skip;
      skip = false;
      return skipped;
    },
  });
  await vi.advanceTimersByTimeAsync(131_000);
  expect(await got).toBe(device);
  expect(seen).toHaveLength(120);
  expect(asked).toHaveLength(20 + 1 + 2);
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

test.each([
  ['as it is', 0, 250],
  ['set back by a year since the loss', 365 * 24 * 3600e3, 260],
])(
  'it is waited for twice at most, then the browser has to be started anew; the clock %s',
  async (_, ahead, seconds) => {
    const losses = lossesInMemory();
    losses.add(Date.now() + ahead);
    const seen: Preparation[] = [];
    const held = new UsableDevice(holding(1e9).open, losses).get({
      waiting: (preparation) => seen.push(preparation),
      skipped: () => false,
    });
    const ended = expect(held).rejects.toThrow(GpuHeldBackError);
    await vi.advanceTimersByTimeAsync(300_000);
    await ended;
    expect(seen).toHaveLength(seconds);
    expect(seen.every(({ secondsLeft = NaN }) => secondsLeft >= 1 && secondsLeft <= 130)).toBe(true);
    expect(seen.at(-1)?.label).toContain('(2 of at most 2 times)');
  },
);

test('a page that is loaded anew and only asks is told that it is held back, then that the browser has to be started anew', async () => {
  const asked = new UsableDevice(holding(1e6).open, lately());
  await expect(asked.get()).rejects.toThrow(
    'this browser: it gives no GPU since one was lost 1 s ago, as browsers do for about two minutes',
  );
  await vi.advanceTimersByTimeAsync(300_000);
  await expect(asked.get()).rejects.toThrow(
    'one was lost 5 minutes ago, as Chromium does after three losses until it is started anew: close all its windows',
  );
  // There is nothing left to wait for.
  const waiting = vi.fn();
  const starting = asked.get({ waiting, skipped: () => false });
  const ended = expect(starting).rejects.toMatchObject({ kind: 'held-back' });
  await vi.advanceTimersByTimeAsync(10_000);
  await ended;
  expect(waiting).not.toHaveBeenCalled();
});

test('without a loss there is no GPU to wait for', async () => {
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
