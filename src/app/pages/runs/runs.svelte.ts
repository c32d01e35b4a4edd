import { messageOf } from '../../../base/text';
import { writeState, writeWeights } from '../../../checkpoints/state_file';
import { runBytes, type Slot } from '../../../checkpoints/run';
import type { RunChanges } from '../../../checkpoints/store';
import { handOver, startStoreWorker, type StoreWorker } from '../../../checkpoints/store_worker';
import { trainerCheckpoint } from '../../../training/export';
import { files } from '../../../training/files';
import { preparedCache } from '../../../training/prepared_cache';
import { runsInTraining, whileIdle } from '../../../training/run_lock';
import { asJson, readSummary, summaryOf } from '../../../training/run_record';
import { differences } from '../../../training/share';
import { metricsCsv } from '../../../training/logs/metrics_files';
import { download } from '../../ui/download';
import type { Detector } from '../detector/detector.svelte';
import { FROM_A_FILE } from '../detector/interrupted';
import { logsZip, namedRows } from './export';
import { openLogs, type OpenedLog } from './opened';
import type { ShownRun } from './shown_run';

export type Format = 'torch' | 'weights' | 'state';

const asBytes = (parts: Uint8Array | Uint8Array[]): Blob =>
  new Blob((Array.isArray(parts) ? parts : [parts]) as Uint8Array<ArrayBuffer>[]);

/** The runs in the store, and what can be done with them. */
export class Runs {
  list = $state.raw<readonly ShownRun[]>([]);
  /** What went wrong last, as a sentence. */
  problem = $state<string | null>(null);
  /** Bytes that the browser stores for this page, and may; whether it promised to keep them. */
  room = $state.raw<{ used: number; max: number; persisted: boolean } | null>(null);
  /** Bytes of the preprocessing cache, and their limit. */
  prepared = $state.raw<{ bytes: number; limit: number } | null>(null);
  /** Of the runs whose curves are drawn. */
  compared = $state.raw<readonly string[]>([]);
  /** Logs from files, as of production runs; until the page is closed. */
  opened = $state.raw<readonly OpenedLog[]>([]);
  #worker: StoreWorker | undefined;

  constructor(private readonly detector: Pick<Detector, 'underWay'>) {}

  get #store(): StoreWorker['store'] {
    return (this.#worker ??= startStoreWorker()).store;
  }

  refresh(): Promise<void> {
    return this.#try(async () => {
      const runs = (await this.#store.runs()).map((run) => ({ run, summary: readSummary(run.summary) }));
      const [here, training] = await Promise.all([this.detector.underWay(), runsInTraining()]);
      const older = runs.filter(({ summary }) => summary).sort((a, b) => b.run.created - a.run.created);
      this.list = runs.map(({ run, summary }) => {
        const previous = older.find((other) => other.run.created < run.created)?.summary;
        return {
          run,
          summary,
          bytes: runBytes(run),
          training: run.id === here ? 'here' : training.has(run.id) ? 'elsewhere' : null,
          differences: summary && previous ? differences(previous.settings, summary.settings) : [],
        };
      });
      this.compared = this.compared.filter((id) => runs.some(({ run }) => run.id === id));
      const { usage = 0, quota = 0 } = await navigator.storage.estimate();
      this.room = { used: usage, max: quota, persisted: await navigator.storage.persisted() };
      const cache = await preparedCache();
      this.prepared = { bytes: await cache.bytes(), limit: cache.limit };
    });
  }

  /** Recordings that a run is reading are preprocessed again. */
  clearPrepared(): Promise<void> {
    return this.#try(async () => {
      await (await preparedCache()).clear();
      await this.refresh();
    });
  }

  compare(id: string, chosen: boolean): void {
    this.compared = chosen ? [...this.compared, id] : this.compared.filter((other) => other !== id);
  }

  change(id: string, changes: RunChanges): Promise<void> {
    return this.#try(async () => {
      await this.#store.updateRun(id, changes);
      await this.#store.copyRun(id);
      await this.refresh();
    });
  }

  /** Other runs may be deleted while one trains, which may need their space. */
  remove(id: string): Promise<void> {
    return this.#try(async () => {
      await whileIdle(id, () => this.#store.deleteRun(id));
      const left = await this.#store.deleteCopy(id);
      await this.refresh();
      if (left !== null) throw new Error(`The run is deleted, its copy is not: ${left}`);
    });
  }

  /** Saves a checkpoint as a file: the trainer's, the weights alone, or all that is needed to resume. */
  save({ run, summary }: ShownRun, slot: Slot, number: number, format: Format): Promise<void> {
    return this.#try(async () => {
      const { state, generation } = await this.#store.load(run.id, slot, number);
      const name = `${run.name.replace(/[^\w.-]+/g, '-')}-${slot}-${generation.step}`;
      if (format === 'weights') return download(`${name}.safetensors`, asBytes(writeWeights(state)));
      if (format === 'state') return download(`${name}.state.safetensors`, asBytes(writeState(state)));
      if (!summary) throw new Error('An imported run has no settings, which the trainer’s file needs.');
      download(`${name}.pt`, asBytes(trainerCheckpoint(state, summary.settings)));
    });
  }

  /** PyTorch checkpoints of the trainer (.pt), weights, or states as this page saves them; each becomes a run. Logs are shown. */
  open(given: readonly File[]): Promise<void> {
    return this.#try(async () => {
      const { opened, others, problems } = await openLogs(given, (file) =>
        files().ask((reader) => reader.logs(file)),
      );
      this.opened = [...this.opened, ...opened];
      for (const file of others)
        await this.#open(file).catch((error: unknown) => problems.push(`${file.name}: ${messageOf(error)}`));
      await this.refresh();
      if (problems.length > 0) throw new Error(problems.join('; '));
    });
  }

  /** Takes a log from the page. */
  closeLog(id: string): void {
    this.opened = this.opened.filter((one) => one.id !== id);
  }

  /** All that the runs logged, as one CSV. */
  saveCsv(runs: readonly ShownRun[]): void {
    download('metrics.csv', new Blob([metricsCsv(namedRows(runs))], { type: 'text/csv' }));
  }

  /** The same, and of each run a folder: JSON Lines, an event file for TensorBoard, and a configuration for the trainer. */
  saveLogs(runs: readonly ShownRun[]): void {
    download('runs.zip', logsZip(runs));
  }

  async #open(file: File): Promise<void> {
    const { state, whole } = await files().ask((reader) => reader.run(file));
    const run = await this.#store.createRun({
      name: file.name,
      config: state.progress.config,
      device: FROM_A_FILE,
      summary: whole ? asJson(summaryOf(state)) : null,
    });
    try {
      await this.#store.save(run.id, 'last', handOver(state));
      await this.#store.copyRun(run.id);
    } catch (error) {
      await this.#store.deleteRun(run.id);
      throw error;
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.problem = null;
    } catch (error) {
      this.problem = messageOf(error);
    }
  }
}
