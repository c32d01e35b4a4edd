/** Reads the text of a configuration: never more than a configuration can be, and UTF-8 or not at all. */
import { open } from 'node:fs/promises';
import { inLine } from '../base/text';
import { MAX_CHARACTERS } from '../config/yaml_limits';
import { SettingsError } from '../run/failure';
import { isFileError, reasonOf, rejectNamedPipe } from './file_error';

/** A character takes up to four bytes. */
const MAX_BYTES = 4 * MAX_CHARACTERS;

/**
 * The text of a file, with its byte order mark. Throws SettingsError, which names the file, where it cannot be read, is longer
 * than any configuration, or is not UTF-8, in which the trainer opens it.
 */
export async function readConfigText(path: string): Promise<string> {
  try {
    return await readText(path);
  } catch (error) {
    if (!isFileError(error) && !(error instanceof SettingsError)) throw error;
    throw new SettingsError(`${inLine(path)} cannot be read: ${reasonOf(error)}`);
  }
}

async function readText(path: string): Promise<string> {
  if (path === '-') throw new SettingsError('give a file, or /dev/stdin for standard input');
  await rejectNamedPipe(path);
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (length > MAX_BYTES)
        throw new SettingsError(
          `it is longer than ${MAX_BYTES / 1e6} MB; a configuration has a few kilobytes; give another file`,
        );
      if (bytesRead === 0) break;
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, length));
    } catch {
      throw new SettingsError('it is not UTF-8, as which the trainer opens it; save it as UTF-8');
    }
  } finally {
    await file.close();
  }
}
