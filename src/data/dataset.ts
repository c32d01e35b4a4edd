/**
 * Recordings that windows are cut from. What a recording's signal path gives is kept, most recently used first, up to a
 * number of bytes: a window costs a copy while its recording is there, and the whole signal path when it is not.
 */
import { contentHash, type PreparedCache } from './cache';
import { DataError } from './errors';
import { BLOCK, channelGroups, prepareGroup } from './prepare';
import { inspectRecording, openEdf, sourceOf, type RecordingFiles, type RecordingInfo } from './recording';
import { CHANNELS } from './signal/montage';
import { fillLabels, WINDOW, type WindowRef } from './windows';

/** The signal path's result: [samples, 19]. */
export interface Prepared {
  readonly samples: number;
  readonly values: Float32Array;
}

export interface OpenedFolder {
  readonly files: readonly RecordingFiles[];
  readonly recordings: readonly RecordingInfo[];
  /** One sentence for each recording that cannot be used. */
  readonly refused: readonly { readonly path: string; readonly reason: string }[];
}

/**
 * Inspects recordings one after the other; those that are refused do not stop the others. `limit` is production's
 * BGB_LIMIT_FILES: only that many of the first.
 */
export async function openRecordings(
  files: readonly RecordingFiles[],
  limit = Infinity,
  progress: (done: number, total: number) => void = () => undefined,
): Promise<OpenedFolder> {
  const chosen = files.slice(0, limit);
  const usable: RecordingFiles[] = [];
  const recordings: RecordingInfo[] = [];
  const refused: { path: string; reason: string }[] = [];
  for (const [index, file] of chosen.entries()) {
    progress(index, chosen.length);
    try {
      recordings.push(await inspectRecording(file));
      usable.push(file);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      refused.push({ path: file.recording.path, reason: error.message });
    }
  }
  progress(chosen.length, chosen.length);
  return { files: usable, recordings, refused };
}

/** The whole recording through the signal path, or from the cache. Throws DataError. */
export async function prepareRecording(
  files: RecordingFiles,
  info: RecordingInfo,
  cache?: PreparedCache,
): Promise<Prepared> {
  if (!cache) return prepare(files, info);
  const hash = await contentHash(sourceOf(files.recording));
  const known = await cache.get(hash);
  if (known?.samples === info.samples) return known;
  const prepared = await prepare(files, info);
  await cache.put(hash, prepared);
  return prepared;
}

async function prepare(files: RecordingFiles, info: RecordingInfo): Promise<Prepared> {
  const edf = await openEdf(files);
  const width = CHANNELS.length;
  const values = new Float32Array(info.samples * width);
  for (const group of channelGroups(info.samples))
    for await (const { block, values: part } of prepareGroup(edf, info, group)) {
      const first = block * BLOCK;
      const count = Math.min(BLOCK, info.samples - first);
      for (let i = 0; i < count; i++)
        for (let c = 0; c < group.length; c++)
          values[(first + i) * width + (group[c] as number)] = part[i * group.length + c] as number;
    }
  return { samples: info.samples, values };
}

export const KEEP_BYTES = 512 << 20;

export class Dataset {
  /** In the order of last use, the oldest first. */
  readonly #kept = new Map<number, Promise<Prepared>>();
  #bytes = 0;

  /** `keepBytes`: how much prepared signal is kept in memory; one recording always is. `cache`: what is kept on disk. */
  constructor(
    readonly folder: Pick<OpenedFolder, 'files' | 'recordings'>,
    private readonly keepBytes = KEEP_BYTES,
    private readonly cache?: PreparedCache,
  ) {}

  /** Throws DataError when the file changed or cannot be read any more. */
  prepared(recording: number): Promise<Prepared> {
    const known = this.#kept.get(recording);
    if (known) {
      this.#kept.delete(recording);
      this.#kept.set(recording, known);
      return known;
    }
    const [files, info] = [this.folder.files[recording], this.folder.recordings[recording]];
    if (!files || !info) throw new RangeError(`there is no recording ${recording}`);
    const made = prepareRecording(files, info, this.cache);
    this.#kept.set(recording, made);
    this.#bytes += sizeOf(info);
    for (const old of this.#kept.keys()) {
      if (this.#bytes <= this.keepBytes || old === recording) break;
      this.#kept.delete(old);
      this.#bytes -= sizeOf(this.folder.recordings[old]);
    }
    // A recording that failed is read anew when it is asked for again.
    made.catch(() => {
      if (this.#kept.delete(recording)) this.#bytes -= sizeOf(info);
    });
    return made;
  }

  /** A window's samples [WINDOW, 19] into `x` and its labels into `y`. */
  async fill({ recording, start }: WindowRef, x: Float32Array, y: Float32Array): Promise<void> {
    const { values } = await this.prepared(recording);
    const width = CHANNELS.length;
    x.set(values.subarray(start * width, (start + WINDOW) * width));
    const info = this.folder.recordings[recording];
    if (info) fillLabels(info, start, y);
  }
}

const sizeOf = (info: RecordingInfo | undefined): number => (info?.samples ?? 0) * CHANNELS.length * 4;
