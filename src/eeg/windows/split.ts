/** Which recordings are held out for validation. */
import { DataError } from '../errors';
import { Random } from '../../base/random';
import type { RecordingInfo } from '../files/recording';
import { windowStarts } from './windows';

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

/**
 * No patient on both sides. Patients with seizures and those without are drawn apart, in an order given by `seed`, until
 * about `fraction` of their windows is held out; where there are two patients of a kind, each side gets one.
 * Throws DataError where there is only one patient and something is to be held out.
 */
export function splitByPatient(recordings: readonly RecordingInfo[], fraction: number, seed: number): Split {
  if (checked(fraction) === 0) return { training: [...recordings.keys()], validation: [] };
  const patients = new Map<string, { windows: number; seizures: boolean }>();
  for (const info of recordings) {
    const known = patients.get(info.patient);
    patients.set(info.patient, {
      windows: (known?.windows ?? 0) + windowStarts(info).length,
      seizures: (known?.seizures ?? false) || info.seizures.length > 0,
    });
  }
  if (patients.size < 2)
    throw new DataError(
      'these recordings',
      'patients',
      'they are of one patient, who cannot be trained on and held out; add another or split by file',
    );
  const held = new Set<string>();
  for (const seizures of [true, false]) {
    const names = [...patients.keys()].filter((name) => patients.get(name)?.seizures === seizures).sort();
    const order = Uint32Array.from(names.keys());
    new Random(seed, `patients ${seizures}`).shuffle(order);
    const windowsOf = (i: number): number => patients.get(names[i] ?? '')?.windows ?? 0;
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
  if (held.size === 0) held.add([...patients.keys()].sort()[0] ?? '');
  const side = (validation: boolean): number[] =>
    [...recordings.keys()].filter((i) => held.has(recordings[i]?.patient ?? '') === validation);
  return { training: side(false), validation: side(true) };
}

function checked(fraction: number): number {
  if (!(fraction >= 0 && fraction <= 0.5))
    throw new RangeError(`the share that is held out is from 0 to 0.5; it is ${fraction}`);
  return fraction;
}
