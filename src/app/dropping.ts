/** Which page takes which of the files that were dropped. */
import { fileName } from '../base/text';
import { isReadable } from '../eeg/files/recording';
import { isHostSamples } from '../estimate/host_samples';
import { isOomLog } from '../estimate/oom_log';
import type { States } from './states';
import {
  isRunLog,
  isLog,
  isSnapshot,
  isWeights,
  isYaml,
  type Dropped,
  type DroppedFile,
  type Unread,
} from './ui/dropped';

/** Pages that take files, by their names in the address. */
export type Taker = 'config' | 'detect' | 'train' | 'resources' | 'runs';

/** Which page each file is for, and those that none takes. */
export interface Sorted {
  readonly of: ReadonlyMap<Taker, readonly DroppedFile[]>;
  readonly useless: readonly DroppedFile[];
}

/**
 * Sorts what was dropped by the files' names; `logs` are those whose content tells. `shown`: the page that is looked at, which takes what it can: Train recordings,
 * Runs weights and logs, with the configuration beside them, and Config files of any other name, unless they lie in a folder.
 */
export function sortFiles(
  files: readonly DroppedFile[],
  shown: string | undefined,
  logs: ReadonlySet<DroppedFile> = new Set(),
): Sorted {
  const of = new Map<Taker, DroppedFile[]>();
  const useless: DroppedFile[] = [];
  // With weights beside them, recordings are to be detected in.
  const training = shown === 'train' && !files.some(({ path }) => isWeights(path));
  // A table beside a recording has its annotations; what a name tells is a run's wherever it is dropped.
  const runLogs = files.some(
    (file) => isRunLog(file.path) || (shown === 'runs' && isLog(file.path) && !logs.has(file)),
  );
  for (const file of files) {
    const name = fileName(file.path);
    const taker: Taker | undefined = isYaml(name)
      ? runLogs
        ? 'runs'
        : 'config'
      : isRunLog(name)
        ? 'runs'
        : isWeights(name)
          ? shown === 'runs'
            ? 'runs'
            : 'detect'
          : isSnapshot(name) || logs.has(file)
            ? 'resources'
            : runLogs && isLog(name)
              ? 'runs'
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

const MAY_BE_LOG = /\.(log|txt|csv|out)$|^[^.]+$/i;
/** More are of a folder of recordings. */
const MAX_LOGS = 20;
const LOOKED_AT = 256 * 1024;

/** Logs of a host's memory among the files: names do not tell them from labels and notes, their start or end does. */
export async function hostLogs(files: readonly DroppedFile[]): Promise<ReadonlySet<DroppedFile>> {
  const candidates = files.filter(({ path }) => MAY_BE_LOG.test(fileName(path)));
  const found = new Set<DroppedFile>();
  for (const file of candidates.length > MAX_LOGS ? [] : candidates) {
    const { data } = file;
    try {
      const head = await data.slice(0, LOOKED_AT).text();
      if (isHostSamples(head) || isOomLog(head) || isOomLog(await data.slice(-LOOKED_AT).text()))
        found.add(file);
    } catch {
      // It cannot be read: the page that takes it by its name says so.
    }
  }
  return found;
}

/** Why what was dropped, or a part of it, is not used; null where all of it is. What else lies in a folder is not reported. */
export function uselessSentence({ of, useless }: Sorted, unread: Unread): string | null {
  const reported = of.size === 0 ? useless : useless.filter(({ path }) => !path.includes('/'));
  const [first] = reported;
  const reasons = of.has('detect') || of.has('train') ? [] : unread.map(({ reason }) => `${reason}.`);
  if (first) {
    const others = reported.length > 1 ? ` and ${reported.length - 1} more` : '';
    reasons.push(
      `${first.path}${others} cannot be used here. Drop configurations (.yaml, .yml), recordings (.edf, .bdf) with their annotations, weights (.pt, .safetensors), memory snapshots of PyTorch (.pickle), logs of memory (dmesg, psrecord, ps), or logs of a run (events.out.tfevents.*).`,
    );
  } else if (of.size === 0 && reasons.length === 0) reasons.push('There are no files in what was dropped.');
  return reasons.length === 0 ? null : reasons.join(' ');
}

export interface Routed {
  /** The page to look at now; undefined where that does not change. */
  readonly shown: string | undefined;
  /** What was not used, and where the rest went; null where there is nothing to say. */
  readonly said: string | null;
}

/** Hands each file to the page that takes it. `here`: the page that is looked at, which stays where it takes one of them; `labels`: of pages by their names. */
export function route(
  { files, unread }: Dropped,
  here: string | undefined,
  { detector, detect }: States,
  labels: ReadonlyMap<string, string>,
  give: (page: string, files: readonly DroppedFile[]) => void,
  logs: ReadonlySet<DroppedFile> = new Set(),
): Routed {
  const others = files.filter((file) => !isReadable(fileName(file.path)) || logs.has(file));
  const waiting = detector.active && others.length < files.length;
  const sorted = sortFiles(waiting ? others : files, here, logs);
  const takers = [...sorted.of.keys()];
  const shown = takers.find((name) => name === here) ?? takers[0];
  const sentences = waiting
    ? ['Recordings are not opened while others are read or trained on. Wait or stop, then drop them again.']
    : [uselessSentence(sorted, unread)];
  for (const [name, given] of sorted.of) {
    if (name === 'detect') void detect.take({ files: given, unread });
    else if (name === 'train') void detector.open(given, null, unread);
    else give(name, given);
    if (name !== shown) sentences.push(`${elsewhere(given)} opened under ${labels.get(name) ?? name}.`);
  }
  return {
    shown: shown === here ? undefined : shown,
    said: sentences.filter((one) => one !== null).join(' ') || null,
  };
}

const elsewhere = (files: readonly DroppedFile[]): string =>
  files.length === 1 ? `${files[0]?.path ?? ''} was` : `${files.length} files were`;
