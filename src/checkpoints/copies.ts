/**
 * Copies of runs in a folder that the person chose: a folder for each run, in it its record, and a file of the full state for each
 * checkpoint that the store has. What the store lost is put back from there.
 */
import { createStore, del, get, set, type UseStore } from 'idb-keyval';
import { messageOf } from '../base/text';
import type { Generation, Run, Slot } from './run';
import { readState, writeState } from './state_file';
import { StateError, type TrainingState } from './state';

const SLOTS = ['last', 'best'] as const satisfies readonly Slot[];
const RECORD = 'run.json';
const ENDING = '.state.safetensors';
const folderOf = (id: string): string => `run-${id}`;
const fileOf = (slot: Slot, { number, step }: Generation): string =>
  `${slot}-${number}-step-${step}${ENDING}`;

/** Chromium's, which TypeScript does not know. */
interface Permissions {
  queryPermission(asked: { mode: 'readwrite' }): Promise<PermissionState>;
}

/** Where it is remembered which folder was chosen: not among the checkpoints, whose loss it is to outlive. */
let opened: UseStore | undefined;
const memory = (): UseStore => (opened ??= createStore('smokescan-copies', 'folder'));
const FOLDER = 'folder';

/** The folder that was chosen for copies, as the browser keeps it from visit to visit; undefined for none. */
export const chosenFolder = (): Promise<FileSystemDirectoryHandle | undefined> => get(FOLDER, memory());
/** Keeps the folder for later visits; null forgets it. */
export const rememberFolder = (folder: FileSystemDirectoryHandle | null): Promise<void> =>
  folder ? set(FOLDER, folder, memory()) : del(FOLDER, memory());

/** Whether the page may write into the folder now; a browser may ask anew at each visit. */
export const isOpen = async (folder: FileSystemDirectoryHandle): Promise<boolean> =>
  !('queryPermission' in folder) ||
  (await (folder as Permissions).queryPermission({ mode: 'readwrite' })) === 'granted';

/** Does `work` with the folder, in one tab at a time; null where none was chosen. Throws with a sentence. */
async function withFolder<T>(work: (folder: FileSystemDirectoryHandle) => Promise<T>): Promise<T | null> {
  const folder = await chosenFolder();
  if (!folder) return null;
  if (!(await isOpen(folder)))
    throw new Error(`This page may not use the folder “${folder.name}” any more: allow it again under Runs.`);
  return navigator.locks.request('smokescan-copies', async () => {
    try {
      return await work(folder);
    } catch (error) {
      throw new Error(`The folder “${folder.name}” cannot be used: ${messageOf(error)}`, { cause: error });
    }
  });
}

/** Brings the copy of a run up to date with the store, of which `load` reads a checkpoint. Throws with a sentence. */
export async function copyRun(
  run: Run,
  load: (slot: Slot, generation: Generation) => Promise<TrainingState>,
): Promise<void> {
  await withFolder(async (root) => {
    const folder = await root.getDirectoryHandle(folderOf(run.id), { create: true });
    const present = new Set<string>();
    for await (const name of folder.keys()) present.add(name);
    const wanted = new Set([RECORD]);
    for (const slot of SLOTS)
      for (const generation of run[slot]) {
        const name = fileOf(slot, generation);
        wanted.add(name);
        if (!present.has(name))
          await write(folder, name, writeState(await load(slot, generation)) as Uint8Array<ArrayBuffer>);
      }
    // The record names files that are there; those that it names no more are deleted after that.
    await write(folder, RECORD, JSON.stringify(run));
    for (const name of present) if (!wanted.has(name)) await folder.removeEntry(name);
  });
}

/** Deletes the copy of a run. Throws with a sentence. */
export async function deleteCopy(id: string): Promise<void> {
  await withFolder(async (root) => {
    for await (const name of root.keys())
      if (name === folderOf(id)) return root.removeEntry(name, { recursive: true });
  });
}

/** A run of the folder, and how a checkpoint of it is read. */
export interface CopiedRun {
  readonly run: Run;
  readonly read: (slot: Slot, generation: Generation) => Promise<TrainingState>;
}

/**
 * Gives `take` the runs of the folder that are not `known`, one after the other. What a person should know of them, that of
 * `take` and which cannot be read: sentences. Throws with one where the folder cannot be used.
 */
export async function copiedRuns(
  known: () => Promise<ReadonlySet<string>>,
  take: (copied: CopiedRun) => Promise<readonly string[]>,
): Promise<string[]> {
  const problems: string[] = [];
  await withFolder(async (root) => {
    const there = await known();
    for await (const [name, folder] of root.entries()) {
      if (!(folder instanceof FileSystemDirectoryHandle) || !name.startsWith(folderOf(''))) continue;
      if (there.has(name.slice(folderOf('').length))) continue;
      try {
        const run = recordOf(await (await fileIn(folder, RECORD)).text());
        if (folderOf(run.id) !== name) throw new StateError(`${RECORD} is the record of another run`);
        const read = async (slot: Slot, generation: Generation): Promise<TrainingState> =>
          readState(new Uint8Array(await (await fileIn(folder, fileOf(slot, generation))).arrayBuffer()));
        problems.push(...(await take({ run, read })));
      } catch (error) {
        problems.push(`${root.name}/${name} is not put back: ${messageOf(error)}`);
      }
    }
  });
  return problems;
}

const fileIn = async (folder: FileSystemDirectoryHandle, name: string): Promise<File> =>
  (await folder.getFileHandle(name)).getFile();

/** As a whole, or not at all: the browser writes beside and renames. */
async function write(
  folder: FileSystemDirectoryHandle,
  name: string,
  data: string | Uint8Array<ArrayBuffer>,
): Promise<void> {
  const stream = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await stream.write(data);
  await stream.close();
}

/** A record as a file says it, which anybody may have changed. Throws StateError where it is none. Exported for its tests. */
export function recordOf(text: string): Run {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const isObject = (one: unknown): one is object => typeof one === 'object' && one !== null;
  const isNumber = (one: unknown): boolean => typeof one === 'number';
  const isGeneration = (one: unknown): boolean =>
    isObject(one) &&
    (['number', 'step', 'saved', 'bytes'] as const).every((name) =>
      isNumber((one as Partial<Generation>)[name]),
    );
  const run: Partial<Record<keyof Run, unknown>> = isObject(value) ? value : {};
  const isWhole =
    [run.id, run.name, run.config, run.device].every((part) => typeof part === 'string') &&
    isNumber(run.created) &&
    isNumber(run.updated) &&
    typeof run.pinned === 'boolean' &&
    SLOTS.every((slot) => Array.isArray(run[slot]) && run[slot].every(isGeneration));
  if (!isWhole) throw new StateError(`${RECORD} is no record of a run`);
  return run as Run;
}
