/**
 * The log of a run in its folder. metrics.jsonl is kept with each state, so that a resumed run has all of its curves; what other
 * tools read is written from it at the end, the same for a run that was killed and resumed.
 */
import { readFile } from 'node:fs/promises';
import { schemaText } from '../config/json_schema';
import { configYaml } from '../training/logs/config_yaml';
import { eventFileName, writeEventFile } from '../training/logs/event_file';
import { logOf, Rows } from '../training/logs/log';
import { metricsCsv, metricsJsonl, readMetricsJsonl } from '../training/logs/metrics_files';
import type { EegEvent } from '../training/protocol';
import { runName, type EegSettings } from '../training/settings';
import { DataError } from '../eeg/errors';
import { isAbsent } from './file_error';
import type { OutputFolder } from './output_files';

const [LOG, CSV, CONFIG, SCHEMA] = ['metrics.jsonl', 'metrics.csv', 'config.yaml', 'schema.json'] as const;
/** A time would differ where a run was killed. */
const EVENTS = eventFileName(0);

/** All that are written. */
export const LOG_FILES: readonly string[] = [LOG, CSV, EVENTS, CONFIG, SCHEMA];

export class RunLog {
  /** Of the file that is kept. */
  readonly name = LOG;
  #rows = new Rows();

  constructor(private readonly folder: OutputFolder) {}

  /** Reads what was logged up to a step. What is missing of it: a sentence, or null. */
  async resume(step: number): Promise<string | null> {
    const path = this.folder.path(LOG);
    const without = `Curves of this run start at step ${step + 1}.`;
    try {
      this.#rows = new Rows(readMetricsJsonl(await readFile(path, 'utf8'), path));
      this.#rows.backTo(step);
      return null;
    } catch (error) {
      if (isAbsent(error)) return step === 0 ? null : `${path} is missing. ${without}`;
      if (!(error instanceof DataError)) throw error;
      return `${error.message}. ${without}`;
    }
  }

  observe(event: EegEvent): void {
    if (event.type === 'progress')
      event.metrics.step.forEach((step, i) => this.#rows.add(step, event.metrics.loss[i] ?? NaN));
    else if (event.type === 'validated') this.#rows.validated(event);
    else if (event.type === 'continuing') this.#rows.backTo(event.step);
  }

  /** Writes what was logged so far. */
  save(): Promise<void> {
    return this.folder.write(LOG, [metricsJsonl(this.#rows.all)]);
  }

  /** The same for spreadsheets and TensorBoard, and the settings for the trainer. */
  async export(settings: EegSettings): Promise<void> {
    const rows = this.#rows.all;
    await this.save();
    await this.folder.write(CSV, [metricsCsv([{ name: runName(settings), seed: settings.seed, rows }])]);
    await this.folder.write(EVENTS, [writeEventFile(logOf(rows), 0)]);
    await this.folder.write(CONFIG, [configYaml(settings, CONFIG)]);
    await this.folder.write(SCHEMA, [schemaText()]);
  }
}
