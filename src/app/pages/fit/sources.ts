/** The configurations that can be looked at, and how changes are written into them. */
import type { Change } from '../../../config/change';
import { PRESETS } from '../../../config/presets';
import { MACHINES, TARGETS, type Machine, type Target, type TargetName } from '../../../config/targets';
import type { Workspace } from '../config/workspace.svelte';

export interface Source {
  readonly id: string;
  /** Its path, which the launcher reads meaning into. */
  readonly path: string;
  readonly label: string;
  readonly text: string;
  /** Where it runs, as the person has described that machine. */
  readonly machine: Machine;
  readonly group: 'open' | 'preset';
}

interface Open {
  readonly id: string;
  readonly path: string;
  readonly text: string;
  readonly target: TargetName;
}

/** The trainer does not run in the browser. */
const machineOf = (target: Target): Machine => (target.name === 'browser' ? MACHINES.local : target);

export const openSources = (files: readonly Open[], targetOf: (name: TargetName) => Target): Source[] =>
  files.map(({ id, path, text, target }) => ({
    id,
    path,
    label: path,
    text,
    machine: machineOf(targetOf(target)),
    group: 'open',
  }));

export const PRESET_SOURCES: readonly Source[] = PRESETS.map(({ name, title, text, target }) => ({
  id: name,
  path: name,
  label: `${title} (${name})`,
  text,
  machine: machineOf(TARGETS[target]),
  group: 'preset',
}));

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
    if (!file) return { said: `${source.path} is no longer open, so nothing was written.` };
    const before = file.current;
    await work.apply(file, changes);
    if (file.current === before) return { said: 'Nothing was written: “Config” shows why.' };
    work.show(file);
    const keys = changes.map(({ path }) => path).join(', ');
    return { said: `${keys} changed in ${file.path}; you can undo it under “Config”.`, id: file.id };
  };
