import { messageOf, several } from '../../../base/text';
import { chosenFolder, isOpen, rememberFolder } from '../../../checkpoints/copies';
import { startStoreWorker } from '../../../checkpoints/store_worker';
import { allowFolder, pickFolder } from '../../ui/folder';

/** The folder in which a copy of every checkpoint is kept. */
export class Copies {
  /** null where none was chosen; undefined before that is known. */
  folder = $state.raw<FileSystemDirectoryHandle | null | undefined>();
  /** Whether the browser wants the person to allow the folder again. */
  lapsed = $state(false);
  /** Whether runs are being copied or put back. */
  busy = $state(false);
  /** What came of it last, or went wrong: sentences. */
  said = $state<string | null>(null);

  #matched = false;

  /** `changed` hears when runs may have been put back. */
  constructor(private readonly changed: () => void = () => undefined) {}

  /** `match`: puts back what was lost since the last visit, and copies what is not there. */
  async look(match: boolean): Promise<void> {
    // Where nothing can be remembered, no folder was.
    const folder = (await chosenFolder().catch(() => undefined)) ?? null;
    this.lapsed = folder !== null && !(await isOpen(folder));
    this.folder = folder;
    if (!match || !folder || this.lapsed || this.#matched) return;
    await this.#try(() => this.#match(folder.name, true));
  }

  choose(): Promise<void> {
    return this.#try(async () => {
      const folder = await pickFolder();
      if (!folder) return;
      await rememberFolder(folder);
      await this.look(false);
      await this.#match(folder.name);
    });
  }

  /** Asks the browser for the folder of an earlier visit. */
  renew(): Promise<void> {
    return this.#try(async () => {
      const { folder } = this;
      if (!folder || !(await allowFolder(folder))) return;
      this.lapsed = false;
      await this.#match(folder.name);
    });
  }

  /** What was copied stays there. */
  forget(): Promise<void> {
    return this.#try(async () => {
      await rememberFolder(null);
      await this.look(false);
    });
  }

  /** Puts back what the store has lost, then copies what the folder lacks. `quiet`: nothing is said where nothing was put back. */
  async #match(name: string, quiet = false): Promise<void> {
    this.#matched = true;
    const { store, stop } = startStoreWorker();
    try {
      const { restored, problems } = await store.restoreRuns();
      const said = [...problems];
      if (restored.length > 0)
        said.unshift(`Put back from the folder “${name}”: ${restored.map((one) => `“${one}”`).join(', ')}`);
      const runs = await store.runs();
      const left: string[] = [];
      for (const { id } of runs) {
        const problem = await store.copyRun(id);
        if (problem !== null) left.push(problem);
      }
      if (left[0] !== undefined) said.push(left[0]);
      else if (!quiet) said.push(`${several(runs.length, 'run')} copied to the folder “${name}”`);
      this.said = said.map((one) => (one.endsWith('.') ? one : `${one}.`)).join(' ') || null;
      this.changed();
    } finally {
      stop();
    }
  }

  async #try(work: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.said = null;
    try {
      await work();
    } catch (error) {
      this.said = messageOf(error);
    } finally {
      this.busy = false;
    }
  }
}
