import type { Change } from '../../../config/change';
import type { Workspace } from '../config/workspace.svelte';
import type { Source } from './sources';

export interface Written {
  readonly said: string;
  /** The file in which it was written. */
  readonly id?: string;
}

/** Makes changes in the open file, or in a preset that is opened for them; says what was done. */
export const writer =
  (work: Workspace) =>
  async (source: Source, changes: readonly Change[]): Promise<Written> => {
    if (source.group === 'preset') work.preset(source.path);
    const file = source.group === 'preset' ? work.active : work.files.find(({ id }) => id === source.id);
    if (!file) return { said: `${source.path} is not open any more, so nothing was written.` };
    const before = file.current;
    await work.apply(file, changes);
    if (file.current === before) return { said: 'Nothing was written: “Config check” says why.' };
    work.show(file);
    const keys = changes.map(({ path }) => path).join(', ');
    return { said: `${keys} changed in ${file.path}; it can be undone under “Config check”.`, id: file.id };
  };
