/** What production makes of a file: each key's value as PyYAML reads it, what the trainer uses, and defaults. */
import { KEY_AT, KEYS, type Effect } from '../../../config/keys';
import { PyDate, readPlain } from '../../../config/plain';
import { isPyMapping, sameValue, type Entry, type PyValue } from '../../../config/pyyaml';
import { readCore, scalarText } from '../../../config/scalar';
import { settingAt } from '../../../config/schema';
import { controlText } from './control_text';

export interface Seen {
  readonly path: string;
  /** As it stands in the file; undefined where it does not, and the default holds. */
  readonly written: string | undefined;
  /** The value for a form's control: a text without quotes, a list without brackets, null as nothing. */
  readonly text: string;
  /** Python's name of the type that it is read as. */
  readonly type: string;
  /** The value that is read, as Python shows it. */
  readonly read: string;
  /** The value that the trainer uses, where it is another: pydantic turns texts into numbers. */
  readonly used: string | undefined;
  /** What readers of YAML 1.2 make of it, where that is something else. */
  readonly elsewhere: string | undefined;
  /** `unknown` is dropped by the trainer without a word. */
  readonly effect: Effect | 'unknown';
}

function typeName(value: PyValue, plain: string | undefined): string {
  if (value === null) return 'None';
  if (value instanceof PyDate) return 'date';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') {
    if (plain !== undefined) return readPlain(plain).type;
    return Number.isInteger(value) ? 'int' : 'float';
  }
  return Array.isArray(value) ? 'list' : 'dict';
}

/** A value as Python shows it. */
export function python(value: PyValue | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (value instanceof PyDate) return value.text;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (typeof value === 'number') return scalarText(value).replace(/^(-?)\.(inf|nan)$/, '$1$2');
  if (Array.isArray(value)) return `[${(value as readonly PyValue[]).map(python).join(', ')}]`;
  const pairs = Object.entries(value).map(([name, item]) => `${python(name)}: ${python(item)}`);
  return `{${pairs.join(', ')}}`;
}

function elsewhere(plain: string | undefined): string | undefined {
  if (plain === undefined) return undefined;
  const [here, there] = [readPlain(plain), readCore(plain)];
  if (sameValue(here.value, there.value)) return undefined;
  return `${python(there.value)} (${there.type})`;
}

/** Of a key that stands in the file. */
function seenOf({ path, plain, read }: Entry, whole: PyValue): Seen {
  const key = KEY_AT.get(path);
  const used = settingAt(whole, path) as PyValue | undefined;
  return {
    path,
    written: plain ?? scalarText(read),
    // 3.0e-4 stays 3.0e-4.
    text: typeof read === 'number' && plain !== undefined ? plain : controlText(read),
    type: typeName(read, plain),
    read: python(read),
    used: key && !sameValue(used, read) ? python(used) : undefined,
    elsewhere: elsewhere(plain),
    effect: key?.effect ?? 'unknown',
  };
}

/** All keys: those of the file in its order, then those that keep their defaults. */
export function allSeen(entries: readonly Entry[], whole: PyValue): Seen[] {
  const last = new Map(entries.map((entry) => [entry.path, entry]));
  const given = [...last.values()].filter(
    ({ path, read }) => !path.includes('[') && (!isPyMapping(read) || KEY_AT.has(path)),
  );
  const defaults = KEYS.filter(({ path }) => !last.has(path)).map(({ path, fallback, effect }): Seen => ({
    path,
    written: undefined,
    text: controlText(fallback),
    type: typeName(fallback, undefined),
    read: python(fallback),
    used: undefined,
    elsewhere: undefined,
    effect,
  }));
  return [...given.map((entry) => seenOf(entry, whole)), ...defaults];
}
