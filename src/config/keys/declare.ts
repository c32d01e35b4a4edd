/** What is said of a key, and how it is declared. */
import type { PyValue } from '../plain';

/** live changes training; partial see `why`; unused is accepted and never read. */
export type Effect = 'live' | 'partial' | 'unused';

export type Kind =
  | {
      readonly type: 'int' | 'float';
      readonly min?: number;
      readonly max?: number;
      readonly above?: number;
      readonly below?: number;
    }
  | { readonly type: 'fixed'; readonly value: number | readonly number[] }
  | { readonly type: 'bool' }
  | { readonly type: 'text' }
  | { readonly type: 'choice'; readonly of: readonly (string | number)[] }
  | { readonly type: 'odd'; readonly min: number; readonly max?: number }
  | { readonly type: 'list'; readonly item: Kind; readonly length?: number }
  /** Two numbers that rise. */
  | { readonly type: 'band'; readonly min: number; readonly max: number };

export interface Key {
  /** Section and name, joined with dots. */
  readonly path: string;
  readonly kind: Kind;
  readonly defaultValue: PyValue;
  readonly nullable?: boolean;
  readonly unit?: string;
  readonly effect: Effect;
  /** What it is, in a sentence or two. */
  readonly description: string;
  /** Why it is partial or unused; a clause. */
  readonly why?: string;
}

type More = Partial<Pick<Key, 'unit' | 'why' | 'nullable'>>;
type Declare = (path: string, kind: Kind, defaultValue: PyValue, description: string, more?: More) => Key;

const declare =
  (effect: Effect, section: string): Declare =>
  (path, kind, defaultValue, description, more = {}) => ({
    effect,
    path: `${section}.${path}`,
    kind,
    defaultValue,
    description,
    ...(effect === 'unused' && { why: 'it is accepted and never read' }),
    ...more,
  });

/** Of one section. */
export const keysOf = (section: string): Readonly<Record<Effect, Declare>> => ({
  live: declare('live', section),
  partial: declare('partial', section),
  unused: declare('unused', section),
});

const upTo = (max: number | undefined) => (max === undefined ? {} : { max });

/** A whole number from `min` to `max`, both included. */
export const int = (min: number, max?: number): Kind => ({ type: 'int', min, ...upTo(max) });
/** A number from `min` to `max`, both included. */
export const float = (min: number, max?: number): Kind => ({ type: 'float', min, ...upTo(max) });
/** An odd whole number from `min` to `max`, both included. */
export const odd = (min: number, max?: number): Kind => ({ type: 'odd', min, ...upTo(max) });
/** A number above `bound`, which itself is rejected. */
export const above = (bound: number): Kind => ({ type: 'float', above: bound });
/** The one value that the trainer's validation accepts. */
export const fixed = (value: number | readonly number[]): Kind => ({ type: 'fixed', value });
/** One of the values, which are compared with their types. */
export const choice = (...of: (string | number)[]): Kind => ({ type: 'choice', of });
/** A list of any length; json_schema.ts and pydantic.ts check each item. */
export const list = (item: Kind): Kind => ({ type: 'list', item });
export const bool: Kind = { type: 'bool' };
export const text: Kind = { type: 'text' };
export const number: Kind = { type: 'float' };
