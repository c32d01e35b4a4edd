import { fence } from './fence.svelte';

/** Chromium's picker of folders to write into, and its question for a folder of an earlier visit; other browsers have neither. */
interface FolderPicker {
  showDirectoryPicker(options: { mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>;
}
interface Permissions {
  requestPermission(asked: { mode: 'readwrite' }): Promise<PermissionState>;
}

const hasPicker = (scope: object): scope is FolderPicker => 'showDirectoryPicker' in scope;

/** Not where files are not safe, as in a page that is framed. */
export const canWriteFolders = (): boolean => hasPicker(window) && fence.problem === null;

/** A folder to write into, which the browser asks the person for right after a click only; null where none was picked. */
export async function pickFolder(): Promise<FileSystemDirectoryHandle | null> {
  if (!hasPicker(window)) return null;
  try {
    return await window.showDirectoryPicker({ mode: 'readwrite' });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return null;
    throw error;
  }
}

/** Asks the person, right after a click, whether a folder of an earlier visit may be written. */
export async function allowFolder(folder: FileSystemDirectoryHandle): Promise<boolean> {
  const asked = folder as FileSystemDirectoryHandle & Permissions;
  return (await asked.requestPermission({ mode: 'readwrite' })) === 'granted';
}
