/**
 * Recordings that windows are cut from. What preprocessing gives is kept in blocks: on disk by the cache, and in memory,
 * most recently used first, up to a number of bytes. Without the cache a window whose recording is not in memory costs
 * the whole preprocessing.
 */
import { messageOf } from '../../base/text';
import type { PreparedCache } from '../signal/cache';
import type { Interpolation } from '../signal/channels';
import type { SeizureTexts } from '../files/edf_labels';
import { BLOCK } from '../signal/prepare';
import { blocksInMemory, fillFromBlocks, heldIn, type ToPrepare } from './blocks';
import { inspectRecording, type RecordingFiles, type RecordingInfo } from '../files/recording';
import { CHANNELS } from '../signal/montage';
import { fillLabels, type WindowRef } from './windows';

export interface OpenedFolder {
  readonly files: readonly RecordingFiles[];
  readonly recordings: readonly RecordingInfo[];
  /** One sentence for each recording that cannot be used. */
  readonly rejected: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Inspects recordings one after the other; those that are rejected do not stop the others. `limit` is the trainer's
 * BGB_LIMIT_FILES: only that many of the first. `progress` may throw, which ends it. `seizureTexts`: which annotations of EDF+ are seizures. `inspect`: who looks at
 * one; its errors are known by their names, as those of a worker are.
 */
export async function openRecordings(
  files: readonly RecordingFiles[],
  limit = Infinity,
  progress: (done: number, total: number) => void = () => undefined,
  seizureTexts: SeizureTexts = [],
  inspect: typeof inspectRecording = inspectRecording,
): Promise<OpenedFolder> {
  const chosen = files.slice(0, limit);
  const usable: RecordingFiles[] = [];
  const recordings: RecordingInfo[] = [];
  const rejected: { path: string; reason: string }[] = [];
  for (const [index, file] of chosen.entries()) {
    progress(index, chosen.length);
    try {
      recordings.push(await inspect(file, seizureTexts));
      usable.push(file);
    } catch (error) {
      // Whatever one file throws rejects that file alone: a folder of thousands stays usable.
      const reason =
        error instanceof Error && error.name === 'DataError'
          ? error.message
          : `${file.recording.path} could not be read: ${messageOf(error)}`;
      rejected.push({ path: file.recording.path, reason });
    }
  }
  progress(chosen.length, chosen.length);
  return { files: usable, recordings, rejected };
}

export const KEEP_BYTES = 512 << 20;

const BLOCK_BYTES = BLOCK * CHANNELS.length * 4;

export class Dataset {
  /** In the order of last use, the oldest first: blocks that the cache holds, and whole recordings that it does not. */
  readonly #kept = new Map<string, { bytes: number; value: Promise<unknown> }>();
  #bytes = 0;
  /** By recording: under which hash the cache holds it; null where it does not. */
  readonly #cached = new Map<number, Promise<string | null>>();

  /**
   * `keepBytes`: how much prepared signal is kept in memory. `cache`: what is kept on disk; a recording that it cannot
   * take is kept in memory as a whole while it is in use. `interpolation`: how a missing Fz or Pz is made up for.
   */
  constructor(
    readonly folder: Pick<OpenedFolder, 'files' | 'recordings'>,
    private readonly keepBytes = KEEP_BYTES,
    private readonly cache?: PreparedCache,
    private readonly interpolation: Interpolation = 'spline',
  ) {}

  /** A window's samples [WINDOW, 19] into `x` and its labels into `y`. Throws DataError when the file changed. */
  async fill({ recording, start }: WindowRef, x: Float32Array, y: Float32Array): Promise<void> {
    await fillFromBlocks(start, x, (index) => this.#block(recording, index));
    fillLabels(this.#recording(recording).info, start, y);
  }

  /** [BLOCK, 19] of the prepared signal. */
  async #block(recording: number, index: number): Promise<Float32Array> {
    const { cache } = this;
    const hash = cache && (await this.#inCache(cache, recording));
    if (cache && hash) {
      const read = () => cache.block(hash, index);
      const block = await this.#keep(`${recording} ${index}`, BLOCK_BYTES, read);
      if (block) return block;
      // The cache let go of it to make room.
      this.#forget(`${recording} ${index}`);
      this.#cached.delete(recording);
    }
    const { files, info } = this.#recording(recording);
    const blocks = await this.#keep(`${recording}`, Math.ceil(info.samples / BLOCK) * BLOCK_BYTES, () =>
      blocksInMemory(files, info),
    );
    const block = blocks[index];
    if (!block) throw new RangeError(`recording ${recording} has no block ${index}`);
    return block;
  }

  /** Preprocesses where the cache does not hold the recording yet. */
  #inCache(cache: PreparedCache, recording: number): Promise<string | null> {
    const known = this.#cached.get(recording);
    if (known) return known;
    const { files, info } = this.#recording(recording);
    const made = heldIn(cache, files, info);
    this.#cached.set(recording, made);
    // A recording that failed is read anew when it is asked for again.
    made.catch(() => this.#cached.delete(recording));
    return made;
  }

  #recording(recording: number): { files: RecordingFiles; info: ToPrepare } {
    const [files, info] = [this.folder.files[recording], this.folder.recordings[recording]];
    if (!files || !info) throw new RangeError(`there is no recording ${recording}`);
    return { files, info: { ...info, interpolation: this.interpolation } };
  }

  #keep<T>(key: string, bytes: number, make: () => Promise<T>): Promise<T> {
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return known.value as Promise<T>;
    }
    const value = make();
    this.#kept.set(key, { bytes, value });
    this.#bytes += bytes;
    for (const old of this.#kept.keys()) {
      if (this.#bytes <= this.keepBytes || old === key) break;
      this.#forget(old);
    }
    value.catch(() => this.#forget(key));
    return value;
  }

  #forget(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0;
    this.#kept.delete(key);
  }
}
