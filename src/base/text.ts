/** Small questions about texts that every room asks. */

/** What an error says, or what else was thrown, as a text. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A text from elsewhere as a sentence shows it: in quotes, of at most 60 characters, none of them invisible. */
export const quoted = (text: string): string =>
  JSON.stringify(text.length > 60 ? `${text.slice(0, 59)}…` : text).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );

/** With a capital as its first letter. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** The last part of a path, whose folders are parted by /. */
export const fileName = (path: string): string => path.split('/').at(-1) ?? path;

/** A file's name without its last extension. */
export const stemOf = (path: string): string => fileName(path).replace(/\.[^.]*$/, '');
