import { startStoreWorker } from '../../../checkpoints/store_worker';
import { readSummary } from '../../../training/eeg/run_record';
import type { EegSettings } from '../../../training/eeg/settings';
import type { BrowserDevice, BrowserRow, KeptRun } from './browser_worker';
import { browserLink } from './link';

/** Of the first stage, production's the last. */
export const WIDTHS = [4, 8, 16, 32, 64] as const;

/** Runs that this browser keeps. */
async function keptRuns(): Promise<KeptRun[]> {
  const { store, stop } = startStoreWorker();
  try {
    return (await store.runs()).flatMap(({ device, summary }) => {
      const read = readSummary(summary);
      return read
        ? [{ device, settings: read.settings, seconds: read.seconds, updates: read.losses.length }]
        : [];
    });
  } finally {
    stop();
  }
}

/** What a training would take in this browser; nothing is asked of the GPU before a person wants to know. */
export class BrowserState {
  device = $state.raw<BrowserDevice | undefined>();
  rows = $state.raw<readonly BrowserRow[]>([]);
  /** The settings that the rows are of. */
  settings = $state.raw<EegSettings | undefined>();
  busy = $state(false);
  problem = $state<string | undefined>();

  readonly #link = browserLink();

  async predict(settings: EegSettings): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = undefined;
    this.rows = [];
    this.settings = settings;
    try {
      const kept = await keptRuns();
      this.device = await this.#link.call((worker) => worker.measure(kept));
      for (const width of WIDTHS) {
        const row = await this.#link.call((worker) => worker.row(settings, width));
        this.rows = [...this.rows, row];
      }
    } catch (error) {
      this.problem = `This browser cannot be asked: ${error instanceof Error ? error.message : String(error)}.`;
    }
    this.busy = false;
  }
}
