/** Batches in their order, read ahead of their use: here, or by as many workers as are wanted. */
import { CHANNELS } from '../signal/montage';
import type { Dataset } from './dataset';
import { WINDOW, type WindowRef } from './windows';

/** Windows side by side: x [windows, WINDOW, 19], y [windows, WINDOW]. */
export interface Batch {
  readonly x: Float32Array<ArrayBuffer>;
  readonly y: Float32Array<ArrayBuffer>;
}

/** Who reads batches, one after the other. */
export interface BatchSource {
  read(windows: readonly WindowRef[]): Promise<Batch>;
  close(): void;
}

/** Reads windows of prepared EEG with their labels, one after the other. Throws what `dataset.fill` throws. */
export async function readBatch(dataset: Dataset, windows: readonly WindowRef[]): Promise<Batch> {
  const perWindow = WINDOW * CHANNELS.length;
  const x = new Float32Array(windows.length * perWindow);
  const y = new Float32Array(windows.length * WINDOW);
  for (const [i, window] of windows.entries())
    await dataset.fill(
      window,
      x.subarray(i * perWindow, (i + 1) * perWindow),
      y.subarray(i * WINDOW, (i + 1) * WINDOW),
    );
  return { x, y };
}

/** Reads in the thread that asks: num_workers 0. */
export const localSource = (dataset: Dataset): BatchSource => ({
  read: (windows) => readBatch(dataset, windows),
  close: () => undefined,
});

/**
 * Batch i comes from source i mod n, as PyTorch's DataLoader gives them out, and at most `ahead` are read before they are
 * asked for. The order does not depend on who is faster. Throws what a source threw, at the batch it was reading.
 */
export async function* load(
  batches: readonly (readonly WindowRef[])[],
  sources: readonly BatchSource[],
  ahead: number,
): AsyncGenerator<Batch, void, undefined> {
  const waiting: Promise<Batch>[] = [];
  let next = 0;
  const fill = (): void => {
    while (next < batches.length && waiting.length < ahead) {
      const source = sources[next % sources.length];
      if (!source) throw new RangeError('batches need a source');
      const batch = source.read(batches[next++] as readonly WindowRef[]);
      batch.catch(() => undefined); // it is thrown when its turn comes
      waiting.push(batch);
    }
  };
  fill();
  for (let batch = waiting.shift(); batch; batch = waiting.shift()) {
    const read = await batch;
    fill();
    yield read;
  }
}
