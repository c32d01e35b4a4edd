import { startStoreWorker, type StoreWorker } from '../../../checkpoints/store_worker';
import { asJson, readSummary, type RunDevice } from '../../../training/run_record';
import type { EegSettings } from '../../../training/settings';
import type { BrowserDevice, BrowserRow, KeptRun } from './browser_worker';
import { browserLink } from './link';

/** Of the first stage, production's the last. */
export const WIDTHS = [4, 8, 16, 32, 64] as const;

type Store = StoreWorker['store'];

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const { store, stop } = startStoreWorker();
  try {
    return await work(store);
  } finally {
    stop();
  }
}

/** Runs on EEG that this browser keeps and that trained, the latest first. */
async function keptRuns(store: Store): Promise<KeptRun[]> {
  return (await store.runs()).flatMap(({ id, name, device, summary }) => {
    const read = readSummary(summary);
    if (
      !read ||
      !(read.seconds > 0) ||
      read.losses.length === 0 ||
      read.settings.model.baseChannels === 'auto'
    )
      return [];
    const { settings, seconds, losses, device: measured } = read;
    return [{ id, name, device, settings, seconds, updates: losses.length, measured }];
  });
}

/** What a device was found to reach is kept with the runs that it made. */
async function remember(store: Store, runs: ReadonlyMap<string, RunDevice>): Promise<void> {
  for (const [id, device] of runs) {
    const summary = readSummary((await store.run(id)).summary);
    if (summary) await store.updateRun(id, { summary: asJson({ ...summary, device }) });
  }
}

/** What a training would take in this browser; nothing is asked of the GPU before a person wants to know. */
export class BrowserState {
  device = $state.raw<BrowserDevice | undefined>();
  /** Undefined until they are looked for. */
  kept = $state.raw<readonly KeptRun[] | undefined>();
  rows = $state.raw<readonly BrowserRow[]>([]);
  /** The settings that the rows are of. */
  settings = $state.raw<EegSettings | undefined>();
  busy = $state(false);
  problem = $state<string | undefined>();

  readonly #link = browserLink();

  /** Looks for kept runs. */
  look(): Promise<void> {
    return this.#try(() =>
      withStore(async (store) => {
        this.kept = await keptRuns(store);
      }),
    );
  }

  /** Measures the device, which takes about a second. */
  measure(): Promise<void> {
    return this.#try(() => this.#measured());
  }

  predict(settings: EegSettings): Promise<void> {
    return this.#try(async () => {
      this.rows = [];
      this.settings = settings;
      await this.#measured();
      for (const width of WIDTHS) {
        const row = await this.#link.call((worker) => worker.row(settings, width));
        this.rows = [...this.rows, row];
      }
    });
  }

  #measured(): Promise<void> {
    return withStore(async (store) => {
      const kept = await keptRuns(store);
      const device = await this.#link.call((worker) => worker.measure(kept));
      await remember(store, device.runs);
      this.device = device;
      this.kept = await keptRuns(store);
    });
  }

  async #try(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.problem = undefined;
    try {
      await work();
    } catch (error) {
      this.problem = `This browser cannot be asked: ${error instanceof Error ? error.message : String(error)}.`;
    }
    this.busy = false;
  }
}
