/** The form: one field for each of the trainer's keys, with what the file says or the default. */
import type { Change } from '../../../config/change';
import type { Key, Kind } from '../../../config/keys';
import type { PyValue } from '../../../config/plain';
import { readCore, scalarText } from '../../../config/scalar';
import { controlText } from './control_text';
import type { Issue } from '../../../config/issues';
import type { Inspection } from './inspection';
import { SECTIONS } from './key_text';

export interface Field {
  readonly key: Key;
  /** Names below the section: “scheduler.type”. */
  readonly name: string;
  /** Whether the file says anything of it. */
  readonly given: boolean;
  /** What the control shows. */
  readonly text: string;
  readonly issues: readonly Issue[];
}

export interface FieldGroup {
  readonly name: string;
  readonly fields: readonly Field[];
  readonly given: number;
}

/** Keeps fields that say what they said before, so that only those that changed are drawn again. */
export class FormModel {
  #fields = new Map<string, Field>();

  of(inspection: Inspection | undefined): FieldGroup[] {
    const given = new Map(
      (inspection?.seen ?? [])
        .filter(({ written }) => written !== undefined)
        .map((seen) => [seen.path, seen]),
    );
    const issues = (inspection?.issues ?? []).filter(({ fixable }) => fixable);
    return SECTIONS.map(({ name, keys }) => {
      const fields = keys.map((key) =>
        this.#kept({
          key,
          name: key.path.slice(name.length + 1),
          given: given.has(key.path),
          text: given.get(key.path)?.text ?? controlText(key.defaultValue),
          issues: issues.filter(({ path }) => path === key.path),
        }),
      );
      return { name, fields, given: fields.filter((field) => field.given).length };
    });
  }

  #kept(field: Field): Field {
    const before = this.#fields.get(field.key.path);
    const said = ({ given, text, issues }: Field): string =>
      [given, text, ...issues.map(({ severity, message }) => severity + message)].join('\n');
    if (before && said(before) === said(field)) return before;
    this.#fields.set(field.key.path, field);
    return field;
  }
}

export type Show = 'all' | 'given' | 'found' | 'live';
export const SHOWS = {
  all: 'all keys',
  given: 'keys of the file',
  found: 'keys with an issue',
  live: 'keys with an effect',
} as const satisfies Record<Show, string>;

const SHOWN: Readonly<Record<Show, (field: Field) => boolean>> = {
  all: () => true,
  given: ({ given }) => given,
  found: ({ issues }) => issues.length > 0,
  live: ({ key }) => key.effect !== 'unused',
};

/** Fields that a filter leaves, with their sections. */
export function filtered(groups: readonly FieldGroup[], show: Show, word: string): FieldGroup[] {
  const wanted = word.trim().toLowerCase();
  const matches = ({ key }: Field): boolean =>
    `${key.path} ${key.description}`.toLowerCase().includes(wanted);
  return groups
    .map((group) => ({ ...group, fields: group.fields.filter((one) => SHOWN[show](one) && matches(one)) }))
    .filter(({ fields }) => fields.length > 0);
}

const WORDS: Readonly<Record<string, boolean>> = { true: true, false: false };

/** What a person typed, as the kind of value that the key takes. */
function valueOf(kind: Kind, typed: string): PyValue {
  const text = typed.trim();
  const items = (): string[] =>
    text
      .replace(/^\[(.*)\]$/s, '$1')
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  if (kind.type === 'bool') return WORDS[text] ?? text;
  if (kind.type === 'list') return items().map((item) => valueOf(kind.item, item));
  if (kind.type === 'band' || (kind.type === 'fixed' && Array.isArray(kind.value)))
    return items().map((item) => readCore(item).value);
  if (kind.type === 'choice') return kind.of.find((one) => String(one) === text) ?? text;
  return text;
}

/** The change that a field's new text asks for; where nothing is typed the key goes, except for one that takes a text. */
export function changeOf({ kind, path }: Key, typed: string): Change {
  const empty = typed.trim() === '' && kind.type !== 'text' && kind.type !== 'list';
  return { path, value: empty ? undefined : scalarText(valueOf(kind, typed), kind), reason: '' };
}

export const resetOf = ({ path }: Key): Change => ({ path, value: undefined, reason: '' });
