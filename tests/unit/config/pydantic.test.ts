/** Every kind of key against pydantic itself, over values of all sorts. */
import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random';
import { KEYS, type Key, type Kind } from '../../../src/config/keys';
import { PyDate, type PyValue } from '../../../src/config/plain';
import { settingsIn } from '../../../src/config/settings';
import { FULL } from '../../full';
import { PYDANTIC, pythonWith, runPython } from './python';

const python = pythonWith(PYDANTIC.modules, PYDANTIC.how, PYDANTIC.check);

/** Python's type of a key, as the trainer declares it. */
function typeOf({ type, ...more }: Kind): string {
  const [low, high] = ['min' in more ? more.min : undefined, 'max' in more ? more.max : undefined];
  const bounds = [
    low !== undefined && `ge=${low}`,
    high !== undefined && `le=${high}`,
    'above' in more && `gt=${String(more.above)}`,
    'below' in more && more.below !== undefined && `lt=${more.below}`,
  ].filter((bound) => bound !== false);
  const field = (of: string): string =>
    bounds.length > 0 ? `Annotated[${of}, Field(${bounds.join(', ')})]` : of;
  switch (type) {
    case 'int':
    case 'float':
      return field(type);
    case 'odd':
      return `Annotated[${field('int')}, AfterValidator(odd)]`;
    case 'fixed':
      return 'value' in more && Array.isArray(more.value)
        ? `Annotated[list[int], AfterValidator(lambda v: same(v, ${JSON.stringify(more.value)}))]`
        : `Literal[${'value' in more ? String(more.value) : ''}]`;
    case 'bool':
      return 'bool';
    case 'text':
      return 'str';
    case 'choice':
      return `Literal${JSON.stringify('of' in more ? more.of : [])}`;
    case 'list':
      return `list[${'item' in more ? typeOf(more.item) : ''}]`;
    case 'band':
      return `Annotated[tuple[float, float], AfterValidator(lambda v: band(v, ${low}, ${high}))]`;
    default:
      return type satisfies never;
  }
}

const PROGRAM = `
import datetime, json, sys
from typing import Annotated, Literal, Optional
from pydantic import AfterValidator, BaseModel, Field, ValidationError, create_model
def odd(value):
    if value % 2 == 0: raise ValueError('odd')
    return value
def same(value, other):
    if value != other: raise ValueError('fixed')
    return value
def band(value, min, max):
    if value[0] >= value[1] or value[0] < min or value[1] > max: raise ValueError('band')
    return value
def python(value):
    kind, inner = value
    if kind == 'float': return float(inner)
    if kind == 'int': return int(inner)
    if kind == 'date': return datetime.date.fromisoformat(inner)
    if kind == 'list': return [python(one) for one in inner]
    if kind == 'dict': return {}
    return inner
data = json.load(sys.stdin)
values = [python(value) for value in data['values']]
out = []
for kind in data['types']:
    model = create_model('M', v=(eval(kind), ...))
    row = []
    for value in values:
        try:
            model.model_validate({'v': value})
            row.append(True)
        except ValidationError:
            row.append(False)
    out.append(row)
json.dump(out, sys.stdout)
`;

/** With whether Python has an int or a float, which JavaScript does not know. */
function forPython(value: PyValue): unknown {
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? ['int', String(value)]
      : ['float', String(value).replace('Infinity', 'inf')];
  if (value instanceof PyDate) return ['date', value.text];
  if (Array.isArray(value)) return ['list', (value as readonly PyValue[]).map(forPython)];
  return typeof value === 'object' && value !== null ? ['dict', 0] : ['plain', value];
}

function valuesFor(random: Random): PyValue[] {
  const pick = <T>(of: readonly T[]): T => of[Math.floor(random.uniform(0, of.length - 1e-9))] as T;
  const digits = [
    '0',
    '1',
    '5',
    '16',
    '60',
    '_',
    '.',
    '0',
    '-',
    '+',
    'e',
    'E',
    ' ',
    '\t',
    '\u00a0',
    'inf',
    'nan',
    'x',
    '٣',
  ];
  const texts = Array.from({ length: FULL ? 400 : 150 }, () =>
    Array.from({ length: 1 + Math.floor(random.uniform(0, 5)) }, () => pick(digits)).join(''),
  );
  const words = [
    'true',
    'True',
    'T',
    'f',
    'YES',
    'n',
    'on',
    'off',
    ' true',
    'nan',
    '-Infinity',
    '+inf',
    'NaN',
    '',
    'bce',
    'BCE',
    'adamw',
    'max',
    'auto',
    'seizure_detector',
    '10-20',
    '3e-4',
    '1_0.0',
    '007',
    '-0',
    '16.',
    '16.00',
    '1e1',
    '256',
  ];
  const numbers = [
    0,
    1,
    -1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    10,
    11,
    12,
    16,
    19,
    32,
    33,
    50,
    60,
    200,
    201,
    256,
    257,
    512,
    1.5,
    0.5,
    0.1,
    0.05,
    1e-6,
    1e-2,
    3e-4,
    0.999,
    NaN,
    Infinity,
    -Infinity,
  ];
  const lists: PyValue[] = [
    [],
    [1],
    [3, 5, 7],
    ['3', 5.0, true],
    [3, 4],
    [0.5, 120],
    ['0.5', '120'],
    [120, 0.5],
    [NaN, 1],
    [0.05, 10],
    [1, 300],
    [64, 128, 256, 512],
    ['64', 128, 256, 512],
    [64, 128],
    ['a', 'b'],
    [null],
    [[1]],
    [1, 2, 3],
  ];
  return [...texts, ...words, ...numbers, ...lists, null, true, false, new PyDate('2025-01-19'), {}];
}

test.skipIf(python === undefined)('the schema takes what pydantic takes, and rejects what it rejects', () => {
  const values = valuesFor(new Random(2));
  const kinds = new Map<string, Key>();
  for (const key of KEYS) {
    const type = typeOf(key.kind);
    kinds.set(key.nullable ? `Optional[${type}]` : type, key);
  }
  const input = { types: [...kinds.keys()], values: values.map(forPython) };
  const theirs = runPython(python ?? '', PROGRAM, input) as boolean[][];
  let [taken, rejected] = [0, 0];
  const paths = [...kinds.values()].map(({ path }) => path);
  for (const [j, value] of values.entries()) {
    const rejections = settingsIn(withValue(paths, value))
      .rejected.filter(({ problem = '' }) => !/tau_off|min_duration/.test(problem))
      .map(({ path }) => path.replace(/\[\d+\]$/, ''));
    for (const [i, [type, { path }]] of [...kinds].entries()) {
      const ours = !rejections.includes(path);
      expect([type, value, ours]).toEqual([type, value, theirs[i]?.[j]]);
      if (ours) taken++;
      else rejected++;
    }
  }
  expect(taken).toBeGreaterThan(1000);
  expect(rejected).toBeGreaterThan(5000);
});

/** A file in which all these keys have one value. */
function withValue(paths: readonly string[], value: PyValue): PyValue {
  const file: Record<string, PyValue> = { data: {}, model: {}, training: {}, postprocessing: {} };
  for (const path of paths) {
    const names = path.split('.');
    const last = names.pop() ?? '';
    let section = file;
    for (const name of names) section = (section[name] ??= {}) as Record<string, PyValue>;
    section[last] = value;
  }
  return file;
}
