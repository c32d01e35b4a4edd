/** Who reads windows: the dataset itself, or workers that are started when they are needed. */
import type { Dataset } from '../eeg/windows/dataset';
import { localSource, type BatchSource } from '../eeg/windows/loader';
import { SettingsError } from '../run/failure';
import type { EegSettings } from './settings';

export interface SourceOptions {
  readonly dataset: Dataset;
  readonly settings: EegSettings;
  /** Starts workers that read windows; without it the settings may ask for none. */
  readonly startWorkers?: (count: number) => BatchSource[];
}

export class Sources {
  #open: readonly BatchSource[] = [];

  constructor(private readonly options: SourceOptions) {}

  open(): readonly BatchSource[] {
    const { dataset, settings, startWorkers } = this.options;
    if (this.#open.length > 0) return this.#open;
    if (settings.workers === 0) return (this.#open = [localSource(dataset)]);
    if (!startWorkers)
      throw new SettingsError('workers that read windows exist in a browser alone: ask for 0');
    return (this.#open = startWorkers(settings.workers));
  }

  close(): void {
    for (const source of this.#open) source.close();
    this.#open = [];
  }
}
