/** Completion of the trainer's keys, by section and only those that are missing, and of their values. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { KEY_AT } from '../../../../config/keys';
import { scalarText } from '../../../../config/scalar';
import { effectSentence } from '../../../../config/documentation';
import { defaultText, namesBelow, suggestions, typeOf } from '../key_text';
import { keyAt, outline, parentAt } from './outline';

const INDENT = '  ';

export function complete(context: CompletionContext): CompletionResult | null {
  const { state, pos, explicit } = context;
  const line = state.doc.lineAt(pos);
  const before = line.text.slice(0, pos - line.from);
  const text = state.doc.toString();
  const typed = /^( *)([\w.-]*)$/.exec(before);
  if (typed) {
    const [, blanks = '', word = ''] = typed;
    if (word === '' && !explicit) return null;
    if (/:(\s|$)/.test(line.text.slice(before.length))) return null;
    const options = missingKeys(text, line.number - 1, blanks.length);
    return options.length === 0 ? null : { from: pos - word.length, options, validFor: /^[\w.-]*$/ };
  }
  return values(text, pos, before, explicit);
}

function missingKeys(text: string, line: number, indent: number): Completion[] {
  const keys = outline(text);
  const parent = parentAt(keys, line, indent);
  const prefix = parent === '' ? '' : `${parent}.`;
  const given = new Set(keys.filter((key) => key.line !== line).map(({ path }) => path));
  const blanks = ' '.repeat(indent) + INDENT;
  return namesBelow(parent)
    .filter(({ name }) => !given.has(prefix + name))
    .map(({ name, section }, i) => {
      const key = KEY_AT.get(prefix + name);
      const about = key
        ? {
            detail: typeOf(key),
            info: `${key.description} ${effectSentence(key)} Default ${defaultText(key)}.`,
          }
        : { detail: 'section' };
      return {
        label: name,
        apply: section ? `${name}:\n${blanks}` : `${name}: ${key ? scalarText(key.defaultValue) : ''}`,
        type: section ? 'namespace' : 'property',
        // What has no effect comes last.
        boost: key?.effect === 'unused' ? -50 - i / 10 : -i / 10,
        ...about,
      };
    });
}

function values(text: string, pos: number, before: string, explicit: boolean): CompletionResult | null {
  const found = /:\s+([^\s#]*)$/.exec(before);
  const key = found && KEY_AT.get(keyAt(text, pos)?.path ?? '');
  if (!key) return null;
  const word = found[1] ?? '';
  if (word === '' && !explicit) return null;
  const options = suggestions(key).map((label, i) => ({
    label,
    type: 'enum',
    boost: -i,
    ...(label === scalarText(key.defaultValue) && { detail: 'default' }),
  }));
  return { from: pos - word.length, options, validFor: /^[^\s#]*$/ };
}
