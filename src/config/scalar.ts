/** Values as YAML on one line that PyYAML and readers of YAML 1.2 read alike. */
import type { Kind } from './keys';
import { readAs } from './pydantic';
import { PyDate, readPlain, type PyValue } from './plain';

/** A plain scalar as readers of YAML 1.2 (core schema) have it. */
export interface CoreScalar {
  readonly type: 'null' | 'bool' | 'int' | 'float' | 'str';
  readonly value: PyValue;
}

/** What readers of YAML 1.2 (core schema) make of a plain scalar. */
export function readCore(text: string): CoreScalar {
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return { type: 'null', value: null };
  if (/^(?:true|True|TRUE|false|False|FALSE)$/.test(text))
    return { type: 'bool', value: /^true$/i.test(text) };
  if (/^[-+]?[0-9]+$/.test(text)) return { type: 'int', value: Number(text) };
  if (/^0o[0-7]+$/.test(text)) return { type: 'int', value: parseInt(text.slice(2), 8) };
  if (/^0x[0-9a-fA-F]+$/.test(text)) return { type: 'int', value: parseInt(text.slice(2), 16) };
  if (/^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text))
    return { type: 'float', value: Number(text) };
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text))
    return { type: 'float', value: text.startsWith('-') ? -Infinity : Infinity };
  if (/^\.(?:nan|NaN|NAN)$/.test(text)) return { type: 'float', value: NaN };
  return { type: 'str', value: text };
}

/** Safe as a plain scalar anywhere, also in flow collections. */
const PLAIN = /^[\p{L}\p{N}_./~$(][\p{L}\p{N}_./~$()%+@=\- ]*$/u;

/** A text, quoted where it would be read as something else or would not stay one scalar. */
function textOf(value: string): string {
  const plain =
    PLAIN.test(value) &&
    !value.endsWith(' ') &&
    readPlain(value).type === 'str' &&
    readCore(value).type === 'str' &&
    // Readers that follow YAML 1.1 to the letter take these for booleans.
    !/^[yn]$/i.test(value);
  if (plain) return value;
  // JSON leaves these as they are; YAML takes some for line breaks and forbids others.
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A number with a point and a sign in the exponent, without which PyYAML makes a text of it. */
function numberOf(value: number): string {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf';
  const text = value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
  return text.replace(/^(-?\d+)e/, '$1.0e');
}

/** What pydantic makes of a text where a number is asked for; undefined where it rejects, whatever the bounds. */
function converted(value: string, kind: Kind | undefined): number | undefined {
  if (kind?.type !== 'int' && kind?.type !== 'odd' && kind?.type !== 'float') return undefined;
  const read = readAs({ type: kind.type === 'float' ? 'float' : 'int' }, value);
  return 'value' in read && typeof read.value === 'number' ? read.value : undefined;
}

/** Of the items of a list. */
export function itemKind(kind: Kind | undefined): Kind | undefined {
  return kind?.type === 'list' ? kind.item : kind?.type === 'band' ? { type: 'float' } : undefined;
}

/**
 * A value as YAML text on one line. A text for a key of numbers is written as the number that pydantic makes of it; a number
 * for a key of texts is quoted.
 */
export function scalarText(value: PyValue, kind?: Kind): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return kind?.type === 'text' ? textOf(String(value)) : numberOf(value);
  if (typeof value === 'string') {
    const number = converted(value, kind);
    return number === undefined ? textOf(value) : numberOf(number);
  }
  // Readers of YAML 1.2 know no dates, and no key takes one.
  if (value instanceof PyDate) return textOf(value.text);
  if (isList(value)) return `[${value.map((one) => scalarText(one, itemKind(kind))).join(', ')}]`;
  const pairs = Object.entries(value).map(([name, one]) => `${textOf(name)}: ${scalarText(one)}`);
  return `{${pairs.join(', ')}}`;
}

const isList = (value: PyValue): value is readonly PyValue[] => Array.isArray(value);

/** A value of a scalar in words: “a text”, or the number itself. */
export function shape(value: PyValue): string {
  if (value === null) return 'nothing';
  if (typeof value === 'string') return 'a text';
  return typeof value === 'object' ? 'a date' : String(value);
}
