/** The configurations that can be looked at. */
import { PRESETS } from '../../../config/presets';
import type { TargetName } from '../../../config/targets';
import type { Place } from './setup';

export interface Source {
  readonly id: string;
  /** Its path, which the launcher reads meaning into. */
  readonly path: string;
  readonly label: string;
  readonly text: string;
  readonly place: Place;
  readonly group: 'open' | 'preset';
}

interface Open {
  readonly id: string;
  readonly path: string;
  readonly text: string;
  readonly target: TargetName;
}

export const openSources = (files: readonly Open[]): Source[] =>
  files.map(({ id, path, text, target }) => ({
    id,
    path,
    label: path,
    text,
    place: placeOf(target),
    group: 'open',
  }));

/** The browser is none of production's machines. */
export const placeOf = (target: TargetName): Place => (target === 'browser' ? 'local' : target);

export const PRESET_SOURCES: readonly Source[] = PRESETS.map(({ name, title, text, target }) => ({
  id: name,
  path: name,
  label: `${title} (${name})`,
  text,
  place: placeOf(target),
  group: 'preset',
}));

/** The file whose run was killed. */
export const FIRST = 'configs/review/tusz_train.yaml';
