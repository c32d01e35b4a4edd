/**
 * What pydantic v2 makes of a value in its lax mode, which is how the trainer validates: numbers may be texts, 0 and 1
 * booleans, but a number is never a text. Literal fields (fixed values and choices) compare and do not convert.
 */
import { quoted, rangeText, type Bounds } from '../base/text';
import type { Kind } from './keys';
import { PyDate, type PyValue } from './plain';

/** A value as the trainer has it, or what is wrong with it: goes on after the path, “300 is not a whole number from 1 to 256”. */
export type Read = { readonly value: PyValue } | { readonly problem: string; readonly item?: number };

const TRUE = ['1', 'on', 't', 'true', 'y', 'yes'];
const FALSE = ['0', 'off', 'f', 'false', 'n', 'no'];

/** Rust's `trim`, which pydantic uses: what Unicode calls white space. */
function trimmed(text: string): string {
  const blank = (at: number): boolean => /\p{White_Space}/u.test(text.charAt(at));
  let [from, to] = [0, text.length];
  while (from < to && blank(from)) from++;
  while (to > from && blank(to - 1)) to--;
  return text.slice(from, to);
}

/**
 * A text as an int: digits with single _ between them, and a fraction of zeros. pydantic drops leading zeros before it looks at
 * the rest, so that more _ may stand between them, and a minus behind them (`0-10` is −10).
 */
function intOf(text: string): number | undefined {
  const whole = trimmed(text);
  const [, sign = '', zeros = '', digits = ''] = /^([-+]?)(0[0_]*(?=[\d-]))?(.*)$/s.exec(whole) ?? [];
  const pattern =
    zeros !== '' && sign !== '-' ? /^-?_?(?:0|[1-9]\d*(?:_\d+)*)(?:\.0+)?$/ : /^\d+(?:_\d+)*(?:\.0+)?$/;
  if (!pattern.test(digits) || whole.length > 4300) return undefined;
  return Number((sign === '-' ? sign : '') + digits.replaceAll('_', ''));
}

/** A text as a float: what Rust parses, with _ anywhere but at the ends and twice in a row. */
function floatOf(text: string): number | undefined {
  const digits = trimmed(text);
  if (/^_|_$|__/.test(digits)) return undefined;
  const plain = digits.replaceAll('_', '').toLowerCase();
  const special = /^([-+]?)(?:(inf|infinity)|nan)$/.exec(plain);
  if (special) return special[2] === undefined ? NaN : special[1] === '-' ? -Infinity : Infinity;
  return /^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/.test(plain) ? Number(plain) : undefined;
}

function numberOf(value: PyValue, whole: boolean): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  const number =
    typeof value === 'string'
      ? whole
        ? intOf(value)
        : floatOf(value)
      : typeof value === 'number'
        ? value
        : NaN;
  if (number === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
  return whole && !Number.isInteger(number) ? undefined : number;
}

function boolOf(value: PyValue): boolean | undefined {
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  const word = typeof value === 'string' ? value.toLowerCase() : '';
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
}

/** NaN is neither within bounds nor outside; pydantic rejects it where there are any. */
function within(number: number, { min, max, above, below }: Bounds): boolean {
  return (
    (min === undefined || number >= min) &&
    (max === undefined || number <= max) &&
    (above === undefined || number > above) &&
    (below === undefined || number < below)
  );
}

const isList = (value: unknown): value is readonly PyValue[] => Array.isArray(value);

/** Reads a value as a key of this kind. */
export function readAs(kind: Kind, value: PyValue, nullable = false): Read {
  if (value === null && nullable) return { value };
  const rejected = (): Read => ({ problem: `${shown(value)} is not ${allowed(kind, nullable)}` });
  const known = <T extends PyValue>(read: T | undefined, fits = true): Read =>
    read === undefined || !fits ? rejected() : { value: read };
  switch (kind.type) {
    case 'int':
    case 'float': {
      const number = numberOf(value, kind.type === 'int');
      return known(number, number !== undefined && within(number, kind));
    }
    case 'odd': {
      const number = numberOf(value, true);
      if (number !== undefined && number > Number.MAX_SAFE_INTEGER && within(number, kind))
        return {
          problem: `${shown(value)} is beyond 2⁵³, where Smokescan does not follow Python’s whole numbers`,
        };
      return known(number, number !== undefined && number % 2 !== 0 && within(number, kind));
    }
    case 'fixed': {
      const { value: only } = kind;
      if (typeof only === 'number') return known(only, value === only);
      const list = isList(value) ? value.map((item) => numberOf(item, true)) : [];
      return known(only, list.length === only.length && list.every((item, i) => item === only[i]));
    }
    case 'bool':
      return known(boolOf(value));
    case 'text':
      return known(typeof value === 'string' ? value : undefined);
    case 'choice':
      return known(kind.of.find((one) => one === value));
    case 'list': {
      if (!isList(value) || (kind.length !== undefined && value.length !== kind.length)) return rejected();
      const items = value.map((item) => readAs(kind.item, item));
      const item = items.findIndex((one) => 'problem' in one);
      const wrong = items[item];
      if (wrong && 'problem' in wrong) return { problem: wrong.problem, item };
      return { value: items.flatMap((one) => ('value' in one ? [one.value] : [])) };
    }
    case 'band': {
      const [low, high, ...more] = isList(value) ? value.map((item) => numberOf(item, false)) : [];
      if (low === undefined || high === undefined || more.length > 0) return rejected();
      // As the trainer's own check has it, NaN passes.
      return known([low, high], !(low >= high || low < kind.min || high > kind.max));
    }
    default:
      return kind satisfies never;
  }
}

/** A value as a person recognises it: texts in quotes, for `"60"` is not 60. */
export function shown(value: PyValue): string {
  if (typeof value === 'string') return quoted(value);
  if (value === null) return 'null (nothing)';
  if (value instanceof PyDate) return `${value.text}, which PyYAML takes for a date,`;
  if (typeof value === 'number') {
    if (Number.isNaN(value)) return '.nan';
    return Number.isFinite(value) ? String(value) : value < 0 ? '-.inf' : '.inf';
  }
  if (typeof value === 'boolean') return String(value);
  if (!isList(value)) return 'a mapping';
  return value.length > 8 ? `a list of ${value.length}` : `[${value.map(shown).join(', ')}]`;
}

/** What a key of this kind may be, as “a whole number from 1 to 256”. */
export function allowed(kind: Kind, nullable = false): string {
  return nullable ? `${what(kind)} or null` : what(kind);
}

function what(kind: Kind): string {
  switch (kind.type) {
    case 'int':
      return `a whole number${rangeText(kind)}`;
    case 'float':
      return `a number${rangeText(kind)}`;
    case 'odd':
      return `an odd whole number${rangeText(kind)}`;
    case 'fixed':
      return `${JSON.stringify(kind.value).replaceAll(',', ', ')}, which is fixed`;
    case 'bool':
      return 'true or false';
    case 'text':
      return 'a text';
    case 'choice':
      return kind.of.length === 1 ? String(kind.of[0]) : `one of ${kind.of.join(', ')}`;
    case 'list':
      return kind.length === undefined
        ? `a list of ${plural(what(kind.item))}`
        : `a list of ${kind.length} ${plural(what(kind.item))}`;
    case 'band':
      return `two numbers that rise, from ${kind.min} to ${kind.max}`;
    default:
      return kind satisfies never;
  }
}

const plural = (one: string): string =>
  one.replace(/^an? /, '').replace(/^((?:odd )?(?:whole )?number|text)/, '$1s');
