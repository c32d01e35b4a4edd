/** Where in a file a finding belongs. */
import type { ConfigFile, Place } from '../pyyaml';

const START: Place = { line: 1, column: 1, from: 0, to: 0 };

/** The value at a path; the key of the nearest section above it where the file has none; else the file's start. */
export function placeOf({ entries }: ConfigFile, path: string): Place {
  for (let at = path; at !== ''; at = above(at)) {
    const entry = entries.findLast((one) => one.path === at);
    if (!entry) continue;
    // A value that is not written, as in `key:`, is at its key.
    return at === path && entry.value.to > entry.value.from ? entry.value : entry.key;
  }
  return START;
}

const above = (path: string): string => path.replace(/(?:\[\d+\]|\.?[^.[\]]*)$/, '');
