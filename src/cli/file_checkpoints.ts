/**
 * A run's states as files of a folder: `last`, the one before it, and `best`. A file is written under another name, brought
 * to the disk, read back and only then renamed, so that a killed process leaves each state whole or not there.
 */
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SafetensorsError } from '../checkpoints/safetensors';
import { StateError, type TrainingState } from '../checkpoints/state';
import { readState, writeState } from '../checkpoints/state_file';
import type { Slot } from '../checkpoints/run';
import type { Checkpoints } from '../training/checkpoints';
import { reasonOf } from './file_error';

type FileName = Slot | 'previous';

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

export class FileCheckpoints implements Checkpoints {
  damaged: string | null = null;
  /** The newest state that could not be written. */
  #unwritten: TrainingState | undefined;

  /** `folder` is made when there is something to keep. */
  constructor(private readonly folder: string) {}

  async save(slots: readonly Slot[], state: TrainingState): Promise<void> {
    this.#unwritten = state;
    const file = writeState(state);
    for (const slot of slots)
      try {
        await this.#write(slot, file);
      } catch (error) {
        const reason = reasonOf(error);
        throw new Error(
          `${this.#path(slot)} could not be written (${reason}); what was kept before is still there.`,
          { cause: error },
        );
      }
    this.#unwritten = undefined;
  }

  async latest(): Promise<TrainingState | undefined> {
    this.damaged = null;
    if (this.#unwritten) return this.#unwritten;
    const last = await this.#read('last');
    if (last) return last;
    const others = await Promise.all([this.#read('previous'), this.#read('best')]);
    return others
      .flatMap((state) => state ?? [])
      .sort((a, b) => b.progress.step - a.progress.step)
      .at(0);
  }

  best(): Promise<TrainingState | undefined> {
    return this.#read('best');
  }

  #path(name: FileName): string {
    return join(this.folder, `${name}.state.safetensors`);
  }

  /** undefined where there is none, or where it is not whole, which `damaged` then says. */
  async #read(name: FileName): Promise<TrainingState | undefined> {
    const path = this.#path(name);
    try {
      return readState(await readFile(path));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (!(error instanceof SafetensorsError || error instanceof StateError)) throw error;
      this.damaged ??= `${path} is not whole: ${error.message}.`;
      return undefined;
    }
  }

  async #write(slot: Slot, bytes: Uint8Array): Promise<void> {
    const path = this.#path(slot);
    const fresh = `${path}.new`;
    await mkdir(this.folder, { recursive: true });
    try {
      const file = await open(fresh, 'w');
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
      if (!(await readFile(fresh)).equals(bytes)) throw new Error('it does not read back as it was written');
      if (slot === 'last')
        await rename(path, this.#path('previous')).catch((error: unknown) => {
          if (!isAbsent(error)) throw error;
        });
      await rename(fresh, path);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
    await this.#syncFolder();
  }

  /** Renames are on the disk once the folder is; Windows can neither and need not. */
  async #syncFolder(): Promise<void> {
    if (process.platform === 'win32') return;
    const folder = await open(this.folder, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }
}
