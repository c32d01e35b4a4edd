/**
 * Prepared recordings kept on disk by the hash of what they were made from, so that the signal path runs once. Bounded:
 * what was used longest ago goes first. A cache that fails only costs time, so its errors never end what uses it.
 */
import type { ByteSource } from './bytes';
import type { Prepared } from './dataset';

/** What keeps values by name, such as idb-keyval with a store of its own. */
export interface KeyValue {
  get(key: string): Promise<unknown>;
  set(key: string, value: unknown): Promise<void>;
  delete(keys: readonly string[]): Promise<void>;
  keys(): Promise<readonly string[]>;
}

/** Counted up whenever the signal path gives other values. */
const VERSION = 'v1';
const CHUNK_BYTES = 16 << 20;
const HASH_BYTES = 4 << 20;

interface Entry {
  readonly samples: number;
  readonly chunks: number;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly used: number;
}

function isEntry(value: unknown): value is Entry {
  const entry = value as Entry | undefined;
  return [entry?.samples, entry?.chunks, entry?.bytes, entry?.used].every(Number.isFinite);
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
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', hashes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export class PreparedCache {
  constructor(
    private readonly store: KeyValue,
    /** Bytes of signal that are kept at most. */
    readonly limit: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined where it is not kept, or not whole any more. */
  async get(hash: string): Promise<Prepared | undefined> {
    try {
      const entry = await this.store.get(entryKey(hash));
      if (!isEntry(entry)) return undefined;
      const parts: Float32Array[] = [];
      for (let i = 0; i < entry.chunks; i++) {
        const part = await this.store.get(chunkKey(hash, i));
        if (!(part instanceof Float32Array)) return undefined;
        parts.push(part);
      }
      const values = new Float32Array(entry.bytes / 4);
      if (parts.reduce((sum, { length }) => sum + length, 0) !== values.length) return undefined;
      let at = 0;
      for (const part of parts) {
        values.set(part, at);
        at += part.length;
      }
      await this.store.set(entryKey(hash), { ...entry, used: this.now() });
      return { samples: entry.samples, values };
    } catch {
      return undefined;
    }
  }

  /** Makes room and keeps it; does nothing for what is larger than the whole cache or when the disk is full. */
  async put(hash: string, { samples, values }: Prepared): Promise<void> {
    const bytes = values.byteLength;
    if (bytes > this.limit) return;
    try {
      await this.#makeRoom(bytes);
      const step = CHUNK_BYTES / 4;
      const chunks = Math.ceil(values.length / step);
      for (let i = 0; i < chunks; i++)
        await this.store.set(chunkKey(hash, i), values.slice(i * step, (i + 1) * step));
      // Last, so that an entry without its chunks never exists.
      await this.store.set(entryKey(hash), { samples, chunks, bytes, used: this.now() } satisfies Entry);
    } catch {
      await this.#forget([hash]).catch(() => undefined);
    }
  }

  async bytes(): Promise<number> {
    return (await this.#entries()).reduce((sum, [, { bytes }]) => sum + bytes, 0);
  }

  async clear(): Promise<void> {
    await this.store.delete(await this.store.keys());
  }

  async #makeRoom(bytes: number): Promise<void> {
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
    // The entries first: chunks without one are never read.
    await this.store.delete(keys.filter((key) => key === entryKey(hashOf(key) ?? '')));
    await this.store.delete(keys);
  }
}

const entryKey = (hash: string): string => `${VERSION} ${hash}`;
const chunkKey = (hash: string, i: number): string => `${VERSION} ${hash} ${i}`;
/** Of this version or another. */
const hashOf = (key: string): string | undefined => key.split(' ')[1];
