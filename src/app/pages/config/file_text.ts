/** A file's bytes as text for the editor, and back without a byte's difference where nothing was edited. */
import { writeZip } from '../../../checkpoints/zip';

export type Newline = '\n' | '\r\n' | '\r';

export interface FileText {
  /** Lines joined with \n; in a file of mixed line ends the others stay as characters. */
  readonly text: string;
  /** What stands between two lines in the file. */
  readonly newline: Newline;
  /** Whether the file has other line ends too. */
  readonly mixed: boolean;
  /** Whether the file starts with a byte order mark. */
  readonly mark: boolean;
}

const MARK = '\ufeff';

/** Larger files are no configurations, and would hold the page up. */
const MAX_BYTES = 200_000;

/** A sentence part that says why a file is not opened. */
export class Unreadable extends Error {
  override name = 'Unreadable';
}

export const tooLarge = (size: number): string =>
  `is ${(size / 1e6).toFixed(1)} MB, too large for a configuration (limit ${MAX_BYTES / 1e6} MB)`;

/** Throws Unreadable where the bytes are no text. */
export function readFileText(bytes: Uint8Array): FileText {
  if (bytes.length > MAX_BYTES) throw new Unreadable(tooLarge(bytes.length));
  const control = bytes.findIndex((byte) => byte < 0x20 && ![0x09, 0x0a, 0x0d].includes(byte));
  if (control >= 0)
    throw new Unreadable(
      `is not a text file: byte ${(control + 1).toLocaleString('en')} is ${bytes[control] ?? 0}`,
    );
  let whole: string;
  try {
    whole = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unreadable('is not a UTF-8 text file');
  }
  const mark = whole.startsWith(MARK);
  return { ...linesOf(mark ? whole.slice(1) : whole), mark };
}

/** Of a text that was typed or pasted. */
export function linesOf(whole: string): Omit<FileText, 'mark'> {
  const kinds = new Set(whole.match(/\r\n?|\n/g) ?? []);
  if (kinds.size > 1) return { text: whole, newline: '\n', mixed: true };
  const [newline = '\n'] = kinds as Set<Newline>;
  return { text: whole.replaceAll(newline, '\n'), newline, mixed: false };
}

/** The file's bytes. */
export function bytesOf({ text, newline, mixed, mark }: FileText): Uint8Array<ArrayBuffer> {
  const lines = mixed ? text : text.replaceAll('\n', newline);
  return new TextEncoder().encode((mark ? MARK : '') + lines);
}

/** What is unusual about how the file is written, in words; empty for most. */
export function describeText({ newline, mixed, mark }: Omit<FileText, 'text'>): string {
  const ends = mixed ? 'mixed line ends' : newline === '\r\n' ? 'CRLF' : newline === '\r' ? 'CR' : '';
  return [mark ? 'BOM' : '', ends].filter((part) => part !== '').join(', ');
}

/** A file's path as the page keeps it: relative, with forward slashes. */
export function cleanPath(path: string): string {
  return path
    .replaceAll('\\', '/')
    .split('/')
    .map((part) => part.trim())
    .filter((part) => part !== '' && part !== '.' && part !== '..')
    .join('/');
}

/**
 * The path of a file of a folder below its repository, as the commands have it: below the nearest folder with “configs” or
 * “.git” in it, and where there is none below the folder that was opened. `paths`: of everything in that folder.
 */
export function belowRepository(paths: readonly string[]): (path: string) => string {
  const roots = new Set(
    paths.flatMap((path) => {
      const parts = path.split('/');
      return parts
        .flatMap((part, i) => (i < parts.length - 1 && (part === 'configs' || part === '.git') ? [i] : []))
        .map((i) => parts.slice(0, i).join('/'));
    }),
  );
  return (path) => {
    const parts = path.split('/');
    for (let i = parts.length - 1; i >= 0; i--)
      if (roots.has(parts.slice(0, i).join('/'))) return parts.slice(i).join('/');
    return parts.slice(parts.length > 1 ? 1 : 0).join('/');
  };
}

/** The path, or one like it that is not taken: train.yaml, train-2.yaml, train-3.yaml. */
export function freePath(path: string, taken: readonly string[]): string {
  if (!taken.includes(path)) return path;
  const [, stem = path, ending = ''] = /^(.*?)(\.[^./]+)?$/.exec(path) ?? [];
  for (let number = 2; ; number++) {
    const candidate = `${stem}-${number}${ending}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

/** Files with their folders. */
export const zipOf = (
  files: readonly { readonly path: string; readonly bytes: Uint8Array<ArrayBuffer> }[],
): Blob =>
  new Blob(writeZip(new Map(files.map(({ path, bytes }) => [path, bytes]))), { type: 'application/zip' });
