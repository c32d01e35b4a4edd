/** Which kernel variants were the fastest, kept in IndexedDB: a run repeats bit for bit after a reload, and starts faster. */
import { get, set } from 'idb-keyval';
import type { TuneMemory } from '../engine/tune';

const KEY = 'kernel choices';

/** Where the browser keeps nothing (a private window, a full disk), choices last as long as the worker. */
export async function storedChoices(): Promise<TuneMemory> {
  const stored = await attempt(() => get<ReadonlyMap<string, string>>(KEY));
  const choices = new Map(stored);
  return {
    get: (key) => choices.get(key),
    set: (key, variant) => {
      choices.set(key, variant);
      void attempt(() => set(KEY, choices));
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
