/** Which recordings are held out for validation. */
import { several } from '../../base/text';
import { DataError } from '../errors';
import { Random } from '../../base/random';
import type { PatientSource } from '../files/patient';
import type { RecordingInfo } from '../files/recording';
import { windowStarts } from './windows';

/** What may not be on both sides of a split. */
export const SPLIT_BASES = ['patient', 'folder', 'file'] as const;
export type SplitBasis = (typeof SPLIT_BASES)[number];

/** By what recordings are kept together, for whoever reads the scores: a sentence with how patients were found. */
export function splitSentence(
  recordings: readonly Pick<RecordingInfo, 'path' | 'patient' | 'patientFrom'>[],
  basis: SplitBasis,
): string {
  if (basis === 'file')
    return `split by file, as the trainer does: a patient of ${several(recordings.length, 'recording')} may be on both sides`;
  if (basis === 'folder') {
    const folders = new Set(recordings.map(topFolder(recordings))).size;
    return `split by folder: ${several(folders, 'folder')} of ${several(recordings.length, 'recording')}`;
  }
  const sources = new Map<PatientSource, number>();
  for (const { patientFrom } of recordings) sources.set(patientFrom, (sources.get(patientFrom) ?? 0) + 1);
  const by = [...sources].map(([source, count]) =>
    source === 'none'
      ? `${count} without a name of a patient, each taken as another`
      : `${count} by ${source}`,
  );
  const patients = new Set(recordings.map(({ patient }) => patient)).size;
  return `split by patient: ${several(patients, 'patient')} of ${several(recordings.length, 'recording')} (${by.join(', ')})`;
}

/** Indices of recordings, rising. */
export interface Split {
  readonly training: readonly number[];
  readonly validation: readonly number[];
}

/**
 * The trainer's split: the first ⌊fraction · n⌋ recordings by path are validated. Recordings of one patient lie beside each
 * other, and the one that the cut goes through lands on both sides: scores come out too good.
 */
export function splitByFile(recordings: readonly RecordingInfo[], fraction: number): Split {
  const count = Math.floor(checked(fraction) * recordings.length);
  const all = [...recordings.keys()];
  return { validation: all.slice(0, count), training: all.slice(count) };
}

/** No patient on both sides; see splitByGroup. */
export const splitByPatient = (recordings: readonly RecordingInfo[], fraction: number, seed: number): Split =>
  splitByGroup(recordings, fraction, seed, ({ patient }) => patient, 'patient');

/** No folder at the top of what was opened on both sides; see splitByGroup. */
export const splitByFolder = (recordings: readonly RecordingInfo[], fraction: number, seed: number): Split =>
  splitByGroup(recordings, fraction, seed, topFolder(recordings), 'folder');

/** The first folder below the one that all recordings share; files that lie there directly are a folder of their own. */
function topFolder(recordings: readonly Pick<RecordingInfo, 'path'>[]): (info: { path: string }) => string {
  const foldersOf = (path: string): string[] => path.split('/').slice(0, -1);
  let shared: readonly string[] | undefined;
  for (const { path } of recordings) {
    const folders = foldersOf(path);
    const differs = shared?.findIndex((folder, i) => folder !== folders[i]) ?? -1;
    if (shared === undefined) shared = folders;
    else if (differs >= 0) shared = shared.slice(0, differs);
  }
  const depth = shared?.length ?? 0;
  return ({ path }) => foldersOf(path)[depth] ?? '';
}

/**
 * No group on both sides. Groups with seizures and those without are drawn apart, in an order given by `seed`, until about
 * `fraction` of their windows is held out; where there are two groups of a kind, each side gets one. Throws DataError where
 * there is only one group and something is to be held out.
 */
function splitByGroup(
  recordings: readonly RecordingInfo[],
  fraction: number,
  seed: number,
  groupOf: (info: RecordingInfo) => string,
  what: 'patient' | 'folder',
): Split {
  if (checked(fraction) === 0) return { training: [...recordings.keys()], validation: [] };
  const groups = new Map<string, { windows: number; seizures: boolean }>();
  for (const info of recordings) {
    const known = groups.get(groupOf(info));
    groups.set(groupOf(info), {
      windows: (known?.windows ?? 0) + windowStarts(info).length,
      seizures: (known?.seizures ?? false) || info.seizures.length > 0,
    });
  }
  if (groups.size < 2)
    throw new DataError(
      'these recordings',
      `${what}s`,
      `they are of one ${what}, which cannot be trained on and held out; add another or split by file`,
    );
  const held = new Set<string>();
  for (const seizures of [true, false]) {
    const names = [...groups.keys()].filter((name) => groups.get(name)?.seizures === seizures).sort();
    const order = Uint32Array.from(names.keys());
    new Random(seed, `patients ${seizures}`).shuffle(order);
    const windowsOf = (i: number): number => groups.get(names[i] ?? '')?.windows ?? 0;
    const target = fraction * order.reduce((sum, i) => sum + windowsOf(i), 0);
    let taken = 0;
    for (const i of order.subarray(0, names.length - 1)) {
      // Stop where taking this patient too would miss the target by more than leaving him does.
      if (taken > 0 && taken + windowsOf(i) / 2 > target) break;
      held.add(names[i] ?? '');
      taken += windowsOf(i);
    }
  }
  // One patient with seizures and one without: somebody has to be held out.
  if (held.size === 0) held.add([...groups.keys()].sort()[0] ?? '');
  const side = (validation: boolean): number[] =>
    recordings.flatMap((info, i) => (held.has(groupOf(info)) === validation ? [i] : []));
  return { training: side(false), validation: side(true) };
}

function checked(fraction: number): number {
  if (!(fraction >= 0 && fraction <= 0.5))
    throw new RangeError(`the share that is held out is from 0 to 0.5; it is ${fraction}`);
  return fraction;
}
