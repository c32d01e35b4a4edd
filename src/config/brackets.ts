/** What is wrong with the brackets of a text that the parser rejects for one. */
import { Lexer } from 'yaml';
import { NOT_FOLLOWED } from './yaml_limits';

/** What the lexer marks what follows with: a document, a scalar, a broken flow collection. */
export const MARKS: readonly string[] = ['\u0002', '\u001f', '\u0018'];

const CLOSING: Partial<Record<string, string>> = { '[': ']', '{': '}' };

export interface BracketError {
  readonly message: string;
  /** Offset of the bracket. */
  readonly at: number;
}

/** What is wrong with a bracket, by the parser's message and where it noticed; undefined where the message is of something else. */
export function bracketError(text: string, message: string, noticed: number): BracketError | undefined {
  if (/^Unexpected flow-(?:seq|map)-end token/.test(message))
    return {
      message: `this ${text.charAt(noticed)} closes no bracket; remove it, or write the bracket that it closes`,
      at: noticed,
    };
  if (!/^Flow (?:sequence|map) .*end with a/.test(message)) return undefined;
  const at = openAt(text, noticed);
  const [open, close] = [text.charAt(at), CLOSING[text.charAt(at)] ?? ''];
  if (isClosed(text, at))
    return {
      message: `the bracket ${open} is closed, but a line within it is not indented further than its key. ${NOT_FOLLOWED}; indent the lines within, or write ${close} earlier`,
      at,
    };
  return { message: `the bracket ${open} is not closed; write ${close} behind its last value`, at };
}

/** Offset of the innermost bracket that is open where the parser noticed. */
function openAt(text: string, noticed: number): number {
  const open: number[] = [];
  let [offset, scalar] = [0, false];
  for (const token of new Lexer().lex(text)) {
    if (offset >= noticed) break;
    if (!scalar && token in CLOSING) open.push(offset);
    if (!scalar && (token === ']' || token === '}') && CLOSING[text.charAt(open.at(-1) ?? -1)] === token)
      open.pop();
    if (!MARKS.includes(token)) offset += token.length;
    scalar = token === '\u001f';
  }
  return open.at(-1) ?? noticed;
}

/**
 * As PyYAML reads brackets: comments, quoted texts, properties, brackets, then plain texts, in which quotes are letters, and # is
 * one unless a blank stands before it.
 */
const IN_BRACKETS =
  /#.*|"(?:[^"\\]|\\[^])*"|'[^']*'|[&*!][^\s,[\]{}]*|[[\]{},:?]|[^\s](?:(?!\s#|:[\s,[\]{}])[^,?[\]{}])*/g;

/** Whether a bracket is closed further down, whatever the indentation. */
function isClosed(text: string, at: number): boolean {
  const expected: (string | undefined)[] = [];
  for (const [token] of text.slice(at).matchAll(IN_BRACKETS)) {
    if (token in CLOSING) expected.push(CLOSING[token]);
    else if (token === ']' || token === '}') {
      if (expected.pop() !== token) return false;
      if (expected.length === 0) return true;
    }
  }
  return false;
}
