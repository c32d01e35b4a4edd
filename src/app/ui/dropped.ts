/** Files and folders that were dropped on the page. */
import { fileName, messageOf } from '../../base/text';
import { isReadable } from '../../eeg/files/recording';

export interface DroppedFile {
  /** Within what was dropped, with slashes. */
  readonly path: string;
  readonly data: File;
}

/** A sentence for each file or folder that the browser could not read. */
export type Unread = readonly { readonly path: string; readonly reason: string }[];

export interface Dropped {
  readonly files: readonly DroppedFile[];
  readonly unread: Unread;
}

/** All files of a drop, those in folders too. To be called in the event: later the browser has forgotten them. */
export async function droppedFiles(transfer: Pick<DataTransfer, 'items'>): Promise<Dropped> {
  const items = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const files: DroppedFile[] = [];
  const unread: { path: string; reason: string }[] = [];
  const collect = async (entry: FileSystemEntry): Promise<void> => {
    const path = entry.fullPath.replace(/^\//, '');
    try {
      if (entry.isFile) files.push({ path, data: await fileOf(entry as FileSystemFileEntry) });
      else for (const inner of await listOf(entry as FileSystemDirectoryEntry)) await collect(inner);
    } catch (error) {
      unread.push({ path, reason: `${path} cannot be read: ${messageOf(error)}` });
    }
  };
  for (const { entry, file } of items)
    if (entry) await collect(entry);
    // Files that come from no file system have no entry.
    else if (file) files.push({ path: file.name, data: file });
  return { files, unread };
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

async function listOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  // A reader gives a hundred entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

/** Pages that take files, by their names in the address. */
export type Taker = 'config' | 'detect' | 'train' | 'runs';

/** Which page each file is for, and those that none takes. */
export interface Sorted {
  readonly of: ReadonlyMap<Taker, readonly DroppedFile[]>;
  readonly useless: readonly DroppedFile[];
}

/**
 * Sorts what was dropped by the files' names. `shown`: the page that is looked at, which takes what it can: Train recordings,
 * Runs weights, and Config files of any other name, unless they lie in a folder.
 */
export function sortFiles(files: readonly DroppedFile[], shown: string | undefined): Sorted {
  const of = new Map<Taker, DroppedFile[]>();
  const useless: DroppedFile[] = [];
  // With weights beside them, recordings are to be detected in.
  const training = shown === 'train' && !files.some(({ path }) => isWeights(path));
  for (const file of files) {
    const name = fileName(file.path);
    const taker: Taker | undefined = isYaml(name)
      ? 'config'
      : isWeights(name)
        ? shown === 'runs'
          ? 'runs'
          : 'detect'
        : isReadable(name)
          ? training
            ? 'train'
            : 'detect'
          : shown === 'config' && name === file.path
            ? 'config'
            : undefined;
    const list = taker ? (of.get(taker) ?? []) : useless;
    list.push(file);
    if (taker) of.set(taker, list);
  }
  return { of, useless };
}

/** Why what was dropped, or a part of it, is not used; null where all of it is. What else lies in a folder is not told. */
export function uselessSentence({ of, useless }: Sorted, unread: Unread): string | null {
  const told = of.size === 0 ? useless : useless.filter(({ path }) => !path.includes('/'));
  const [first] = told;
  const reasons = of.has('detect') || of.has('train') ? [] : unread.map(({ reason }) => `${reason}.`);
  if (first) {
    const others = told.length > 1 ? ` and ${told.length - 1} more` : '';
    reasons.push(
      `${first.path}${others} cannot be used here. Drop configurations (.yaml, .yml), recordings (.edf, .bdf) with their annotations, or weights (.pt, .safetensors).`,
    );
  } else if (of.size === 0 && reasons.length === 0) reasons.push('There are no files in what was dropped.');
  return reasons.length === 0 ? null : reasons.join(' ');
}

/** Whether a file of this name is a configuration. */
export const isYaml = (name: string): boolean => /\.ya?ml$/i.test(name);

const WEIGHTS = /\.(pt|pth|ckpt|safetensors)$/i;

/** Whether a file of this name holds weights. */
export const isWeights = (name: string): boolean => WEIGHTS.test(name);

/** What a file button offers for weights. */
export const WEIGHTS_ACCEPT = '.pt,.pth,.ckpt,.safetensors';
