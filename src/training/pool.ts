/** Workers that read windows, as the loader sees them. */
import { wrap } from 'comlink';
import { KEEP_BYTES, type OpenedFolder } from '../eeg/windows/dataset';
import type { BatchSource } from '../eeg/windows/loader';
import type { EegSettings } from './settings';
import type { WindowWorker } from './window_worker';

/** Starts `count` workers; each keeps its share of the memory for prepared recordings. */
export function startWorkers(
  count: number,
  { files, recordings }: Pick<OpenedFolder, 'files' | 'recordings'>,
  { cache, interpolation }: Pick<EegSettings, 'cache' | 'interpolation'>,
): BatchSource[] {
  return Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./window_worker.ts', import.meta.url), { type: 'module' });
    const broken = new Promise<never>((_, reject) => {
      worker.addEventListener('error', (event) => {
        event.preventDefault();
        reject(new Error(`a worker that reads windows broke: ${event.message || 'its script did not load'}`));
      });
    });
    broken.catch(() => undefined); // it is thrown to whoever waits for windows
    const remote = wrap<WindowWorker>(worker);
    const opened = remote.open({ files, recordings }, Math.floor(KEEP_BYTES / count), cache, interpolation);
    opened.catch(() => undefined);
    return {
      read: async (windows) => {
        await Promise.race([opened, broken]);
        return Promise.race([remote.read(windows), broken]);
      },
      close: () => worker.terminate(),
    };
  });
}
