import { afterEach, expect, test, vi } from 'vitest';
import {
  adapterKey,
  adapterName,
  adapterHint,
  requestAdapter,
  requestDevice,
} from '../../../src/engine/adapter';

afterEach(() => void vi.useRealTimers());

const INTEL = { vendor: 'intel', architecture: 'gen-12lp', device: '', description: '', software: false };
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/156.0.0.0';
const LINUX = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0';

const never = <T>(): Promise<T> => new Promise(() => undefined);

test('a browser or an adapter that never answers is given up with a sentence', async () => {
  vi.useFakeTimers();
  const asked = requestAdapter({ requestAdapter: never } as unknown as GPU);
  const given = requestDevice({ requestDevice: never } as unknown as GPUAdapter, {});
  const rejected = Promise.all([
    expect(asked).rejects.toThrow(
      /the browser did not answer when asked for a graphics adapter, for 60 seconds/,
    ),
    expect(given).rejects.toThrow(
      /the graphics adapter did not answer when asked for a device, for 60 seconds/,
    ),
  ]);
  await vi.advanceTimersByTimeAsync(60_000);
  await rejected;
});

test('no WebGPU, no adapter and a device that is refused are told apart', async () => {
  await expect(requestAdapter(undefined)).rejects.toThrow(/this browser: it has no WebGPU/);
  const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  await expect(requestAdapter(none)).rejects.toThrow(/this machine: WebGPU finds no graphics adapter/);
  const refusing = { requestDevice: () => Promise.reject(new Error('too many')) } as unknown as GPUAdapter;
  await expect(requestDevice(refusing, {})).rejects.toThrow(/it gave no device \(.*too many\)/);
});

test('a GPU inside the processor is told apart from a card under Windows, and nowhere else', () => {
  expect(adapterHint(INTEL, WINDOWS)).toMatch(/high performance/);
  expect(adapterHint({ ...INTEL, architecture: 'gen-12hp' }, WINDOWS)).toBe(undefined);
  expect(adapterHint({ ...INTEL, architecture: 'xe-2hpg' }, WINDOWS)).toBe(undefined);
  expect(adapterHint({ ...INTEL, vendor: 'nvidia', architecture: 'ampere' }, WINDOWS)).toBe(undefined);
  expect(adapterHint(INTEL, LINUX)).toBe(undefined);
});

test('adapters of one name are two where their limits differ', () => {
  const limits = {
    maxBufferSize: 2 ** 31,
    maxStorageBufferBindingSize: 2 ** 31,
    maxComputeWorkgroupStorageSize: 32768,
  } as GPUSupportedLimits;
  const other = { ...limits, maxBufferSize: 2 ** 30 } as GPUSupportedLimits;
  expect(adapterKey(INTEL, limits)).toBe(adapterKey({ ...INTEL }, limits));
  expect(adapterKey(INTEL, limits)).not.toBe(adapterKey(INTEL, other));
  expect(adapterKey(INTEL, limits)).not.toBe(adapterKey({ ...INTEL, device: '0x9a49' }, limits));
  expect(adapterName(INTEL)).toBe('intel gen-12lp');
  expect(adapterName({ ...INTEL, description: 'Iris Xe' })).toBe('Iris Xe');
  expect(adapterName({ vendor: '', architecture: '', device: '', description: '' })).toBe('a GPU');
});
