/** When a GPU was lost last: browsers hold it back for a while then, also from a page that is loaded anew. */
import { get, set } from 'idb-keyval';

export interface LossMemory {
  /** Milliseconds since 1970; −∞ where none is known. */
  last(): Promise<number>;
  add(time: number): void;
}

/** For as long as the process lives. */
export function lossesInMemory(): LossMemory {
  let last = -Infinity;
  return {
    last: () => Promise.resolve(last),
    add: (time) => {
      last = time;
    },
  };
}

const KEY = 'gpu lost';

/** In IndexedDB, for all pages of this origin; where the browser keeps nothing, for as long as the worker lives. */
export function storedLosses(): LossMemory {
  const here = lossesInMemory();
  return {
    async last() {
      let stored: unknown;
      try {
        stored = await get(KEY);
      } catch {
        stored = undefined;
      }
      return Math.max(await here.last(), typeof stored === 'number' ? stored : -Infinity);
    },
    add(time) {
      here.add(time);
      // IndexedDB that is forbidden may throw at once.
      void (async () => set(KEY, time))().catch(() => undefined);
    },
  };
}
