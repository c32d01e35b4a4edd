/** Which kernel variants were the fastest, kept in IndexedDB: a run repeats bit for bit after a reload, and starts faster. */
import { get, update } from 'idb-keyval';
import { kernelsVersion } from '../engine/kernels_version';
import type { TuneMemory } from '../engine/tune';

const KEY = 'kernel choices';

interface Stored {
  /** Of the kernels that were timed. */
  readonly version: string;
  readonly choices: ReadonlyMap<string, string>;
}

/** Where the browser keeps nothing (a private window, a full disk), choices last as long as the worker. */
export async function storedChoices(): Promise<TuneMemory> {
  const ofThese = (stored: Stored | undefined) => (stored?.version === kernelsVersion ? stored.choices : []);
  const choices = new Map(ofThese(await attempt(() => get<Stored>(KEY))));
  return {
    get: (key) => choices.get(key),
    set: (key, variant) => {
      choices.set(key, variant);
      // Other workers and tabs store theirs meanwhile.
      const merged = (stored: Stored | undefined): Stored => ({
        version: kernelsVersion,
        choices: new Map([...ofThese(stored), [key, variant]]),
      });
      void attempt(() => update<Stored>(KEY, merged));
    },
  };
}

/** IndexedDB that is forbidden may throw at once. */
async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
