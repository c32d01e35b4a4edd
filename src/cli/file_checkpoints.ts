/**
 * A run's states as files of a folder: `last`, the one before it, and `best`. Each is written whole or not at all, so that a killed
 * process leaves it as it was.
 */
import { readFile } from 'node:fs/promises';
import { SafetensorsError } from '../checkpoints/safetensors';
import { StateError, type TrainingState } from '../checkpoints/state';
import { readState, writeState } from '../checkpoints/state_file';
import type { Slot } from '../checkpoints/run';
import type { Checkpoints } from '../training/checkpoints';
import { isAbsent, reasonOf } from './file_error';
import type { OutputFolder } from './output_files';
import type { RunLog } from './run_log';

type FileName = Slot | 'previous';

/** The name of a state's file in the folder of its run. */
const stateFile = (name: FileName): string => `${name}.state.safetensors`;

/** All that are written. */
export const STATE_FILES = (['last', 'previous', 'best'] as const).map(stateFile);

export class FileCheckpoints implements Checkpoints {
  damaged: string | null = null;
  /** The newest state that could not be written, and where it belongs. */
  #unwritten: { readonly slots: readonly Slot[]; readonly state: TrainingState } | undefined;

  /** `log`: is kept before each state, so that it is at least as long; a resumed run cuts off the rest. */
  constructor(
    private readonly folder: OutputFolder,
    private readonly log: Pick<RunLog, 'name' | 'save'>,
  ) {}

  async save(slots: readonly Slot[], state: TrainingState): Promise<void> {
    this.#unwritten = { slots, state };
    const file = writeState(state);
    await this.#whole(this.log.name, () => this.log.save());
    for (const slot of slots)
      await this.#whole(stateFile(slot), () =>
        this.folder.write(stateFile(slot), [file], slot === 'last' ? stateFile('previous') : undefined),
      );
    this.#unwritten = undefined;
  }

  async latest(): Promise<TrainingState | undefined> {
    this.damaged = null;
    if (this.#unwritten) return this.#unwritten.state;
    const last = await this.#read('last');
    if (last) return last;
    const others = await Promise.all([this.#read('previous'), this.#read('best')]);
    return others
      .flatMap((state) => state ?? [])
      .sort((a, b) => b.progress.step - a.progress.step)
      .at(0);
  }

  /** Writes what could not be written before. Throws like `save`. */
  async flush(): Promise<void> {
    if (this.#unwritten) await this.save(this.#unwritten.slots, this.#unwritten.state);
  }

  best(): Promise<TrainingState | undefined> {
    return this.#read('best');
  }

  async #whole(name: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      throw new Error(
        `${this.folder.path(name)} could not be written (${reasonOf(error)}); what was kept before is still there.`,
        { cause: error },
      );
    }
  }

  /** undefined where there is none, or where it is not whole, which `damaged` then says. */
  async #read(name: FileName): Promise<TrainingState | undefined> {
    const path = this.folder.path(stateFile(name));
    try {
      return readState(await readFile(path));
    } catch (error) {
      if (isAbsent(error)) return undefined;
      if (!(error instanceof SafetensorsError || error instanceof StateError)) throw error;
      this.damaged ??= `${path} is not whole: ${error.message}.`;
      return undefined;
    }
  }
}
