import { isRecording } from '../../../eeg/files/recording';
import { isWeights, isYaml, type DroppedFile } from '../../ui/dropped';
import { pickFolder } from '../../ui/folder';
import { belowRepository, cleanPath, readFileText, tooLarge, Unreadable, type FileText } from './file_text';

export interface Opened extends FileText {
  readonly path: string;
}

export interface Opening {
  readonly opened: readonly Opened[];
  /** Sentences about files that were not. */
  readonly rejected: readonly string[];
  /** How many files of a folder were passed over, because they are no YAML. */
  readonly others: number;
}

/** Files of a folder that are read; a home folder opened by mistake must not be read whole. */
const MAX_FILES = 2000;

/** Reads files. Of folders the YAML files alone; a file that was chosen by itself is read whatever its name. */
export async function openFiles(given: readonly DroppedFile[]): Promise<Opening> {
  const chosen = given.filter(({ path }) => isYaml(path) || !path.includes('/')).slice(0, MAX_FILES);
  const below = belowRepository(given.map(({ path }) => cleanPath(path)));
  const rejected: string[] = [];
  const opened: Opened[] = [];
  for (const { path, data: file } of chosen) {
    try {
      if (isWeights(path) || isRecording(path))
        throw new Unreadable('is not a configuration, but for the page Detect');
      // Reading a film to say that it is none would hold the page up.
      const bytes = new Uint8Array(await file.slice(0, 1_000_001).arrayBuffer());
      if (file.size > bytes.length) throw new Unreadable(tooLarge(file.size));
      opened.push({ path: below(cleanPath(path)), ...readFileText(bytes) });
    } catch (error) {
      const problem =
        error instanceof Unreadable ? error.message : `cannot be read (${(error as Error).message})`;
      rejected.push(`${path} ${problem}. It was not opened.`);
    }
  }
  return { opened, rejected, others: given.length - chosen.length };
}

/** Files of an input; those of a folder have the folder's name in their path. */
export const givenBy = (files: Iterable<File>): DroppedFile[] =>
  [...files].map((data) => ({ path: data.webkitRelativePath || data.name, data }));

/**
 * Writes files below a folder that the person picks; false where they picked none. The files are asked for after that,
 * because a browser lets a folder be picked only right after a click.
 */
export async function writeFolder(
  filesOf: () => Promise<readonly { path: string; bytes: Uint8Array<ArrayBuffer> }[]>,
): Promise<boolean> {
  const root = await pickFolder();
  if (!root) return false;
  for (const { path, bytes } of await filesOf()) {
    const parts = path.split('/');
    const name = parts.pop() ?? path;
    let folder = root;
    for (const part of parts) folder = await folder.getDirectoryHandle(part, { create: true });
    const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await stream.write(bytes);
    await stream.close();
  }
  return true;
}
