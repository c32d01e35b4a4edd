/** What to write where the trainer's validation rejects a value: the nearest that it accepts. */
import type { Change } from './change';
import { letters } from './letters';
import { REQUIRED_SECTIONS, type Key, type Kind } from './keys';
import { PAIRS } from './pairs';
import { listOf } from './path';
import { PyDate, type PyValue } from './plain';
import { readAs } from './pydantic';
import { scalarText } from './scalar';
import type { Setting, Settings } from './settings';

/** The fix of a rejected setting; undefined where only who wrote it can know. */
export function fixOf({ path, problem }: Setting, settings: Settings): Change[] | undefined {
  const { kind, declaration, value: given = null } = settings.get(listOf(path)) ?? {};
  if (kind === 'section' && path !== '') return [section(path)];
  if (!declaration) return undefined;
  const value = (other: string): PyValue | undefined => settings.value(other);
  const pair = PAIRS.find((one) => one.path === path && one.problem(value) === problem);
  const better = pair ? pair.fix(value) : nearest(declaration, given);
  if (better === undefined) return undefined;
  const text = scalarText(better, declaration.kind);
  return [{ path: declaration.path, value: text, reason: 'a value that the trainer accepts' }];
}

/** Missing, or no mapping. */
const section = (path: string): Change =>
  REQUIRED_SECTIONS.includes(path)
    ? { path, value: '{}', reason: 'the trainer needs the section, and has defaults for all of it' }
    : { path, value: undefined, reason: 'without it the section has its defaults' };

function nearest({ kind, defaultValue }: Key, given: PyValue): PyValue | undefined {
  const near = near1(kind, given);
  return near !== undefined && 'value' in readAs(kind, near) ? near : defaultValue;
}

function near1(kind: Kind, given: PyValue): PyValue | undefined {
  switch (kind.type) {
    case 'int':
    case 'odd':
    case 'float': {
      const read = readAs({ type: 'float' }, given);
      const number = 'value' in read && typeof read.value === 'number' ? read.value : NaN;
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
      const text = typeof given === 'string' ? given.toLowerCase() : '';
      const [best] = kind.of
        .map((one) => ({ one, distance: letters(String(one).toLowerCase(), text) }))
        .sort((a, b) => a.distance - b.distance);
      return best && text !== '' && best.distance <= text.length / 2 ? best.one : undefined;
    }
    case 'fixed':
      return kind.value;
    case 'bool':
    case 'list':
    case 'band':
      return undefined;
    default:
      return kind satisfies never;
  }
}
