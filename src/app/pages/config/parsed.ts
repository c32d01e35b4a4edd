/** What the trainer makes of a file: each key's value as PyYAML reads it, what the trainer uses, and defaults. */
import type { Effect } from '../../../config/keys';
import { inList } from '../../../config/path';
import { isPyMapping, PyDate, sameValue, type PyType, type PyValue } from '../../../config/plain';
import { scalarText } from '../../../config/scalar';
import type { Setting, Settings } from '../../../config/settings';
import { controlText } from './control_text';

export interface ParsedValue {
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
  /** `unknown` is dropped silently by the trainer. */
  readonly effect: Effect | 'unknown';
}

function typeOf(value: PyValue): PyType {
  if (value === null) return 'null';
  if (value instanceof PyDate) return 'date';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  return Array.isArray(value) ? 'list' : 'dict';
}

/** A value as Python shows it. */
function python(value: PyValue | undefined): string {
  if (value === null || value === undefined) return 'None';
  if (value instanceof PyDate) return value.text;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  if (typeof value === 'number') return scalarText(value).replace(/^(-?)\.(inf|nan)$/, '$1$2');
  if (Array.isArray(value)) return `[${(value as readonly PyValue[]).map(python).join(', ')}]`;
  const pairs = Object.entries(value).map(([name, item]) => `${python(name)}: ${python(item)}`);
  return `{${pairs.join(', ')}}`;
}

function seenOf({ path, declaration, written, read, value = null, elsewhere }: Setting): ParsedValue {
  const shown = read ?? value;
  const type = written?.type ?? typeOf(shown);
  return {
    path,
    written: read === undefined ? undefined : (written?.plain ?? scalarText(read)),
    // 3.0e-4 stays 3.0e-4.
    text: typeof read === 'number' ? (written?.plain ?? controlText(read)) : controlText(shown),
    type: type === 'null' ? 'None' : type,
    read: python(shown),
    used: sameValue(value, shown) ? undefined : python(value),
    elsewhere: elsewhere && `${python(elsewhere.value)} (${elsewhere.type})`,
    effect: declaration?.effect ?? 'unknown',
  };
}

/** All keys: those of the file in its order, then those that keep their defaults. */
export const parsedValues = (settings: Settings): ParsedValue[] =>
  [...settings.values()]
    .filter(
      ({ path, declaration, read }) =>
        declaration || !(path === '' || read === undefined || inList(path) || isPyMapping(read)),
    )
    .map(seenOf);
