import { describe, expect, test } from 'vitest';
import { memorySource, type ByteSource } from '../../../src/data/bytes';
import { contentHash, PreparedCache, type KeyValue } from '../../../src/data/cache';
import { Dataset, openRecordings } from '../../../src/data/dataset';
import { load, localSource, type Batch, type BatchSource } from '../../../src/data/loader';
import { pairFiles } from '../../../src/data/recording';
import { syntheticCorpus } from '../../../src/data/synthetic/corpus';
import { STRIDE, WINDOW, type WindowRef } from '../../../src/data/windows';

/** A store in memory; `capacity` bytes of values fit. */
function memoryStore(capacity = Infinity): KeyValue & { values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  const size = (value: unknown): number => (value instanceof Float32Array ? value.byteLength : 0);
  return {
    values,
    get: async (key) => values.get(key),
    set: async (key, value) => {
      const held = [...values.values()].reduce((sum: number, other) => sum + size(other), 0);
      if (held + size(value) > capacity) throw new DOMException('the disk is full', 'QuotaExceededError');
      values.set(key, value);
    },
    delete: async (keys) => {
      for (const key of keys) values.delete(key);
    },
    keys: async () => [...values.keys()],
  };
}

const prepared = (length: number, value: number) => ({
  samples: length,
  values: new Float32Array(length).fill(value),
});

describe('the cache of prepared recordings', () => {
  const ticking = () => {
    let time = 0;
    return () => ++time;
  };

  test('gives back what was put, over several chunks', async () => {
    const cache = new PreparedCache(memoryStore(), 1e9);
    const long = Float32Array.from({ length: 5_000_001 }, (_, i) => i % 1013);
    await cache.put('a', { samples: 5_000_001, values: long });
    const got = await cache.get('a');
    expect(got?.samples).toBe(5_000_001);
    expect(Buffer.from(got?.values.buffer ?? new ArrayBuffer()).equals(Buffer.from(long.buffer))).toBe(true);
    expect(await cache.get('b')).toBeUndefined();
  });

  test('stays within its bound, and lets go of what was used longest ago', async () => {
    const cache = new PreparedCache(memoryStore(), 1000, ticking());
    await cache.put('a', prepared(100, 1));
    await cache.put('b', prepared(100, 2));
    await cache.get('a');
    await cache.put('c', prepared(100, 3));
    expect(await cache.get('b')).toBeUndefined();
    expect((await cache.get('a'))?.values[0]).toBe(1);
    expect((await cache.get('c'))?.values[0]).toBe(3);
    expect(await cache.bytes()).toBe(800);
    await cache.put('huge', prepared(300, 4));
    expect(await cache.get('huge')).toBeUndefined();
    await cache.clear();
    expect(await cache.bytes()).toBe(0);
  });

  test('on a full disk keeps what it has, and nothing by halves', async () => {
    const store = memoryStore(600);
    const cache = new PreparedCache(store, 1e9);
    await cache.put('a', prepared(100, 1));
    await cache.put('b', prepared(100, 2));
    expect((await cache.get('a'))?.values[0]).toBe(1);
    expect(await cache.get('b')).toBeUndefined();
    expect([...store.values.keys()].filter((key) => key.includes(' b'))).toEqual([]);
  });

  test('does not take what is damaged for whole', async () => {
    const store = memoryStore();
    const cache = new PreparedCache(store, 1e9);
    await cache.put('a', prepared(100, 1));
    const chunk = [...store.values].find(([, value]) => value instanceof Float32Array)?.[0] ?? '';
    store.values.set(chunk, new Float32Array(99));
    expect(await cache.get('a')).toBeUndefined();
    store.values.delete(chunk);
    expect(await cache.get('a')).toBeUndefined();
  });
});

const corpus = [
  ...syntheticCorpus({ seed: 4, patients: 2, recordingsPerPatient: 1, duration: 90, seizures: 1 }),
];

/** Counts the bytes that are read of the recordings. */
function counted(source: ByteSource, count: (bytes: number) => void): ByteSource {
  return {
    size: source.size,
    read: (offset, length) => {
      count(length);
      return source.read(offset, length);
    },
  };
}

describe('a data set with a cache', () => {
  test('hashes what a recording is made of', async () => {
    const bytes = new Uint8Array(9 << 20).map((_, i) => i % 251);
    const hash = await contentHash(memorySource(bytes));
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    bytes[8 << 20] = 255;
    expect(await contentHash(memorySource(bytes))).not.toBe(hash);
  });

  test('runs the signal path once: the second time the file is only hashed', async () => {
    const store = memoryStore();
    const window: WindowRef = { recording: 1, start: STRIDE };
    const read = async () => {
      let bytes = 0;
      const folder = await openRecordings(
        pairFiles(
          corpus.map(({ path, bytes: data }) => ({
            path,
            data: counted(memorySource(data), (length) => (bytes += length)),
          })),
        ),
      );
      const opened = bytes;
      const dataset = new Dataset(folder, undefined, new PreparedCache(store, 1e9));
      const [x, y] = [new Float32Array(WINDOW * 19), new Float32Array(WINDOW)];
      await dataset.fill(window, x, y);
      return { x, y, bytes: bytes - opened };
    };
    const [first, second] = [await read(), await read()];
    const file = corpus.find(({ path }) => path.startsWith('synth001') && path.endsWith('.edf'));
    expect(second.bytes).toBe(file?.bytes.length);
    expect(first.bytes).toBeGreaterThan(1.9 * second.bytes);
    expect(second.y).toEqual(first.y);
    expect(Buffer.from(second.x.buffer).equals(Buffer.from(first.x.buffer))).toBe(true);
  });
});

describe('the loader', () => {
  const folder = openRecordings(
    pairFiles(corpus.map(({ path, bytes }) => ({ path, data: memorySource(bytes) }))),
  );
  const batches = Array.from({ length: 7 }, (_, i) => [
    { recording: i % 2, start: (i % 3) * STRIDE },
    { recording: (i + 1) % 2, start: 0 },
  ]);
  const collect = async (sources: readonly BatchSource[], ahead: number) => {
    const got: Batch[] = [];
    for await (const batch of load(batches, sources, ahead)) got.push(batch);
    return got;
  };
  const same = (a: Batch, b: Batch | undefined): boolean =>
    Buffer.from(a.x.buffer).equals(Buffer.from(b?.x.buffer ?? new ArrayBuffer())) &&
    Buffer.from(a.y.buffer).equals(Buffer.from(b?.y.buffer ?? new ArrayBuffer()));

  test('gives the same batches in the same order, however many read and however slow they are', async () => {
    const dataset = new Dataset(await folder);
    const alone = await collect([localSource(dataset)], 1);
    expect(alone).toHaveLength(7);
    const slow = [30, 0, 10].map((ms): BatchSource => {
      const source = localSource(dataset);
      return {
        ...source,
        read: async (windows) => {
          await new Promise((resolve) => setTimeout(resolve, ms));
          return source.read(windows);
        },
      };
    });
    const together = await collect(slow, 6);
    expect(together.map((batch, i) => same(batch, alone[i]))).toEqual(alone.map(() => true));
  });

  test('reads no further ahead than it may', async () => {
    let [reading, most] = [0, 0];
    const source: BatchSource = {
      read: async () => {
        most = Math.max(most, ++reading);
        return { x: new Float32Array(), y: new Float32Array() };
      },
      close: () => undefined,
    };
    let seen = 0;
    for await (const batch of load(batches, [source], 3)) {
      expect(batch.x).toHaveLength(0);
      seen++;
      // What is asked for and has not been handed over yet.
      expect(reading - seen).toBeLessThanOrEqual(3);
    }
    expect([seen, most]).toEqual([7, 7]);
  });

  test('throws what a source threw at the batch it was reading', async () => {
    let asked = 0;
    const source: BatchSource = {
      read: async () => {
        if (++asked === 3) throw new Error('the file is gone');
        return { x: new Float32Array(), y: new Float32Array() };
      },
      close: () => undefined,
    };
    let seen = 0;
    const all = async () => {
      for await (const batch of load(batches, [source], 4)) seen += batch.x.length + 1;
    };
    await expect(all()).rejects.toThrow('the file is gone');
    expect(seen).toBe(2);
  });
});
