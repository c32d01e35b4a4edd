/** The cache of prepared recordings in IndexedDB. */
import { createStore, delMany, get, keys, set } from 'idb-keyval';
import { PreparedCache } from '../../data/cache';

/** 2 GiB: about seven hours of EEG. */
const LIMIT = 2 * 2 ** 30;

export function preparedCache(): PreparedCache {
  const store = createStore('smokescan-prepared', 'recordings');
  return new PreparedCache(
    {
      get: (key) => get(key, store),
      set: (key, value) => set(key, value, store),
      delete: (names) => delMany([...names], store),
      keys: () => keys<string>(store),
    },
    LIMIT,
  );
}
