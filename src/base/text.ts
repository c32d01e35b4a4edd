/** Small questions about texts that every room asks. */

/** What an error says, or what else was thrown, as a text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Characters that a terminal obeys, that turn the direction of what follows, or that are not seen; not lines and tabs. */
const INVISIBLE = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu;

/** A text from elsewhere as it may be shown: of at most so many characters, what is invisible written as JSON writes it. */
export const visible = (text: string, max = 1000): string =>
  (text.length > max ? `${text.slice(0, max - 1)}…` : text).replace(INVISIBLE, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`)
      .join(''),
  );

/** A name from elsewhere as a part of a line: as `visible`, its line ends and tabs written as JSON writes them. */
export const inLine = (name: string): string =>
  visible(name, Infinity).replace(/[\n\t]/g, (character) => (character === '\n' ? '\\n' : '\\t'));

/** A text from elsewhere as a sentence shows it: in quotes, of at most 60 characters, none of them invisible. */
export const quoted = (text: string): string =>
  visible(JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text));

/** A value from elsewhere as a sentence shows it, in as many characters. */
export function quotedJson(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value) && value.length > 8) return `a list of ${value.length} values`;
  return visible(JSON.stringify(value) ?? 'undefined', 60);
}

/** What a number may be; all of them where nothing is said. */
export interface Bounds {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Without these themselves. */
  readonly above?: number | undefined;
  readonly below?: number | undefined;
}

/** As it follows “a number”: “ from 1 to 256”; nothing where there are no bounds. */
export function rangeText({ min, max, above, below }: Bounds): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (above !== undefined && below !== undefined) return ` between ${above} and ${below}, without these`;
  if (min !== undefined) return ` of at least ${min}`;
  if (max !== undefined) return ` of at most ${max}`;
  if (above !== undefined) return ` above ${above}`;
  return below === undefined ? '' : ` below ${below}`;
}

/** “1 patient”, “2 epochs”, “1,000 batches”. */
export const several = (count: number, noun: string): string =>
  `${count.toLocaleString('en')} ${count === 1 ? noun : `${noun}${/(?:(?<!epo)ch|sh|s|x)$/.test(noun) ? 'es' : 's'}`}`;

/** With a capital as its first letter. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The last part of a path, whose folders are parted by /. */
export const fileName = (path: string): string => path.split('/').at(-1) ?? path;

/** A file's name without its last extension. */
export const stemOf = (path: string): string => fileName(path).replace(/\.[^.]*$/, '');

/** The day of a time in milliseconds, as 2026-11-30, in UTC. */
export const dayOf = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 10);
