/** Files and folders that were dropped on the page. */

export interface DroppedFile {
  /** Within what was dropped, with slashes. */
  readonly path: string;
  readonly data: File;
}

/** All files of a drop, those in folders too. To be called in the event: later the browser has forgotten them. */
export async function droppedFiles(transfer: DataTransfer): Promise<DroppedFile[]> {
  const items = Array.from(transfer.items, (item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const files: DroppedFile[] = [];
  for (const { entry, file } of items)
    if (entry) await collect(entry, files);
    // Files that come from no file system have no entry.
    else if (file) files.push({ path: file.name, data: file });
  return files;
}

async function collect(entry: FileSystemEntry, files: DroppedFile[]): Promise<void> {
  if (entry.isFile) {
    const data = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    files.push({ path: entry.fullPath.replace(/^\//, ''), data });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  // A reader gives a hundred entries at a time.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const inner of some) await collect(inner, files);
  }
}

const WEIGHTS = /\.(pt|pth|ckpt|safetensors)$/i;

/** Whether a file of this name holds weights. */
export const isWeights = (name: string): boolean => WEIGHTS.test(name);

/** What a file button offers for weights. */
export const WEIGHTS_ACCEPT = '.pt,.pth,.ckpt,.safetensors';
