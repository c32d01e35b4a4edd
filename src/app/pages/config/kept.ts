/** Open files in the browser's storage, one record each, so that two tabs do not lose each other's files. */
import { createStore, del, set, values, type UseStore } from 'idb-keyval';
import type { KeptFile } from './open_file.svelte';

let store: UseStore | undefined;
const files = (): UseStore => (store ??= createStore('smokescan-configs', 'files'));

/** In the order in which they were opened. */
export async function keptFiles(): Promise<KeptFile[]> {
  const all = await values<KeptFile>(files());
  return all.sort((a, b) => a.created - b.created);
}

// Where IndexedDB is forbidden it may throw at once, which an async function makes a rejection.
export const keep = async (file: KeptFile): Promise<void> => set(file.id, file, files());
export const forget = async (id: string): Promise<void> => del(id, files());
