import { messageOf } from '../../../base/text';
import type { Comparison } from '../../../estimate/snapshot/compare';
import type { VramRun } from '../../../estimate/vram/options';
import { WorkerLink } from '../../../run/worker_link';
import type { Answer } from '../../ui/answer';
import { Latest } from '../../ui/latest.svelte';
import type { SnapshotReader } from './snapshot_worker';

/** Seconds for a file, as for every other of a stranger; and so many more for each gigabyte. */
const PATIENCE = 60;
const PATIENCE_PER_GB = 60;

/** A memory snapshot of a real run, beside the run that is shown. */
export class SnapshotState {
  file = $state.raw<File | undefined>();
  readonly comparison = new Latest<Comparison>();
  #link: WorkerLink<SnapshotReader> | undefined;

  open(file: File, run: VramRun): void {
    this.#link ??= new WorkerLink(
      () =>
        new Worker(new URL('./snapshot_worker.ts', import.meta.url), { type: 'module', name: 'snapshots' }),
      PATIENCE,
    );
    this.comparison.clear();
    this.file = file;
    this.compare(run);
  }

  close(): void {
    this.file = undefined;
    this.comparison.clear();
  }

  /** Also after other settings; nothing where no file is open. */
  compare(run: VramRun): void {
    const { file } = this;
    const link = this.#link;
    if (!file || !link) return;
    const patience = PATIENCE + (PATIENCE_PER_GB * file.size) / 1e9;
    this.comparison.ask(async () => {
      try {
        return await link.ask<Answer<Comparison>>((worker) => worker.compare(file, run), patience);
      } catch (error) {
        return { problem: `${file.name} was not read: ${messageOf(error)}.` };
      }
    });
  }
}
