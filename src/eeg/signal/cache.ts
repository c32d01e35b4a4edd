/**
 * Prepared recordings kept on disk by the hash of what they were made from, in blocks, so that preprocessing runs once
 * and a window costs two blocks. Bounded: what was used longest ago goes first. A cache that fails only costs time, so
 * its errors never end what uses it.
 */
import { sha256 } from '../../base/sha256';
import type { ByteSource } from '../files/bytes';
import { addPart, BLOCK, type PreparedPart } from './prepare';
import { CHANNELS } from './montage';

/** What keeps values by name, such as idb-keyval with a store of its own. */
export interface KeyValue {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
  keys(): Promise<readonly string[]>;
  /** Runs `work` while nobody else who shares the store does so under that name. */
  alone<T>(name: string, work: () => Promise<T>): Promise<T>;
}

/** Counted up whenever preprocessing gives other values or they are kept in another form. */
const VERSION = 'v3';
const HASH_BYTES = 4 << 20;

interface Entry {
  readonly samples: number;
  /** The channels that lie together. */
  readonly groups: readonly (readonly number[])[];
  /** Also while it is being written. */
  readonly bytes: number;
  readonly whole: boolean;
  /** Milliseconds since 1970. */
  readonly used: number;
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Partial<Entry> | undefined;
  return (
    [entry?.samples, entry?.bytes, entry?.used].every(Number.isFinite) &&
    Array.isArray(entry?.groups) &&
    typeof entry.whole === 'boolean'
  );
}

/** SHA-256 of the SHA-256s of 4 MiB pieces, in hexadecimal: browsers cannot hash a stream. */
export async function contentHash(source: ByteSource): Promise<string> {
  const pieces = Math.ceil(source.size / HASH_BYTES);
  const hashes = new Uint8Array(32 * pieces);
  for (let piece = 0; piece < pieces; piece++) {
    const at = piece * HASH_BYTES;
    const bytes = await source.read(at, Math.min(HASH_BYTES, source.size - at));
    hashes.set(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as BufferSource)), 32 * piece);
  }
  return sha256(hashes);
}

export class PreparedCache {
  constructor(
    private readonly store: KeyValue,
    /** Bytes of signal that are kept at most. */
    readonly limit: number,
    private readonly now: () => number = Date.now,
  ) {}

  /**
   * Whether it now holds the recording as a whole: it did before, or took what `prepare` gives. False for what is larger
   * than the whole cache or when the disk is full. Throws what `prepare` throws.
   */
  async hold(
    hash: string,
    samples: number,
    groups: readonly (readonly number[])[],
    prepare: () => AsyncIterable<PreparedPart>,
  ): Promise<boolean> {
    const bytes = Math.ceil(samples / BLOCK) * BLOCK * CHANNELS.length * 4;
    if (bytes > this.limit) return false;
    const entry = { samples, groups, bytes, whole: false, used: this.now() } satisfies Entry;
    const attempt = async (work: () => Promise<void>): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch {
        await this.#forget([hash]).catch(() => undefined);
        return false;
      }
    };
    return this.store.alone(`${VERSION} ${hash}`, async () => {
      if (await this.#use(hash, samples)) return true;
      // First, so that what a closed tab leaves behind is counted, and in time let go.
      const started = attempt(async () => {
        await this.#makeRoom(bytes);
        await this.store.set(entryKey(hash), entry);
      });
      if (!(await started)) return false;
      for await (const { block, group, values } of prepare()) {
        const at = groups.findIndex(([first]) => first === group[0]);
        const key = partKey(hash, block, at);
        if (!(await attempt(() => this.store.set(key, values)))) return false;
      }
      return attempt(() => this.store.set(entryKey(hash), { ...entry, whole: true }));
    });
  }

  /** [BLOCK, 19] of a recording that it holds; undefined where it does not any more. */
  async block(hash: string, block: number): Promise<Float32Array | undefined> {
    try {
      const entry = await this.store.get(entryKey(hash));
      if (!isEntry(entry) || !entry.whole) return undefined;
      const joined = new Float32Array(BLOCK * CHANNELS.length);
      for (const [i, group] of entry.groups.entries()) {
        const part = await this.store.get(partKey(hash, block, i));
        if (!(part instanceof Float32Array) || part.length !== BLOCK * group.length) {
          await this.#forget([hash]);
          return undefined;
        }
        if (group.length === CHANNELS.length) return part;
        addPart(joined, group, part);
      }
      return joined;
    } catch {
      return undefined;
    }
  }

  /** Whether it is there; notes that it was used. */
  async #use(hash: string, samples: number): Promise<boolean> {
    try {
      const entry = await this.store.get(entryKey(hash));
      if (!isEntry(entry) || !entry.whole || entry.samples !== samples) return false;
      await this.store.set(entryKey(hash), { ...entry, used: this.now() });
      return true;
    } catch {
      return false;
    }
  }

  async bytes(): Promise<number> {
    return (await this.#entries()).reduce((sum, [, { bytes }]) => sum + bytes, 0);
  }

  async clear(): Promise<void> {
    await this.store.delete(await this.store.keys());
  }

  async #makeRoom(bytes: number): Promise<void> {
    // What an older version left is of no use any more.
    const stale = (await this.store.keys()).filter((key) => !key.startsWith(`${VERSION} `));
    if (stale.length > 0) await this.store.delete(stale);
    const entries = (await this.#entries()).sort(([, a], [, b]) => a.used - b.used);
    let held = entries.reduce((sum, [, entry]) => sum + entry.bytes, 0);
    const gone: string[] = [];
    for (const [hash, entry] of entries) {
      if (held + bytes <= this.limit) break;
      gone.push(hash);
      held -= entry.bytes;
    }
    if (gone.length > 0) await this.#forget(gone);
  }

  async #entries(): Promise<[hash: string, entry: Entry][]> {
    const entries: [string, Entry][] = [];
    for (const key of await this.store.keys()) {
      const hash = hashOf(key);
      if (hash === undefined || key !== entryKey(hash)) continue;
      const entry = await this.store.get(key);
      if (isEntry(entry)) entries.push([hash, entry]);
    }
    return entries;
  }

  async #forget(hashes: readonly string[]): Promise<void> {
    const gone = new Set(hashes);
    const keys = (await this.store.keys()).filter((key) => gone.has(hashOf(key) ?? ''));
    // The entries first: parts without one are never read.
    await this.store.delete(keys.filter((key) => key === entryKey(hashOf(key) ?? '')));
    await this.store.delete(keys);
  }
}

const entryKey = (hash: string): string => `${VERSION} ${hash}`;
const partKey = (hash: string, block: number, group: number): string =>
  `${VERSION} ${hash} ${block} ${group}`;
const hashOf = (key: string): string | undefined => key.split(' ')[1];
