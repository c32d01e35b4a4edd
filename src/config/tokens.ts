/** Tokens that PyYAML takes otherwise than the `yaml` package, whose grammar is YAML 1.2's. */
import { Lexer } from 'yaml';
import { MARKS } from './brackets';
import { NOT_FOLLOWED, type RejectedText } from './yaml_limits';

export const TAB = 'a tab stands where PyYAML takes spaces only; write spaces';

/** Whether a text has nothing but ends of a document, of which PyYAML takes several for one. */
export const onlyEnds = (text: string): boolean =>
  text.split('\n').every((line) => /^(?:\.\.\.)?[ ]*(?:#|$)/.test(line.replace('\r', '')));

export const LONE_DASH = 'in brackets PyYAML takes a dash alone for a text';

/** The first token that YAML 1.2 allows where PyYAML rejects it or takes it for something else. */
export function tokenError(text: string): RejectedText | undefined {
  if (!/[\t&*[{]/.test(text)) return undefined;
  let [offset, scalar, brackets] = [0, false, 0];
  for (const token of new Lexer().lex(text)) {
    if (MARKS.includes(token)) {
      scalar = token === '\u001f';
      continue;
    }
    const found = scalar
      ? scalarError(token, brackets > 0)
      : betweenError(token, text.charAt(offset + token.length), brackets > 0);
    if (found !== undefined) {
      const at = found === TAB ? offset + token.indexOf('\t') : offset;
      return { message: found, from: at, to: found === TAB ? at + 1 : at + token.length };
    }
    if (!scalar && /^[[{]$/.test(token)) brackets++;
    if (!scalar && /^[\]}]$/.test(token)) brackets--;
    offset += token.length;
    scalar = false;
  }
  return undefined;
}

const scalarError = (token: string, inBrackets: boolean): string | undefined =>
  inBrackets && (token.startsWith(':') || token.includes('?'))
    ? `in brackets PyYAML takes ${token.startsWith(':') ? ': for the end of a key' : '? for the start of a key'}. ${NOT_FOLLOWED}; quote the text`
    : undefined;

function betweenError(token: string, next: string, inBrackets: boolean): string | undefined {
  if (/^[ \t]+$/.test(token) && token.includes('\t')) return TAB;
  if (/^[&*]/.test(token) && /[^\w-]/.test(token.slice(1)))
    return `in the name of an anchor PyYAML takes letters from a to z, digits, - and _ alone; another character is an error, or belongs to what follows. ${NOT_FOLLOWED}; rename it`;
  if (token.startsWith('!') && /[[\]{},"]/.test(next)) return 'behind a tag PyYAML wants a blank; write one';
  return inBrackets && token === '?' && ',]}'.includes(next)
    ? `in brackets PyYAML takes ? for the start of a key. ${NOT_FOLLOWED}; quote it`
    : undefined;
}
