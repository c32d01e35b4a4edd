import { messageOf } from '../../../base/text';
import { CORPUS } from '../../../config/facts';
import { startStoreWorker, type StoreWorker } from '../../../checkpoints/store_worker';
import { asJson, readSummary, type RunDevice } from '../../../training/run_record';
import type { EegSettings } from '../../../training/settings';
import { SETTINGS } from '../../../training/settings_table';
import { Link } from '../../ui/link';
import type { BrowserDevice, BrowserPredictions, BrowserRow, KeptRun } from './browser_worker';

/** Widths of the first stage that a run's form offers; the last is the production model's. */
export const WIDTHS = Object.keys(SETTINGS['model.baseChannels'].choices ?? {}).map(Number);

const browserLink = (): Link<BrowserPredictions> =>
  new Link(
    () => new Worker(new URL('./browser_worker.ts', import.meta.url), { type: 'module', name: 'browser' }),
  );

type Store = StoreWorker['store'];

async function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const { store, stop } = startStoreWorker();
  try {
    return await work(store);
  } finally {
    stop();
  }
}

/** The stored runs on EEG that have made steps, the latest first. */
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
    const { settings, seconds, losses, adapterKey, device: measured } = read;
    return [{ id, name, device, adapterKey, settings, seconds, steps: losses.length, measured }];
  });
}

/** Keeps the measured rates of a device with the runs that it made. */
async function remember(store: Store, runs: ReadonlyMap<string, RunDevice>): Promise<void> {
  for (const [id, device] of runs) {
    const summary = readSummary((await store.run(id)).summary);
    if (summary) await store.updateRun(id, { summary: asJson({ ...summary, device }) });
  }
}

/** Memory and time of a training in this browser. The GPU is not used before a person asks for it. */
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
      this.problem = `This GPU could not be measured: ${messageOf(error)}.`;
    }
    this.busy = false;
  }
}

/** A width as people compare them. */
export interface BrowserView extends BrowserRow {
  /** Whether the settings have this width. */
  readonly chosen: boolean;
  /** Per second. */
  readonly windows: number;
  /** Hours of an epoch of the balanced corpus. */
  readonly epochHours: number;
}

export const browserView = (
  rows: readonly BrowserRow[],
  { batch, model }: { readonly batch: number; readonly model: { readonly baseChannels: number | 'auto' } },
): BrowserView[] =>
  rows.map((row) => ({
    ...row,
    chosen: row.width === model.baseChannels,
    windows: batch / row.time.likely,
    epochHours: ((CORPUS.balancedWindows / batch) * row.time.likely) / 3600,
  }));
