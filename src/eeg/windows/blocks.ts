/** Blocks of prepared recordings, from which windows are put together. */
import { sourceOf, type RecordingFiles, type RecordingInfo } from '../files/recording';
import { contentHash, type PreparedCache } from '../signal/cache';
import { CHANNELS } from '../signal/montage';
import { addPart, BLOCK, groupsOf, prepareRecording, type Prepared } from '../signal/prepare';
import { WINDOW } from './windows';

/** A recording and how a missing Fz or Pz is made up for. */
export type ToPrepare = RecordingInfo & Pick<Prepared, 'interpolation'>;

/** Fills `x` [WINDOW, 19] from sample `start` of the prepared signal; `block` gives the block [BLOCK, 19] of a number. */
export async function fillFromBlocks(
  start: number,
  x: Float32Array,
  block: (index: number) => Promise<Float32Array>,
): Promise<void> {
  const width = CHANNELS.length;
  for (let at = start; at < start + WINDOW;) {
    const values = await block(Math.floor(at / BLOCK));
    const end = Math.min(start + WINDOW, (Math.floor(at / BLOCK) + 1) * BLOCK);
    x.set(values.subarray((at % BLOCK) * width, ((at % BLOCK) + end - at) * width), (at - start) * width);
    at = end;
  }
}

/** The hash under which the cache holds the recording, which it prepares where it does not yet; null where it cannot. */
export async function heldIn(
  cache: PreparedCache,
  files: RecordingFiles,
  info: ToPrepare,
  turn?: () => void,
): Promise<string | null> {
  const content = await contentHash(sourceOf(files.recording));
  // Prepared in another way it is another recording.
  const hash =
    info.interpolation === 'trainer' && info.interpolated.length > 0 ? `${content}-trainer` : content;
  const held = await cache.hold(hash, info.samples, groupsOf(info), () =>
    prepareRecording(files, info, turn),
  );
  return held ? hash : null;
}

/** All blocks of a recording, in memory. */
export async function blocksInMemory(
  files: RecordingFiles,
  info: ToPrepare,
  turn?: () => void,
): Promise<Float32Array[]> {
  const width = CHANNELS.length;
  const blocks: Float32Array[] = [];
  for await (const { block, group, values } of prepareRecording(files, info, turn)) {
    if (group.length === width) blocks[block] = values;
    else addPart((blocks[block] ??= new Float32Array(BLOCK * width)), group, values);
  }
  return blocks;
}

/**
 * Windows of one recording in the order of their starts, read while it is prepared: two blocks are held. Only a long
 * recording that has to be resampled passes through `cache`, or through memory where there is none that takes it.
 */
export class WindowsInOrder {
  readonly #blocks: AsyncGenerator<Float32Array>;
  /** Blocks from number `#first` on. */
  #held: Float32Array[] = [];
  #first = 0;

  /** `turn` is called while the recording is prepared, and may throw. */
  constructor(files: RecordingFiles, info: ToPrepare, cache: PreparedCache | undefined, turn?: () => void) {
    this.#blocks = blocksInOrder(files, info, cache, turn);
  }

  /** Fills `x` [WINDOW, 19] from sample `start` on; starts must not fall. Throws DataError. */
  async fill(start: number, x: Float32Array): Promise<void> {
    const first = Math.floor(start / BLOCK);
    await fillFromBlocks(start, x, (index) => this.#block(index, first));
  }

  /** Ends the reading of the file. */
  async close(): Promise<void> {
    this.#held = [];
    await this.#blocks.return(undefined);
  }

  async #block(index: number, first: number): Promise<Float32Array> {
    while (this.#first + this.#held.length <= index) {
      const next = await this.#blocks.next();
      if (next.done) throw new RangeError(`the recording has no block ${index}`);
      this.#held.push(next.value);
      while (this.#first < first && this.#held.length > 0) {
        this.#held.shift();
        this.#first++;
      }
    }
    const block = this.#held[index - this.#first];
    if (!block)
      throw new RangeError(`block ${index} was let go of: windows come in the order of their starts`);
    return block;
  }
}

async function* blocksInOrder(
  files: RecordingFiles,
  info: ToPrepare,
  cache: PreparedCache | undefined,
  turn?: () => void,
): AsyncGenerator<Float32Array> {
  if (groupsOf(info).length === 1) {
    for await (const { values } of prepareRecording(files, info, turn)) yield values;
    return;
  }
  const hash = cache && (await heldIn(cache, files, info, turn));
  if (cache && hash) {
    let index = 0;
    for (; index * BLOCK < info.samples; index++) {
      const block = await cache.block(hash, index);
      if (!block) break;
      yield block;
    }
    if (index * BLOCK >= info.samples) return;
    throw new Error(`the cache of prepared recordings lost ${info.path} while it was read; start again`);
  }
  yield* await blocksInMemory(files, info, turn);
}
