/** Open files in the browser's storage, one record each, so that two tabs do not lose each other's files. */
import { createStore, del, update, values, type UseStore } from 'idb-keyval';
import type { KeptFile } from './open_file.svelte';

let store: UseStore | undefined;
const files = (): UseStore => (store ??= createStore('smokescan-configs', 'files'));

/** Texts as this tab has read or kept them last, by id. */
const known = new Map<string, string>();

/** In the order in which they were opened. */
export async function keptFiles(): Promise<KeptFile[]> {
  const all = await values<KeptFile>(files());
  for (const { id, text } of all) known.set(id, text);
  return all.sort((a, b) => a.created - b.created);
}

// Where IndexedDB is forbidden it may throw at once, which an async function makes a rejection.
/** Keeps a file, unless another tab has kept another text for it since this one looked: that is returned then, and stays. */
export async function keep(file: KeptFile): Promise<KeptFile | undefined> {
  let other: KeptFile | undefined;
  await update<KeptFile>(
    file.id,
    (stored) => {
      other = stored && stored.text !== known.get(file.id) && stored.text !== file.text ? stored : undefined;
      known.set(file.id, (other ?? file).text);
      return other ?? file;
    },
    files(),
  );
  return other;
}
export const forget = async (id: string): Promise<void> => del(id, files());
