/** What commands write: folders that can be written to, and files that appear whole or not at all. */
import { access, constants, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ArgumentError } from './command_line';

/**
 * Throws where `folder` cannot be written to or made: before hours of work, not after. ArgumentError where it is a file or below
 * one, else the system's error.
 */
export async function checkWritable(folder: string): Promise<void> {
  let existing = resolve(folder);
  let info = await stat(existing).catch(() => undefined);
  for (; !info && existing !== dirname(existing); info = await stat(existing).catch(() => undefined))
    existing = dirname(existing);
  if (info && !info.isDirectory()) throw new ArgumentError(`${existing} is a file; give a folder as --out`);
  await access(existing, constants.W_OK);
}

/** Writes `pieces` beside `path` and renames that; the folder is made. What another program reads is never half a file. */
export async function writeWhole(
  path: string,
  pieces: Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>,
): Promise<void> {
  const fresh = `${path}.part`;
  await mkdir(dirname(path), { recursive: true });
  try {
    const file = await open(fresh, 'w');
    try {
      for await (const piece of pieces) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
