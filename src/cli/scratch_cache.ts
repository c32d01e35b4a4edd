/** Prepared recordings on disk while a command runs, for those that are too long for the memory. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PreparedCache } from '../eeg/signal/cache';
import { leftover } from './signals';

/** Bytes: two recordings of a day. */
const LIMIT = 4 * 2 ** 30;

export interface ScratchCache {
  readonly cache: PreparedCache;
  /** Deletes what is in it. */
  close(): Promise<void>;
}

/** A folder below the system's temporary one, which is made when there is something to keep. */
export function scratchCache(): ScratchCache {
  let folder: Promise<string> | undefined;
  const known = new Set<string>();
  const pathOf = async (key: string): Promise<string> =>
    join(await (folder ??= makeFolder()), createHash('sha256').update(key).digest('hex'));
  const cache = new PreparedCache(
    {
      async get(key) {
        if (!known.has(key)) return undefined;
        const bytes = await readFile(await pathOf(key));
        if (bytes[0] === JSON_MARK) return JSON.parse(bytes.toString('utf8', 1)) as unknown;
        return new Float32Array(bytes.buffer.slice(bytes.byteOffset + 4, bytes.byteOffset + bytes.length));
      },
      async set(key, value) {
        const bytes =
          value instanceof Float32Array
            ? Buffer.concat([Buffer.alloc(4), Buffer.from(value.buffer, value.byteOffset, value.byteLength)])
            : Buffer.from(`${String.fromCharCode(JSON_MARK)}${JSON.stringify(value)}`);
        await writeFile(await pathOf(key), bytes);
        known.add(key);
      },
      async delete(keys) {
        for (const key of keys) {
          known.delete(key);
          await rm(await pathOf(key), { force: true });
        }
      },
      keys: async () => [...known],
      alone: (_, work) => work(),
    },
    LIMIT,
  );
  return {
    cache,
    close: async () => {
      if (!folder) return;
      await rm(await folder, { recursive: true, force: true });
      leftover(await folder, false);
    },
  };
}

async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'smokescan-'));
  leftover(path);
  return path;
}

/** The first byte of a value that is no signal; one of a signal starts with four zeros. */
const JSON_MARK = 1;
