/** What to write where the trainer's validation rejects a value: the nearest that it accepts. */
import { POSTPROCESSING } from '../base/production';
import type { Change } from './change';
import { SAFE_RATE } from './facts';
import { folded, letters } from './letters';
import { KEY_AT, REQUIRED_SECTIONS, type Key, type Kind } from './keys';
import { PAIRS } from './pairs';
import { listOf } from './path';
import { isPyMapping, PyDate, type PyValue } from './plain';
import { readAs } from './pydantic';
import { nearest } from './rules/nearest';
import { scalarText } from './scalar';
import type { Setting, Settings } from './settings';

/** The fix of a rejected setting; undefined where only who wrote it can know. */
export function fixOf({ path, kind, read, problem }: Setting, settings: Settings): Change[] | undefined {
  if (path === '') return read === null ? REQUIRED_SECTIONS.map(section) : undefined;
  if (kind === 'section') return [misspelt(path, settings) ?? section(path)];
  if (kind === 'unknown')
    return [{ path, value: undefined, reason: 'a key that is no text can be none that the trainer knows' }];
  const { declaration, value: given = null } = settings.get(listOf(path)) ?? {};
  if (!declaration) return undefined;
  const value = (other: string): PyValue | undefined => settings.value(other);
  const pair = PAIRS.find((one) => one.path === path && one.problem(value) === problem);
  const better = pair ? pair.fix(value) : { [declaration.path]: accepted(declaration, given) };
  return Object.entries(better).map(([key, one]) => ({
    path: key,
    value: scalarText(one, KEY_AT.get(key)?.kind),
    reason: 'a value that the trainer accepts',
  }));
}

/** The section under another name, where this one is missing. */
function misspelt(path: string, settings: Settings): Change | undefined {
  if (settings.read(path) !== undefined) return undefined;
  const given = [...settings.values()].find(
    (one) => one.kind === 'unknown' && isPyMapping(one.read) && nearest(one.path, one.read) === path,
  );
  return (
    given && {
      path,
      value: scalarText(given.read ?? null),
      reason: `it is written as ${given.path}`,
      renames: given.path,
    }
  );
}

/** Missing, or no mapping. */
const section = (path: string): Change =>
  REQUIRED_SECTIONS.includes(path)
    ? { path, value: '{}', reason: 'the trainer needs the section, and has defaults for all of it' }
    : { path, value: undefined, reason: 'without it the section has its defaults' };

/** The nearest value that a key may have. */
function accepted({ path, kind, defaultValue }: Key, given: PyValue): PyValue {
  const near = near1(kind, given);
  if (near === undefined || !('value' in readAs(kind, near))) return defaultValue;
  return 'max' in kind && near === kind.max ? (LESS[path] ?? near) : near;
}

/** Instead of the largest value that is accepted. */
const LESS: Readonly<Record<string, number>> = {
  // No tau_on is above the largest.
  'postprocessing.hysteresis.tau_off': POSTPROCESSING.tau_off,
  'training.learning_rate': SAFE_RATE,
};

function near1(kind: Kind, given: PyValue): PyValue | undefined {
  switch (kind.type) {
    case 'int':
    case 'odd':
    case 'float': {
      const read = readAs({ type: 'float' }, given);
      const number = 'value' in read && typeof read.value === 'number' ? read.value : NaN;
      if (Number.isNaN(number)) return undefined;
      const { min = -Infinity, max = Infinity } = kind;
      const within = Math.min(max, Math.max(min, number));
      if (kind.type === 'float') return within;
      const whole = Math.round(within);
      return kind.type === 'odd' && whole % 2 === 0 ? whole + (whole < max ? 1 : -1) : whole;
    }
    case 'text':
      return typeof given === 'number' || typeof given === 'boolean' || given instanceof PyDate
        ? String(given)
        : undefined;
    case 'choice': {
      const text = typeof given === 'string' ? folded(given) : '';
      const [best] = kind.of
        .map((one) => ({ one, distance: letters(String(one).toLowerCase(), text) }))
        .sort((a, b) => a.distance - b.distance);
      // A word of three letters is no misspelling of another: “gpu” does not mean cpu.
      return best && best.distance < text.length / 3 ? best.one : undefined;
    }
    case 'fixed':
      return kind.value;
    case 'list': {
      const items = Array.isArray(given) ? (given as readonly PyValue[]) : [];
      const near = items.map((item) => ('value' in readAs(kind.item, item) ? item : near1(kind.item, item)));
      return near.every((item) => item !== undefined) && near.length > 0 ? near : undefined;
    }
    case 'bool':
    case 'band':
      return undefined;
    default:
      return kind satisfies never;
  }
}
