/** The cache of prepared recordings in IndexedDB. */
import { createStore, delMany, get, keys, set } from 'idb-keyval';
import { PreparedCache } from '../eeg/signal/cache';

/** 16 GiB: about ten days of EEG; and never more than half of what the browser gives. */
const LIMIT = 16 * 2 ** 30;

/** Opens it: pages and workers of this origin share one, of the smaller of LIMIT and half of the browser's quota. */
export async function preparedCache(): Promise<PreparedCache> {
  const store = createStore('smokescan-prepared', 'recordings');
  const { quota = 0 } = await navigator.storage.estimate();
  return new PreparedCache(
    {
      get: (key) => get(key, store),
      set: (key, value) => set(key, value, store),
      delete: (names) => delMany([...names], store),
      keys: () => keys<string>(store),
      // Workers of the loader read the same recordings: one prepares, the others wait for it.
      alone: async (name, work) => await navigator.locks.request(`smokescan-prepared ${name}`, work),
    },
    Math.min(LIMIT, quota / 2),
  );
}
