import { describe, expect, test } from 'vitest';
import { memorySource, type ByteSource } from '../../../../src/eeg/files/bytes';
import { contentHash, PreparedCache, type KeyValue } from '../../../../src/eeg/signal/cache';
import { Dataset, openRecordings } from '../../../../src/eeg/windows/dataset';
import { load, localSource, type Batch, type BatchSource } from '../../../../src/eeg/windows/loader';
import { BLOCK, type PreparedPart } from '../../../../src/eeg/signal/prepare';
import { pairFiles } from '../../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../../src/eeg/synthetic/corpus';
import { STRIDE, WINDOW, type WindowRef } from '../../../../src/eeg/windows/windows';

/** A store in memory; `capacity` bytes of values fit. */
function memoryStore(capacity = Infinity): KeyValue & { values: Map<string, unknown> } {
  const values = new Map<string, unknown>();
  const turns = new Map<string, Promise<unknown>>();
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
    alone: (name, work) => {
      const turn = (turns.get(name) ?? Promise.resolve()).then(work, work);
      turns.set(name, turn);
      return turn;
    },
  };
}

const WIDTH = 19;
const ALL = [[...Array(WIDTH).keys()]];

/** `blocks` blocks of which each value says where it is: block + channel / 100. */
async function* parts(blocks: number, groups: readonly (readonly number[])[]): AsyncGenerator<PreparedPart> {
  for (const group of groups)
    for (let block = 0; block < blocks; block++) {
      const values = new Float32Array(BLOCK * group.length);
      for (let i = 0; i < values.length; i++) values[i] = block + (group[i % group.length] as number) / 100;
      yield { block, group, values };
    }
}

const BLOCK_BYTES = BLOCK * WIDTH * 4;

describe('the cache of prepared recordings', () => {
  const ticking = () => {
    let time = 0;
    return () => ++time;
  };
  const hold = (cache: PreparedCache, hash: string, blocks = 1, groups: number[][] = ALL) =>
    cache.hold(hash, blocks * BLOCK - 5, groups, () => parts(blocks, groups));

  test('gives back the blocks that were put, in whatever groups of channels', async () => {
    const cache = new PreparedCache(memoryStore(), 1e9);
    const odd = [ALL[0]?.slice(0, 4) ?? [], ALL[0]?.slice(4) ?? []];
    for (const [hash, groups] of [
      ['a', ALL],
      ['b', odd],
    ] as const) {
      expect(await hold(cache, hash, 3, groups)).toBe(true);
      for (let block = 0; block < 3; block++) {
        const got = (await cache.block(hash, block)) ?? new Float32Array();
        expect(got).toHaveLength(BLOCK * WIDTH);
        expect(got.every((value, i) => value === Math.fround(block + (i % WIDTH) / 100))).toBe(true);
      }
    }
    expect(await cache.block('c', 0)).toBeUndefined();
  });

  test('prepares what it holds once, also when two ask at the same time', async () => {
    const cache = new PreparedCache(memoryStore(), 1e9);
    let times = 0;
    const ask = () =>
      cache.hold('a', BLOCK, ALL, () => {
        times++;
        return parts(1, ALL);
      });
    expect(await Promise.all([ask(), ask()])).toEqual([true, true]);
    expect(await ask()).toBe(true);
    expect(times).toBe(1);
    // The same bytes that are read as another number of samples are something else.
    await cache.hold('a', BLOCK - 1, ALL, () => {
      times++;
      return parts(1, ALL);
    });
    expect(times).toBe(2);
  });

  test('stays within its bound, and lets go of what was used longest ago', async () => {
    const cache = new PreparedCache(memoryStore(), 2.5 * BLOCK_BYTES, ticking());
    await hold(cache, 'a');
    await hold(cache, 'b');
    await hold(cache, 'a');
    await hold(cache, 'c');
    expect(await cache.block('b', 0)).toBeUndefined();
    expect((await cache.block('a', 0))?.[1]).toBe(Math.fround(0.01));
    expect((await cache.block('c', 0))?.[1]).toBe(Math.fround(0.01));
    expect(await cache.bytes()).toBe(2 * BLOCK_BYTES);
    expect(await hold(cache, 'huge', 3)).toBe(false);
    expect(await cache.bytes()).toBe(2 * BLOCK_BYTES);
    await cache.clear();
    expect(await cache.bytes()).toBe(0);
  });

  test('on a full disk keeps what it has, and nothing by halves', async () => {
    const store = memoryStore(2.5 * BLOCK_BYTES);
    const cache = new PreparedCache(store, 1e9);
    expect(await hold(cache, 'a')).toBe(true);
    expect(await hold(cache, 'b', 2)).toBe(false);
    expect(await cache.block('a', 0)).toBeDefined();
    expect([...store.values.keys()].filter((key) => key.includes(' b'))).toEqual([]);
  });

  test('what breaks off is told, not taken for whole, and counted until it makes room', async () => {
    const store = memoryStore();
    const cache = new PreparedCache(store, 2 * BLOCK_BYTES, ticking());
    const broken = cache.hold('a', 2 * BLOCK, ALL, async function* () {
      yield* parts(1, ALL);
      throw new Error('the file is gone');
    });
    await expect(broken).rejects.toThrow('the file is gone');
    expect(await cache.block('a', 0)).toBeUndefined();
    expect(await cache.bytes()).toBe(2 * BLOCK_BYTES);
    store.values.set('v1 from an older version', {});
    expect(await hold(cache, 'b')).toBe(true);
    expect([...store.values.keys()].every((key) => key.startsWith('v3 b'))).toBe(true);
  });

  test('does not take what is damaged for whole', async () => {
    const store = memoryStore();
    const cache = new PreparedCache(store, 1e9);
    await hold(cache, 'a', 2);
    const [part = ''] = [...store.values].find(([, value]) => value instanceof Float32Array) ?? [];
    store.values.set(part, new Float32Array(99));
    expect(await cache.block('a', 0)).toBeUndefined();
    // Then all of it goes, to be prepared again.
    expect(await cache.bytes()).toBe(0);
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

  test('preprocesses once: the second time the file is only hashed', async () => {
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
