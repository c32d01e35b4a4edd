/** A lock on a folder, so that two processes never write into it at once: a file that names who holds it. */
import { link, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ArgumentError } from './command_line';
import { isFileError } from './file_error';
import { leftover } from './signals';

const LOCK = '.smokescan.lock';

interface Holder {
  readonly process: number;
  readonly host: string;
  /** When the process started, as Linux counts it: numbers of processes come again. */
  readonly started: string | null;
}

/** Field 22 of /proc/PID/stat; null where the system has no such file. */
async function startOf(process: number): Promise<string | null> {
  const stat = await readFile(`/proc/${process}/stat`, 'utf8').catch(() => '');
  // The name of the program, in parentheses, may hold blanks.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

async function isRunning({ process: id, host, started }: Holder): Promise<boolean> {
  // Nothing is known of processes elsewhere.
  if (host !== hostname()) return true;
  try {
    process.kill(id, 0);
  } catch (error) {
    if (isFileError(error) && error.code === 'ESRCH') return false;
  }
  const now = await startOf(id);
  return started === null || now === null || now === started;
}

function holderOf(text: string): Holder | undefined {
  try {
    const { process, host, started } = JSON.parse(text) as Partial<Holder>;
    return typeof process === 'number' && typeof host === 'string'
      ? { process, host, started: started ?? null }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Locks a folder that is there, until the function that it returns is called. The lock of a process that was killed is taken over.
 * Throws ArgumentError where another process holds it, the system's error where the folder cannot be written to.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK);
  const me: Holder = { process: process.pid, host: hostname(), started: await startOf(process.pid) };
  while (!(await create(path, JSON.stringify(me)))) await takeAway(path, folder);
  leftover(path);
  return async () => {
    await rm(path, { force: true });
    leftover(path, false);
  };
}

/** Whether it was not there. On the disk before it returns, so that a full one shows. */
async function create(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(text);
      await file.sync();
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (isFileError(error) && error.code === 'EEXIST') return false;
    if (isFileError(error)) error.path = path;
    throw error;
  }
}

async function takeAway(path: string, folder: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const holder = holderOf(text);
  const inUse = new ArgumentError(
    `--out ${folder} is in use by ${holder ? `process ${holder.process} on ${holder.host}` : 'another process'}; wait for its end, or give another folder. If it has ended, delete ${path}`,
  );
  if (!holder || (await isRunning(holder))) throw inUse;
  const aside = `${path}.${process.pid}`;
  await rename(path, aside);
  const taken = await readFile(aside, 'utf8');
  // Another process was faster, and this is its lock.
  if (taken !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
  if (taken !== text) throw inUse;
}
