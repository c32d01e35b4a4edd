/** The trainer's keys in words: what hover, completion, form and table say of them. */
import { KEYS, type Effect, type Key } from '../../../config/keys';
import { allowed } from '../../../config/pydantic';
import { scalarText } from '../../../config/scalar';

/** Type and range: “a whole number from 1 to 256”. */
export const typeOf = ({ kind, nullable }: Key): string => allowed(kind, nullable);

const EFFECT_TEXT: Readonly<Record<Effect, string>> = {
  live: 'changes the run',
  partial: 'works in part',
  unused: 'has no effect',
};

/** What a key does, with why where that is less than it seems. */
export const effectOf = ({ effect, why }: Key): string =>
  why === undefined ? EFFECT_TEXT[effect] : `${EFFECT_TEXT[effect]}: ${why}`;

/** Default with its unit. */
export const defaultText = ({ defaultValue, unit }: Key): string =>
  unit !== undefined && defaultValue !== null
    ? `${scalarText(defaultValue)} ${unit}`
    : scalarText(defaultValue);

export interface Section {
  readonly name: string;
  readonly keys: readonly Key[];
}

/** Keys by section, in the trainer's order. */
export const SECTIONS: readonly Section[] = [
  ...new Set(KEYS.map(({ path }) => path.split('.')[0] ?? '')),
].map((name) => ({ name, keys: KEYS.filter(({ path }) => path.startsWith(`${name}.`)) }));

/** Names directly below a path (the whole file's for ''), in the trainer's order, and whether each is a section. */
export function namesBelow(path: string): { readonly name: string; readonly section: boolean }[] {
  const prefix = path === '' ? '' : `${path}.`;
  const names = new Map<string, boolean>();
  for (const key of KEYS) {
    if (!key.path.startsWith(prefix)) continue;
    const [name = '', ...rest] = key.path.slice(prefix.length).split('.');
    names.set(name, rest.length > 0);
  }
  return [...names].map(([name, section]) => ({ name, section }));
}

/** Values worth offering, as YAML. */
export function suggestions({ kind, defaultValue, nullable }: Key): string[] {
  const some =
    kind.type === 'bool'
      ? ['true', 'false']
      : kind.type === 'choice'
        ? kind.of.map((one) => scalarText(one))
        : [scalarText(defaultValue)];
  return [...new Set([...some, ...(nullable ? ['null'] : [])])];
}
