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
  expect(adapterHint(INTEL, WINDOWS)).toMatch(/^This is the GPU inside the processor.* high performance/);
  const hint = (vendor: string, architecture: string) =>
    adapterHint({ ...INTEL, vendor, architecture }, WINDOWS);
  expect(hint('qualcomm', 'adreno-8xx')).toBe(adapterHint(INTEL, WINDOWS));
  for (const mixed of ['gcn-5', 'rdna-2', 'rdna-3', ''])
    expect(hint('amd', mixed)).toMatch(
      /do not say whether .* is a card .* a faster one, .* high performance/,
    );
  for (const card of ['rdna-1', 'rdna-4']) expect(hint('amd', card)).toBe(undefined);
  expect(adapterHint({ ...INTEL, architecture: 'gen-12hp' }, WINDOWS)).toBe(undefined);
  expect(adapterHint({ ...INTEL, architecture: 'xe-2hpg' }, WINDOWS)).toBe(undefined);
  expect(adapterHint({ ...INTEL, vendor: 'nvidia', architecture: 'ampere' }, WINDOWS)).toBe(undefined);
  expect(adapterHint(INTEL, LINUX)).toBe(undefined);
});

test('adapters of one name are two where the browser says anything else of them', async () => {
  const adapter = (info: object, maxBufferSize = 2 ** 31, features: readonly string[] = ['subgroups']) =>
    ({
      info: { ...INTEL, ...info },
      // Limits are inherited, as browsers have them.
      limits: Object.create({ maxBufferSize }) as GPUSupportedLimits,
      features: new Set(features),
    }) as unknown as GPUAdapter;
  const different = [
    adapter({}),
    adapter({ device: '0x9a49' }),
    adapter({ subgroupMinSize: 8 }),
    adapter({}, 2 ** 30),
    adapter({}, 2 ** 31, ['subgroups', 'shader-f16']),
  ];
  const keys = await Promise.all(different.map(adapterKey));
  expect(new Set(keys).size).toBe(different.length);
  expect(await adapterKey(adapter({}))).toBe(keys[0]);
});

test('an adapter is called what it calls itself', () => {
  expect(adapterName(INTEL)).toBe('intel gen-12lp');
  expect(adapterName({ ...INTEL, description: 'Iris Xe' })).toBe('Iris Xe');
  expect(adapterName({ vendor: '', architecture: '', device: '', description: '' })).toBe('a GPU');
});
