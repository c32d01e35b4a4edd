/** Sequences of selective copying for experiments on its trained models. */
import { Random } from '../../base/random';
import { resolveRun, type Run } from '../loop/sequence';
import type { Dynamics } from '../mamba';
import { generateBatch, IGNORE, type Batch } from '../tasks/task';

/** Tokens that the convolution sees: a letter is seen by itself and the three tokens after it. */
export const WINDOW = 4;

export const copyingRun = (dynamics: Dynamics): Run =>
  resolveRun({ task: 'selective_copying', preset: 'tiny', seed: 1, dynamics });

export interface Separated extends Batch {
  /** The places of the letters of each sequence, from 0. */
  readonly letters: readonly (readonly number[])[];
}

const FIRST = 4;
const LAST = 24;
const APART = 5;

/**
 * The first `count` sequences of a fixed stream whose letters do not share a window of the convolution: the letters stand at
 * least 5 apart, from token 4 to token 24, counted from 0.
 */
export function separatedSequences(count: number): Separated {
  const { task, preset } = copyingRun('selective');
  const { sizes } = preset;
  const { length } = sizes;
  const random = new Random(0).stream('separated');
  const tokens = new Uint32Array(count * length);
  const targets = new Uint32Array(count * length).fill(IGNORE);
  const letters: number[][] = [];
  while (letters.length < count) {
    const one = generateBatch(task, sizes, 1, random);
    const places = [...one.tokens].flatMap((token, i) =>
      i < length - sizes.answers && token > 0 ? [i] : [],
    );
    const apart = places.every((place, i) => i === 0 || place - (places[i - 1] as number) >= APART);
    if (!apart || (places[0] as number) < FIRST || (places.at(-1) as number) > LAST) continue;
    tokens.set(one.tokens, letters.length * length);
    targets.set(one.targets, letters.length * length);
    letters.push(places);
  }
  return { tokens, targets, letters };
}
