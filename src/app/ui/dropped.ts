/** Files and folders that were dropped on the page. */
import { messageOf } from '../../base/text';

declare global {
  interface Window {
    /** Where the app is installed in Chromium: what the system opens with it. */
    readonly launchQueue?: {
      setConsumer(consumer: (launch: { readonly files: readonly FileSystemHandle[] }) => Promise<void>): void;
    };
  }
}

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

/** How many files of a folder are asked for at once: each takes the browser a moment. */
const AT_ONCE = 100;

/**
 * All files of a drop, those in folders too. To be called in the event: later the browser has forgotten them. `found` gets how many
 * there are as yet; where it answers false the search ends, with null.
 */
export async function droppedFiles(
  transfer: Pick<DataTransfer, 'items'>,
  found: (count: number) => boolean = () => true,
): Promise<Dropped | null> {
  const items = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const files: DroppedFile[] = [];
  const unread: { path: string; reason: string }[] = [];
  const pathOf = ({ fullPath }: FileSystemEntry): string => fullPath.replace(/^\//, '');
  /** What `reading` gives; undefined where it fails, which is reported. */
  const orTell = <T>(entry: FileSystemEntry, reading: Promise<T>): Promise<T | undefined> =>
    reading.catch((error: unknown) => {
      const path = pathOf(entry);
      unread.push({ path, reason: `${path} cannot be read: ${messageOf(error)}` });
      return undefined;
    });
  /** False where the search is to end. */
  const collect = async (entries: readonly FileSystemEntry[]): Promise<boolean> => {
    for (let from = 0; from < entries.length; from += AT_ONCE) {
      if (!found(files.length)) return false;
      const some = entries.slice(from, from + AT_ONCE);
      const data = await Promise.all(
        some.map(async (entry) =>
          entry.isFile ? orTell(entry, fileOf(entry as FileSystemFileEntry)) : undefined,
        ),
      );
      for (const [i, entry] of some.entries()) {
        const file = data[i];
        if (file) files.push({ path: pathOf(entry), data: file });
        if (entry.isFile) continue;
        const inside = (await orTell(entry, listOf(entry as FileSystemDirectoryEntry))) ?? [];
        if (!(await collect(inside))) return false;
      }
    }
    return true;
  };
  if (!(await collect(items.flatMap(({ entry }) => entry ?? [])))) return null;
  // Files that come from no file system have no entry.
  for (const { entry, file } of items) if (!entry && file) files.push({ path: file.name, data: file });
  return { files, unread };
}

/** Files that the system opened with the app. */
export async function launchedFiles(handles: readonly FileSystemHandle[]): Promise<Dropped> {
  const files: DroppedFile[] = [];
  const unread: { path: string; reason: string }[] = [];
  for (const handle of handles)
    try {
      if (handle instanceof FileSystemFileHandle)
        files.push({ path: handle.name, data: await handle.getFile() });
    } catch (error) {
      unread.push({ path: handle.name, reason: `${handle.name} cannot be read: ${messageOf(error)}` });
    }
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

/** Whether a file of this name is a configuration. */
export const isYaml = (name: string): boolean => /\.ya?ml$/i.test(name);

const WEIGHTS = /\.(pt|pth|ckpt|safetensors)$/i;

/** Whether a file of this name holds weights. */
export const isWeights = (name: string): boolean => WEIGHTS.test(name);

/** What a file button offers for weights. */
export const WEIGHTS_ACCEPT = '.pt,.pth,.ckpt,.safetensors';

/** Whether a file of this name is a memory snapshot of PyTorch. */
export const isSnapshot = (name: string): boolean => /\.(pickle|pkl)$/i.test(name);

/** Whether a file of this name is a run's log: an event file of TensorBoard, what that saves of a tag, or what the page saves. */
export const isRunLog = (name: string): boolean =>
  /\btfevents\b|-tag-[^/]+\.csv$|(?:^|\/)metrics\.csv$/i.test(name);

/** Whether a file of this name can be the log of a run: one by its name, or any table. */
export const isLog = (name: string): boolean => isRunLog(name) || /\.csv$/i.test(name);
