/** Values in the form that `python.ts` prints them in. */
import { isPyMapping, PyDate, readPlain, type PyValue } from '../../../src/config/plain';

type Plain = readonly [string, unknown];

/** Python's repr of a float, as far as numbers compare equal. */
const number = (value: number): Plain => ['number', value];

export function plainOf(value: PyValue): Plain {
  if (value === null) return ['NoneType', null];
  if (typeof value === 'boolean') return ['bool', value];
  if (typeof value === 'number') return number(value);
  if (typeof value === 'string') return ['str', value];
  if (value instanceof PyDate) return ['date', ''];
  if (!isPyMapping(value)) return ['list', value.map(plainOf)];
  return ['dict', Object.entries(value).map(([key, one]) => [['str', key], plainOf(one)])];
}

/**
 * The same with numbers as such and mappings in one order, without keys that Python does not take for texts: here they have
 * their text, there their value.
 */
export function comparable(plain: unknown): unknown {
  if (plain === null) return null;
  const [kind, value] = plain as Plain;
  if (kind === 'number') {
    const read = typeof value === 'string' ? Number(value.replace('inf', 'Infinity')) : value;
    return ['number', Object.is(read, -0) ? 0 : read];
  }
  if (kind === 'list') return [kind, (value as unknown[]).map(comparable)];
  if (kind !== 'dict') return plain;
  const pairs = (value as [Plain, unknown][]).filter(
    ([key]) => key[0] === 'str' && readPlain(String(key[1])).type === 'str',
  );
  const named = pairs.map(([key, one]) => [String(key[1]), comparable(one)] as const);
  return [kind, Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)))];
}
