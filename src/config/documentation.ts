/** What is known of a key, in sentences: help of the form, hover text, descriptions of the JSON Schema. */
import type { Effect, Key } from './keys';
import { allowed } from './pydantic';
import { scalarText } from './scalar';

/** What tables and fields call a key's effect; `unknown` is dropped by the trainer. */
export const EFFECT_NAMES: Readonly<Record<Effect | 'unknown', string>> = {
  live: 'used',
  partial: 'partly supported',
  unused: 'unused',
  unknown: 'unknown',
};

/** Whether it changes a run, and why not. */
export function effectSentence({ effect, why = '' }: Pick<Key, 'effect' | 'why'>): string {
  if (effect === 'live') return 'It changes the run.';
  return effect === 'unused' ? `Without effect: ${why}.` : `With a catch: ${why}.`;
}

/** What it may be, with its unit. */
export function allowedSentence({ kind, nullable, unit }: Pick<Key, 'kind' | 'nullable' | 'unit'>): string {
  const what = allowed(kind, nullable);
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}${unit ? `, in ${unit}` : ''}.`;
}

/** All of it. */
export const documentation = (key: Key): string =>
  [
    key.description,
    allowedSentence(key),
    `Default ${scalarText(key.defaultValue, key.kind)}.`,
    effectSentence(key),
  ].join(' ');
