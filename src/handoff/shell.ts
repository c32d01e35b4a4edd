/** Words of a bash command line. */
import { quoted } from '../base/text';

/** What needs no quotes anywhere in a word. */
const BARE = /^[\w./:,@%+=-]+$/;
/**
 * Control characters, and those that look like others or like nothing: written as bytes, so that a command stays one line
 * and says what it holds.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\u00a0\u2000-\u200a\u202f\u205f\u3000\u2018-\u201f]/u;

/**
 * A text as one word that bash reads back exactly, in any locale. Throws a RangeError for what no argument can hold.
 */
export function shellWord(text: string): string {
  if (text.includes('\0') || /\p{Cs}/u.test(text))
    throw new RangeError(
      `${quoted(text)} cannot stand in a command: it has a NUL or half a character in it; write or name it without`,
    );
  if (BARE.test(text)) return text;
  // In plain single quotes a $ looks like a mistake, to people and to shellcheck.
  if (!UNSEEN.test(text) && !/[$`]/.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  const parts = [...text].map((character) => {
    if (character === '\n') return '\\n';
    if (character === '\t') return '\\t';
    if (character === "'" || character === '\\') return `\\${character}`;
    if (!UNSEEN.test(character)) return character;
    return [...new TextEncoder().encode(character)]
      .map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`)
      .join('');
  });
  return `$'${parts.join('')}'`;
}

/** A path as one word that no command takes for an option. */
export const pathWord = (path: string): string => shellWord(path.startsWith('-') ? `./${path}` : path);

/**
 * A text as one word inside the command of `modal shell --cmd`, which the client splits as Python's shlex does: it knows single
 * quotes, not $'…'. Throws a RangeError where the text has a character that does not survive both.
 */
export function containerWord(text: string): string {
  if (BARE.test(text)) return text;
  if (UNSEEN.test(text) || /["\\]/.test(text))
    throw new RangeError(
      `${JSON.stringify(text)} cannot be named in modal shell, which splits its command once more. Rename the folder: letters, digits, blanks, dots, - and _ are safe.`,
    );
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** A variable that stops with a sentence where it is not set; the sentence in plain letters. */
export const needed = (name: string, sentence: string): string => `"\${${name}:?${sentence}}"`;

/** A text for a comment: on one line. */
export const commentText = (text: string): string => (UNSEEN.test(text) ? JSON.stringify(text) : text);
