/** Errors of the system, of files that are not there or may not be read or written, as sentences. */
import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inLine, messageOf } from '../base/text';
import { letters, nearestOf } from '../config/letters';
import { SettingsError } from '../run/failure';

/** Whether an error is one of those. */
export const isFileError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error;

/** Whether the error says that a file is not there. */
export const isAbsent = (error: unknown): boolean => isFileError(error) && error.code === 'ENOENT';

/** What is wrong with a path and what to do, by the system's code. */
const REASONS: Partial<Record<string, string>> = {
  ENOENT: 'there is no such file or folder; check the path',
  ENOTDIR: 'a part of this path is a file, not a folder; give another path',
  EEXIST: 'there is a file where a folder is needed; give another path',
  EISDIR: 'this is a folder; give a file',
  EACCES: 'this account has no right to it; give it the right, or use another path',
  EPERM: 'the system does not allow it; use another path',
  EROFS: 'this file system can only be read; use another path',
  ENOSPC: 'the disk is full; free some space, or use another path',
  EDQUOT: 'the disk quota of this account is used up; free some space, or use another path',
  EFBIG:
    'the file is larger than the system allows this account (ulimit -f); raise that limit, or use another path',
  ENAMETOOLONG: 'the name is too long; use a shorter one',
  ELOOP: 'its links lead back to themselves; give another path',
  EMFILE: 'too many files are open; close other programs and try again',
};

/** What is wrong, without the path; the system's own words where its code says nothing more. */
export function reasonOf(error: unknown): string {
  if (!isFileError(error)) return messageOf(error);
  const near = isAbsent(error) && error.path !== undefined ? nearestTo(error.path) : undefined;
  if (near !== undefined) return `there is no such file or folder; the nearest is ${inLine(near)}`;
  return REASONS[error.code ?? ''] ?? error.message;
}

/** A file or folder in the same folder whose name is nearly that of a path. */
function nearestTo(path: string): string | undefined {
  const [folder, name] = [dirname(path), basename(path)];
  try {
    const near = nearestOf(name, readdirSync(folder));
    // Names of files are alike by their endings.
    const meant = near !== undefined && (near.startsWith(name) || letters(near, name) <= name.length / 3);
    return meant ? join(folder, near) : undefined;
  } catch {
    return undefined;
  }
}

/** An error's message; of the system, with the path and what to do. */
export const sentenceOf = (error: Error): string =>
  isFileError(error) && error.path !== undefined && error.code !== undefined && error.code in REASONS
    ? `${inLine(error.path) || '""'}: ${reasonOf(error)}`
    : error.message;

/**
 * Throws SettingsError for a named pipe, whose opening waits for another program, and the system's error for what is not there.
 * A pipe of the shell, below /dev, has a writer.
 */
export async function rejectNamedPipe(path: string): Promise<void> {
  if ((await stat(path)).isFIFO() && !/^\/(?:dev|proc)\//.test(path))
    throw new SettingsError('this is a named pipe, not a file; write what comes out of it into a file');
}
