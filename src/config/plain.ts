/**
 * Scalars as PyYAML's safe_load reads them (YAML 1.1 with the patterns of its resolver.py and constructor.py): there `3e-4` is
 * a text, `yes` a boolean and `12:30` the number 750.
 */

/** A date or a time, which no key of the configuration takes; as it stands in the file. */
export class PyDate {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }
}

export type PyValue =
  | null
  | boolean
  | number
  | string
  | PyDate
  | readonly PyValue[]
  | { readonly [key: string]: PyValue };

/** Whether a value is what Python reads as a dict: no list, and no date, which is an object here. */
export const isPyMapping = (value: unknown): value is Readonly<Record<string, PyValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof PyDate);

/** Whether two values are one to Python; NaN is itself here. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => sameValue(item, b[i]));
  if (isPyMapping(a) && isPyMapping(b)) {
    const names = Object.keys(a);
    return (
      names.length === Object.keys(b).length &&
      names.every((name) => Object.hasOwn(b, name) && sameValue(a[name], b[name]))
    );
  }
  if (a instanceof PyDate && b instanceof PyDate) return a.text === b.text;
  return a === b || (Number.isNaN(a) && Number.isNaN(b));
}

export type PyScalarType = 'null' | 'bool' | 'int' | 'float' | 'date' | 'str';

export type PyType = PyScalarType | 'list' | 'dict';

export interface PyScalar {
  readonly type: PyScalarType;
  readonly value: PyValue;
  /** Python raises an error: its pattern takes the text, its constructor does not. */
  readonly problem?: string;
}

const BOOL = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/;
const TRUE = /^(?:yes|true|on)$/i;
const NULL = /^(?:~|null|Null|NULL|)$/;
const INT =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?(?:[0-9][0-9_]*)\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP =
  /^\d{4}-\d\d?-\d\d?(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?$/;

/** What PyYAML makes of a plain scalar. */
export function readPlain(text: string): PyScalar {
  if (NULL.test(text)) return { type: 'null', value: null };
  if (BOOL.test(text)) return { type: 'bool', value: TRUE.test(text) };
  if (INT.test(text)) return integer(text);
  if (FLOAT.test(text)) return { type: 'float', value: float(text) };
  if (DATE.test(text) || TIMESTAMP.test(text)) return date(text);
  if (text === '=' || text === '<<')
    return { type: 'str', value: text, problem: `PyYAML does not take ${text} for a value; quote it` };
  return { type: 'str', value: text };
}

/** The types that `!!` can ask for. */
const TAGS: Readonly<Record<string, PyScalarType>> = {
  'tag:yaml.org,2002:str': 'str',
  'tag:yaml.org,2002:int': 'int',
  'tag:yaml.org,2002:float': 'float',
  'tag:yaml.org,2002:bool': 'bool',
  'tag:yaml.org,2002:null': 'null',
  'tag:yaml.org,2002:timestamp': 'date',
};

/** A scalar whose type the file says, as in `!!int "16"`; undefined for a tag that safe_load does not know. */
export function readTagged(tag: string, text: string): PyScalar | undefined {
  const type = TAGS[tag];
  if (type === undefined) return undefined;
  const rejected = {
    type,
    value: null,
    problem: `${JSON.stringify(text)} is no ${type}, which its tag asks for`,
  };
  const plain = text.replaceAll('_', '').toLowerCase();
  switch (type) {
    case 'str':
      return { type, value: text };
    case 'null':
      return { type, value: null };
    case 'bool':
      return /^(?:yes|no|true|false|on|off)$/i.test(text) ? { type, value: TRUE.test(text) } : rejected;
    case 'int':
      return /^[-+]?(?:0b[01]+|0x[0-9a-f]+|0o?[0-7]*|[1-9]\d*|\d+(?::\d+)+)$/.test(plain)
        ? integer(text)
        : rejected;
    case 'float': {
      const known =
        /^[-+]?(?:\.inf|\.nan|inf|infinity|nan|(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?|\d+(?::\d+)*(?:\.\d*)?)$/;
      return known.test(plain) ? { type, value: float(text) } : rejected;
    }
    case 'date':
      return DATE.test(text) || TIMESTAMP.test(text) ? date(text) : rejected;
    default:
      return type satisfies never;
  }
}

function signed(text: string): { sign: number; digits: string } {
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  return { sign: text.startsWith('-') ? -1 : 1, digits };
}

/** Parts of sixty: 12:30 is 750. */
const sexagesimal = (digits: string): number =>
  digits.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);

/** Of a decimal whole number (Python’s sys.set_int_max_str_digits). */
const MAX_DIGITS = 4300;

function integer(text: string): PyScalar {
  const { sign, digits } = signed(text);
  const absolute = digits.startsWith('0b')
    ? parseInt(digits.slice(2), 2)
    : digits.startsWith('0x')
      ? parseInt(digits.slice(2), 16)
      : digits.includes(':')
        ? sexagesimal(digits)
        : digits.startsWith('0') && digits !== '0'
          ? parseInt(digits, 8)
          : Number(digits);
  if (/^[1-9]\d*$/.test(digits) && digits.length > MAX_DIGITS)
    return {
      type: 'int',
      value: null,
      problem: `this number has ${digits.length} digits, and Python reads at most ${MAX_DIGITS}`,
    };
  if (Number.isNaN(absolute))
    return { type: 'int', value: null, problem: `${text} looks like a number, but Python cannot read it` };
  return { type: 'int', value: absolute === 0 ? 0 : sign * absolute };
}

function float(text: string): number {
  const { sign, digits } = signed(text.toLowerCase());
  if (/^\.?inf/.test(digits)) return sign * Infinity;
  if (/^\.?nan/.test(digits)) return NaN;
  return sign * (digits.includes(':') ? sexagesimal(digits) : Number(digits));
}

function date(text: string): PyScalar {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text
    .split(/[-Tt: \t.Z+]+/)
    .map(Number);
  const last = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  const zone = /[-+](\d\d?)(?::(\d\d))?$/.exec(DATE.test(text) ? '' : text.replace(/^\d{4}-\d\d?-\d\d?/, ''));
  const possible =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= last &&
    hour < 24 &&
    minute < 60 &&
    second < 60;
  const shift = zone ? 60 * Number(zone[1]) + Number(zone[2] ?? 0) : 0;
  if (!possible || shift >= 24 * 60)
    return { type: 'date', value: null, problem: `${text} looks like a date that does not exist; quote it` };
  return { type: 'date', value: new PyDate(text) };
}
