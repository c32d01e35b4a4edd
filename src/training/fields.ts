/** What the table of settings can say of one setting, and what follows from it: checking and reading a value. */
import { KEY_AT, type Kind } from '../config/keys';
import { allowed, readAs, shown } from '../config/pydantic';
import type { PyValue } from '../config/plain';

/** Parts of the form, in its order. */
export const GROUPS = ['Model', 'Data', 'Optimisation', 'Scoring, stopping & checkpoints'] as const;
export type Group = (typeof GROUPS)[number];

/** One line of the table. What it leaves out comes from the declaration of the trainer's key. */
interface Spec<T> {
  readonly label: string;
  readonly group: Group;
  /** Path of the trainer's key, which gives kind, default, unit and help. */
  readonly key?: string;
  /** What it may be, where the trainer has no such key, or says it by values of another kind. */
  readonly kind?: Kind;
  /** A value beside those of `kind`, and what the form calls it. */
  readonly or?: { readonly value: null | string; readonly label: string };
  /** Even numbers have 2. */
  readonly multipleOf?: number;
  /** In a production run, where that is not the key's default. */
  readonly production?: T;
  /** In a smoke run, where that is not the same. */
  readonly smoke?: T;
  readonly unit?: string;
  /** Units of the value that are one of `unit`: 2 ** 30 where the value is in bytes and `unit` is GiB. */
  readonly scale?: number;
  readonly help?: string;
  /** What the form calls its values: all of a choice, the usual ones of a number. */
  readonly choices?: Readonly<[T] extends [string] ? Record<T, string> : Record<string, string>>;
  /** Name of the option of `smokescan train` that sets it. */
  readonly option?: string;
  /** Its name in links and stored settings before it was renamed. */
  readonly formerly?: string;
  /** From the key's value and back, where they are not the same. */
  fromKey?(value: PyValue): T;
  toKey?(value: T): PyValue;
  /** Whether it has no influence on what is learned, so that a resumed run may have another value. */
  readonly free?: true;
}

export interface Field<T = unknown> extends Spec<T> {
  readonly kind: Kind;
  readonly production: T;
  readonly smoke: T;
}

/** Makes a field of a line of the table. `T`: the type of its values, which `kind` allows and no others. */
export function setting<T>(spec: Spec<T>): Field<T> {
  const key = spec.key === undefined ? undefined : KEY_AT.get(spec.key);
  if (spec.key !== undefined && !key) throw new Error(`the trainer has no key ${spec.key}`);
  const kind = spec.kind ?? key?.kind;
  if (!kind) throw new Error(`the setting ${spec.label} has neither a key nor a kind`);
  const standard = key && (spec.fromKey ? spec.fromKey(key.defaultValue) : (key.defaultValue as T));
  const production = spec.production === undefined ? standard : spec.production;
  if (production === undefined) throw new Error(`the setting ${spec.label} has no default`);
  const unit = spec.unit ?? key?.unit;
  const help = spec.help ?? key?.description;
  return {
    ...spec,
    kind,
    production,
    smoke: spec.smoke === undefined ? production : spec.smoke,
    ...(unit !== undefined && { unit }),
    ...(help !== undefined && { help }),
  };
}

/** What a value of this setting may be, as “a whole number from 1 to 256”. */
export function allowedOf({ kind, or, multipleOf }: Field): string {
  const multiple = multipleOf === undefined ? '' : `, a multiple of ${multipleOf}`;
  return `${allowed(kind)}${multiple}${or ? `, or ${or.value}` : ''}`;
}

/** Whether a setting may have this value. Stricter than the trainer, which reads "3" as 3. */
export function isAllowed({ kind, or, multipleOf }: Field, value: unknown): boolean {
  if (or && value === or.value) return true;
  const read = readAs(kind, value as PyValue);
  const same = 'value' in read && JSON.stringify(read.value) === JSON.stringify(value);
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const whole = ['int', 'odd'].includes((kind.type === 'list' ? kind.item : kind).type);
  // Settings are stored as JSON, which has neither infinities nor NaN.
  const exact = parts.every((part) =>
    typeof part !== 'number' ? true : whole ? Number.isSafeInteger(part) : Number.isFinite(part),
  );
  return same && exact && (multipleOf === undefined || Number(value) % multipleOf === 0);
}

/** A value as a sentence shows it. */
export const shownValue = (value: unknown): string => shown(value as PyValue);

/** A value as the form shows it, with its unit. */
export function formText({ or, choices, scale = 1, unit }: Field, value: unknown): string {
  if (or && value === or.value) return or.label;
  const named = choices?.[String(value)];
  if (named !== undefined) return named;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (Array.isArray(value) && value.length === 0) return 'none';
  const text =
    typeof value === 'number'
      ? String(Number((value / scale).toPrecision(6)))
      : Array.isArray(value)
        ? value.join(', ')
        : String(value);
  return unit === undefined ? text : `${text} ${text === '1' ? oneOf(unit) : unit}`;
}

/** Units that are words are written in the plural; 's' and 'Hz' are none. */
const oneOf = (unit: string): string => unit.replace(/(?<=batch)es$|(?<=[a-z]{3})s$/, '');

/** Reads a value as links and options write it; what cannot be read comes back as a text that is not allowed. */
export function parseValue({ kind, or }: Field, text: string): unknown {
  if (or && text === String(or.value)) return or.value;
  return parseAs(kind, text);
}

function parseAs(kind: Kind, text: string): unknown {
  switch (kind.type) {
    case 'int':
    case 'float':
    case 'odd':
      return text.trim() === '' || !Number.isFinite(Number(text)) ? text : Number(text);
    case 'bool':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text === '' ? [] : text.split(',').map((item) => parseAs(kind.item, item));
    case 'choice':
    case 'text':
    case 'fixed':
    case 'band':
      return text;
    default:
      return kind satisfies never;
  }
}

/** What a form offers for a setting, if that is a choice; `usual` replaces the values that the table names. */
export function choicesOf(
  { choices, or }: Field,
  value: unknown,
  usual?: readonly string[],
): readonly { readonly value: string; readonly label: string }[] | undefined {
  const named = usual?.map((text) => [text, text] as const) ?? Object.entries(choices ?? {});
  if (named.length === 0) return undefined;
  const all = or ? [[String(or.value), or.label] as const, ...named] : named;
  // A link or another run may have set what is not among them.
  const text = String(value);
  const offered = all.some(([one]) => one === text) ? all : [...all, [text, text] as const];
  return offered.map(([value, label]) => ({ value, label }));
}

/** Range and step of a number's field, in its unit. */
export function boundsOf({ kind, scale = 1, multipleOf = 1 }: Field): {
  readonly min?: number;
  readonly max?: number;
  readonly step: number | 'any';
} {
  const min = 'min' in kind ? kind.min : undefined;
  const max = 'max' in kind ? kind.max : undefined;
  const step = kind.type === 'float' ? 'any' : kind.type === 'odd' ? 2 : multipleOf;
  return {
    step,
    ...(min !== undefined && { min: min / scale }),
    ...(max !== undefined && { max: max / scale }),
  };
}
