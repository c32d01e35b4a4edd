import { messageOf } from '../../../base/text';
import type { Comparison } from '../../../estimate/snapshot/compare';
import type { VramRun } from '../../../estimate/vram/options';
import type { Answer } from '../../ui/answer';
import { Latest } from '../../ui/latest.svelte';
import { fileReader, PATIENCE } from './file_reader';

/** Seconds more for each gigabyte: three times what a free core takes. */
const PATIENCE_PER_GB = 180;

/** A memory snapshot of a real run, beside the run that is shown. */
export class SnapshotState {
  file = $state.raw<File | undefined>();
  readonly comparison = new Latest<Comparison>();

  open(file: File, run: VramRun): void {
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
    if (!file) return;
    const patience = PATIENCE + (PATIENCE_PER_GB * file.size) / 1e9;
    this.comparison.ask(async () => {
      try {
        return await fileReader().ask<Answer<Comparison>>((worker) => worker.compare(file, run), patience);
      } catch (error) {
        return { problem: `${file.name} was not read: ${messageOf(error)}.` };
      }
    });
  }
}
