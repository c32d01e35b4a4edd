/** What commands write: files that appear whole or not at all, in a folder that is this process's alone. */
import { createHash } from 'node:crypto';
import { constants, createReadStream, lstatSync, statfsSync } from 'node:fs';
import { access, lstat, mkdir, open, realpath, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { SettingsError } from '../run/failure';
import { ArgumentError } from './command_line';
import { isAbsent, isFileError, reasonOf } from './file_error';
import { lockFolder } from './folder_lock';
import { leftover } from './signals';

type Pieces = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

/**
 * Writes `pieces` beside `path`, brings them to the disk and renames that: what another program reads is never half a file, and
 * where `path` is a link, the link is replaced. Returns their SHA-256. An error of the system names `path`. `beside`: nobody else's.
 * `previous`: the path that the file gets which was there. `mode`: its rights; left out, those of a new file.
 */
export async function writeWhole(
  path: string,
  pieces: Pieces,
  {
    beside = `${path}.part`,
    previous,
    mode,
  }: { readonly beside?: string; readonly previous?: string; readonly mode?: number } = {},
): Promise<string> {
  const hash = createHash('sha256');
  leftover(beside);
  try {
    await rm(beside, { force: true });
    const file = await open(beside, 'wx');
    try {
      let bytes = 0;
      for await (const piece of pieces) {
        const data = typeof piece === 'string' ? Buffer.from(piece) : piece;
        hash.update(data);
        bytes += data.length;
        await file.writeFile(data);
      }
      if (mode !== undefined) await file.chmod(mode);
      await file.sync();
      const { size } = await file.stat();
      if (size !== bytes)
        throw new SettingsError(`${path} could not be written: only ${size} of ${bytes} bytes were`);
    } finally {
      await file.close();
    }
    if (previous !== undefined) await rename(path, previous).catch(unlessAbsent);
    await rename(beside, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    if (isFileError(error)) error.path = path;
    throw error;
  } finally {
    leftover(beside, false);
  }
  return hash.digest('hex');
}

/**
 * Writes a file that is there anew, with the rights that it has; of a link, the file that it leads to. Throws SettingsError or the
 * system's error where it is not to be written to.
 */
export async function rewrite(file: string, text: string): Promise<void> {
  const info = await stat(file);
  if (!info.isFile()) throw new SettingsError('only a file can be; write what comes out of it into one');
  await access(file, constants.W_OK);
  await writeWhole(await realpath(file), [text], { mode: info.mode & 0o777 });
}

/** Renames are on the disk once the folder is; Windows can neither and need not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const opened = await open(folder, 'r');
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}

/** A folder that a command writes to, and no other process meanwhile. Names of files are paths within it, with slashes. */
export class OutputFolder {
  /** SHA-256 by name. */
  readonly #written = new Map<string, string>();

  private constructor(
    /** As it was given. */
    readonly name: string,
    readonly root: string,
    /** The topmost folder that was made for it. */
    private readonly made: string | undefined,
    private readonly unlock: () => Promise<void>,
  ) {}

  /** Makes the folder and locks it. Throws ArgumentError, with the reason, where it cannot be written to or is in use. */
  static async open(name: string): Promise<OutputFolder> {
    const path = resolve(name);
    let made: string | undefined;
    try {
      let existing = path;
      let info = await stat(existing).catch(() => undefined);
      for (; !info && existing !== dirname(existing); info = await stat(existing).catch(() => undefined))
        existing = dirname(existing);
      if (info && !info.isDirectory())
        throw new ArgumentError(`${existing} is a file; give a folder as --out`);
      made = await mkdir(path, { recursive: true });
      const root = await realpath(path);
      return new OutputFolder(name, root, made, await lockFolder(root));
    } catch (error) {
      await removeEmpty(path, made);
      if (!isFileError(error)) throw error;
      throw new ArgumentError(`--out ${name} cannot be written to: ${reasonOf(error)}`);
    }
  }

  path(name: string): string {
    return join(this.root, ...name.split('/'));
  }

  /**
   * Throws ArgumentError where files are there that would be overwritten, or links lead out of the folder. `names`: of the files
   * that are to be written.
   */
  async checkFree(names: readonly string[]): Promise<void> {
    const found: string[] = [];
    for (const name of names)
      try {
        await this.#checkFolders(name);
        if (await lstat(this.path(name)).catch(unlessAbsent)) found.push(name);
      } catch (error) {
        // There is no such file either; whoever writes it says so.
        if (isFileError(error) && error.code === 'ENAMETOOLONG') continue;
        throw error instanceof SettingsError ? new ArgumentError(`--out: ${error.message}`) : error;
      }
    if (found.length === 0) return;
    const more = found.length > 3 ? ` and ${found.length - 3} more` : '';
    throw new ArgumentError(
      `--out ${this.name} has ${found.slice(0, 3).join(', ')}${more} already, which would be overwritten; give another folder, or delete them`,
    );
  }

  /** Throws SettingsError where the disk has less room than `bytes`, those counted that files of these names free. */
  checkRoom(bytes: number, names: readonly string[]): void {
    const { bavail, bsize } = statfsSync(this.root);
    const there = names.map((name) => lstatSync(this.path(name), { throwIfNoEntry: false })?.size ?? 0);
    const room = bavail * bsize + there.reduce((sum, size) => sum + size, 0);
    if (room >= bytes) return;
    const mb = (of: number): string => `${Math.ceil(of / 1e6)} MB`;
    throw new SettingsError(
      `--out ${this.name} has room for ${mb(room)}, and the files of this run take up to ${mb(bytes)}; free some space, or give another folder`,
    );
  }

  /**
   * Writes a file whole or not at all; its folders are made. Throws SettingsError or the system's error, which name the file.
   * `previous`: the name that the file gets which was there.
   */
  async write(name: string, pieces: Pieces, previous?: string): Promise<void> {
    await this.#checkFolders(name, true);
    const hash = await writeWhole(this.path(name), pieces, {
      ...(previous !== undefined && { previous: this.path(previous) }),
    });
    const before = this.#written.get(name);
    if (previous !== undefined && before !== undefined) this.#written.set(previous, before);
    this.#written.set(name, hash);
  }

  /** Reads back what was written last under each name. Throws SettingsError, which names what is not whole. */
  async verify(): Promise<void> {
    for (const [name, expected] of this.#written) {
      const hash = createHash('sha256');
      try {
        for await (const piece of createReadStream(this.path(name))) hash.update(piece as Buffer);
      } catch (error) {
        throw new SettingsError(`${this.path(name)} was written and cannot be read back: ${reasonOf(error)}`);
      }
      if (hash.digest('hex') !== expected)
        throw new SettingsError(`${this.path(name)} does not read back as it was written; check the disk`);
    }
  }

  /** Unlocks it; a folder that was made and got no file is deleted. */
  async close(): Promise<void> {
    await this.unlock();
    await removeEmpty(this.root, this.made);
  }

  /** Throws SettingsError where a folder of a name is a link or a file: what is written there would land elsewhere, or nowhere. */
  async #checkFolders(name: string, make = false): Promise<void> {
    let path = this.root;
    for (const part of name.split('/').slice(0, -1)) {
      path = join(path, part);
      let info = await lstat(path).catch(unlessAbsent);
      if (!info && !make) return;
      if (!info) {
        await mkdir(path);
        info = await lstat(path);
      }
      if (info.isSymbolicLink())
        throw new SettingsError(
          `${path} is a link, and nothing is written through links; give another folder`,
        );
      if (!info.isDirectory())
        throw new SettingsError(`${path} is a file where a folder is needed; give another folder`);
    }
  }
}

function unlessAbsent(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
  return undefined;
}

/** Deletes empty folders from `path` up to the topmost one that was made. */
async function removeEmpty(path: string, made: string | undefined): Promise<void> {
  if (made === undefined) return;
  try {
    for (let folder = path; ; folder = dirname(folder)) {
      await rmdir(folder);
      if (folder === made || folder === dirname(folder)) return;
    }
  } catch {
    // One has files.
  }
}
