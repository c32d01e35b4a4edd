/** What to write where production refuses a value: the nearest that it takes. */
import type { Change } from './change';
import { letters } from './letters';
import { KEY_AT, REQUIRED_SECTIONS, type Key, type Kind } from './keys';
import { readAs } from './lax';
import { PyDate, type ConfigFile, type PyValue } from './pyyaml';
import { scalarText } from './scalar';
import { settingAt, valueAt } from './schema';

type Fix = { readonly fix?: readonly Change[] };

/** Of an invalid value; nothing where only who wrote it can know. */
export function mending(path: string, file: ConfigFile): Fix {
  const [root = path] = path.split('[');
  const key = KEY_AT.get(root);
  if (path === '') return {};
  if (!key) return { fix: [section(path)] };
  const given = valueAt(file.value, root) as PyValue;
  const valid = 'value' in readAs(key.kind, given, key.nullable);
  const value = valid ? apart(root, file.value) : nearest(key, given);
  const text = value === undefined ? undefined : scalarText(value, key.kind);
  return text === undefined ? {} : { fix: [{ path: root, value: text, reason: 'what production takes' }] };
}

/** Missing, or no mapping. */
const section = (path: string): Change =>
  (REQUIRED_SECTIONS as readonly string[]).includes(path)
    ? { path, value: '{}', reason: 'production needs the section, and has defaults for all of it' }
    : { path, value: undefined, reason: 'without it the section has its defaults' };

/** Two values that are fine alone and not together. */
function apart(path: string, file: PyValue | undefined): PyValue | undefined {
  if (path === 'postprocessing.hysteresis.tau_on') {
    const off = Number(settingAt(file, 'postprocessing.hysteresis.tau_off'));
    // The trainer’s own scores keep the two so far apart.
    return off < 1 ? Number(Math.min(1, off + 0.08).toFixed(4)) : undefined;
  }
  if (path === 'postprocessing.duration.max_duration_s')
    return Number(settingAt(file, 'postprocessing.duration.min_duration_s'));
  return path === 'training.mixed_precision' ? false : undefined;
}

function nearest({ kind, fallback }: Key, given: PyValue): PyValue | undefined {
  const near = near1(kind, given);
  return near !== undefined && 'value' in readAs(kind, near) ? near : fallback;
}

function near1(kind: Kind, given: PyValue): PyValue | undefined {
  switch (kind.type) {
    case 'int':
    case 'odd':
    case 'float': {
      const read = readAs({ type: 'float' }, given);
      const number = 'value' in read && typeof read.value === 'number' ? read.value : NaN;
      const { least = -Infinity, most = Infinity } = kind;
      const within = Math.min(most, Math.max(least, number));
      if (kind.type === 'float') return within;
      const whole = Math.round(within);
      return kind.type === 'odd' && whole % 2 === 0 ? whole + (whole < most ? 1 : -1) : whole;
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
