/** Which kernel variants were the fastest on this machine's GPU, in a file of the user's cache folder. */
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { kernelsVersion } from '../engine/kernels_version';
import type { TuneMemory } from '../engine/tune';
import { isFileError } from './file_error';
import { writeWhole } from './output_files';

/** Where programs of this system keep what they can make anew. */
function cacheFolder(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (process.platform === 'win32') return LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME || join(homedir(), '.cache');
}

interface Stored {
  /** Of the kernels that were timed. */
  readonly version: string;
  readonly choices: Readonly<Record<string, string>>;
}

/** A file that cannot be read or written costs a second choice, nothing else. */
export async function fileChoices(
  path = join(cacheFolder(), 'smokescan', 'kernels.json'),
): Promise<TuneMemory> {
  const choices = await read(path);
  let writing: Promise<void> = Promise.resolve();
  return {
    get: (key) => choices.get(key),
    set: (key, variant) => {
      choices.set(key, variant);
      // Other commands write theirs meanwhile; what two write in one moment costs a second choice.
      writing = writing.then(async () => {
        const merged = new Map([...(await read(path)), ...choices]);
        const stored: Stored = { version: kernelsVersion, choices: Object.fromEntries(merged) };
        await write(path, JSON.stringify(stored));
      });
    },
  };
}

async function read(path: string): Promise<Map<string, string>> {
  try {
    const stored = JSON.parse(await readFile(path, 'utf8')) as Partial<Stored>;
    return new Map(stored.version === kernelsVersion ? Object.entries(stored.choices ?? {}) : []);
  } catch (error) {
    if (isFileError(error) || error instanceof SyntaxError) return new Map();
    throw error;
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Another process may write it at the same time.
    await writeWhole(path, [text], { beside: `${path}.${process.pid}.part` });
  } catch (error) {
    if (!isFileError(error)) throw error;
  }
}
