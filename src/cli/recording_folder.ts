/** The recordings and annotations below a folder, read through a bounded number of open files. */
import type { Dirent } from 'node:fs';
import { open, readdir, realpath, stat, type FileHandle } from 'node:fs/promises';
import { join, relative, resolve, sep } from 'node:path';
import { handleSource } from '../eeg/files/bytes';
import { isReadable, type DataFile } from '../eeg/files/recording';
import { SettingsError } from '../run/failure';
import { texts } from './command_line';
import { isFileError } from './file_error';

/** The option by which a person says which annotations are seizures. */
export const SEIZURE_TEXT = texts(
  'T',
  'which annotations of EDF+ are seizures; may be given more than once. START..END: one text starts a seizure, the other ends it. A star stands for any letters',
);

const GIVE_RIGHT = 'give this account the right to read it';

/** Far below the 1,024 that systems allow a process, and more than are read at a time. */
const MAX_OPEN = 64;

export interface RecordingFolder {
  /** By their paths within the folder. */
  readonly files: readonly DataFile[];
  /** A sentence for each link whose file is not there, and for each folder that cannot be read. */
  readonly remarks: readonly string[];
  close(): Promise<void>;
}

/**
 * Follows links, as datasets of git-annex and DataLad have them. Throws SettingsError where `folder` is none. `check` is called
 * along the way, and may throw.
 */
export async function openFolder(
  folder: string,
  check: () => void = () => undefined,
): Promise<RecordingFolder> {
  const root = resolve(folder);
  const info = await stat(root).catch(() => undefined);
  if (!info)
    throw new SettingsError(`there is no such folder as ${folder}; give the folder of the recordings`);
  if (!info.isDirectory()) throw new SettingsError(`${folder} is a file; give the folder that holds it`);
  const opened = new OpenFiles();
  const files: DataFile[] = [];
  const remarks: string[] = [];
  const seen = new Set<string>();
  const nameOf = (path: string): string => relative(root, path).split(sep).join('/');
  const walk = async (directory: string): Promise<void> => {
    const real = await realpath(directory);
    if (seen.has(real)) return; // a link that leads back
    seen.add(real);
    let entries: Dirent[];
    try {
      entries = await readdir(directory, { withFileTypes: true });
    } catch (error) {
      if (directory === root || !isFileError(error)) throw error;
      remarks.push(
        `${nameOf(directory)} is a folder that cannot be read (${error.code ?? error.message}); ${GIVE_RIGHT}`,
      );
      return;
    }
    for (const entry of entries) {
      check();
      const path = join(directory, entry.name);
      if (entry.isDirectory()) await walk(path);
      else if (entry.isSymbolicLink() || isReadable(entry.name)) {
        const name = nameOf(path);
        let problem: string | undefined;
        const target = await stat(path).catch((error: NodeJS.ErrnoException) => {
          problem =
            error.code === 'ENOENT'
              ? 'is not there; fetch it first (git annex get, datalad get)'
              : `cannot be read (${error.code ?? error.message}); ${GIVE_RIGHT}`;
        });
        if (target?.isDirectory()) await walk(path);
        else if (!isReadable(entry.name)) continue;
        else if (!target) remarks.push(`${name} is a link to a file that ${problem ?? 'cannot be read'}`);
        else if (target.isFile()) files.push({ path: name, data: opened.source(path, target.size) });
      }
    }
  };
  await walk(root);
  return { files, remarks, close: () => opened.close() };
}

/** Files that are opened when they are read, and closed again, the one used longest ago first. */
class OpenFiles {
  readonly #open = new Map<string, { readonly handle: Promise<FileHandle>; readers: number }>();

  source(path: string, size: number): DataFile['data'] {
    return {
      size,
      read: async (offset, length) => {
        const file = this.#use(path);
        file.readers++;
        try {
          return await handleSource(await file.handle, size).read(offset, length);
        } finally {
          file.readers--;
        }
      },
    };
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()];
    this.#open.clear();
    for (const { handle } of all) await (await handle).close();
  }

  #use(path: string): { readonly handle: Promise<FileHandle>; readers: number } {
    const known = this.#open.get(path);
    const file = known ?? { handle: open(path), readers: 0 };
    // A file that could not be opened is tried again when it is read again.
    if (!known) file.handle.catch(() => this.#open.delete(path));
    this.#open.delete(path);
    this.#open.set(path, file);
    for (const [other, { handle, readers }] of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      if (readers > 0 || other === path) continue;
      this.#open.delete(other);
      void handle.then((old) => old.close()).catch(() => undefined);
    }
    return file;
  }
}
