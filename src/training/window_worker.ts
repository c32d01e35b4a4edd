/** A worker of the loader: reads windows for the worker that trains. Started by it, and ended by it. */
import { expose, transfer } from 'comlink';
import { Dataset, type OpenedFolder } from '../eeg/windows/dataset';
import { readBatch, type Batch } from '../eeg/windows/loader';
import type { WindowRef } from '../eeg/windows/windows';
import type { Interpolation } from '../eeg/signal/channels';
import { preparedCache } from './prepared_cache';

export interface WindowWorker {
  open(
    folder: Pick<OpenedFolder, 'files' | 'recordings'>,
    keepBytes: number,
    cached: boolean,
    interpolation: Interpolation,
  ): Promise<void>;
  /** The batch's memory moves to whoever asked. */
  read(windows: readonly WindowRef[]): Promise<Batch>;
}

let dataset: Dataset | undefined;

expose({
  async open(folder, keepBytes, cached, interpolation) {
    dataset = new Dataset(folder, keepBytes, cached ? await preparedCache() : undefined, interpolation);
  },
  async read(windows) {
    if (!dataset) throw new Error('the loader asked for windows before it opened a folder');
    const batch = await readBatch(dataset, windows);
    return transfer(batch, [batch.x.buffer, batch.y.buffer]);
  },
} satisfies WindowWorker);
