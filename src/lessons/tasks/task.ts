/** What a sequence task says of itself. Each task is whole in its own file; `index.ts` lists them. */
import type { MambaConfig } from '../mamba';
import { Random } from '../../base/random';

/** A target that is not counted. The engine's cross-entropy has the same number; the page needs it without the engine. */
export const IGNORE = 0xffffffff;

export interface TaskSizes {
  /** Tokens of a sequence, answers included. */
  readonly length: number;
  /** Different tokens, special ones included. */
  readonly vocabulary: number;
  /** Positions of a sequence that have a target. */
  readonly answers: number;
}

export interface TrainingDefaults {
  readonly steps: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  /** Largest global norm of the gradient; 0 does not clip. */
  readonly clip: number;
  /** Accuracy on held-out sequences at which a run has nothing more to learn and ends; without it all steps are run. */
  readonly solved?: number;
}

export interface Preset {
  readonly label: string;
  /** What it is for, what to expect, and what of it is not certain. */
  readonly note: string;
  readonly sizes: TaskSizes;
  readonly model: Omit<MambaConfig, 'vocabulary'>;
  readonly training: TrainingDefaults;
}

/** `published`: the paper's settings. `quick`: learned while one watches. `tiny`: the smallest that shows the point. */
export type PresetName = 'published' | 'quick' | 'tiny';

export interface Batch {
  /** [b, l], whole numbers below the vocabulary. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** [b, l], the token to be predicted at each position, or IGNORE. */
  readonly targets: Uint32Array<ArrayBuffer>;
}

/** One sequence to be filled in: `tokens` starts as 0, `targets` as IGNORE. */
export interface Sequence {
  readonly tokens: Uint32Array;
  readonly targets: Uint32Array;
}

export type TokenKind = 'noise' | 'data' | 'special';

export interface Task {
  readonly id: string;
  readonly name: string;
  readonly citation: { readonly text: string; readonly url: string };
  /** For a newcomer: what the model sees, what it must say, and why that is hard. */
  readonly description: string;
  readonly presets: Readonly<Record<PresetName, Preset>>;
  /** Throws RangeError with the reason when no sequence of these sizes exists. */
  check(sizes: TaskSizes): void;
  /** Writes one random sequence. */
  fill(sequence: Sequence, sizes: TaskSizes, random: Random): void;
  /** What a token is and how a grid shows it: one or two characters. */
  describeToken(token: number, sizes: TaskSizes): { readonly kind: TokenKind; readonly text: string };
  /** Accuracy of guessing without having looked. */
  chance(sizes: TaskSizes): number;
}

/** Letters, then numbers. */
export const dataText = (index: number): string =>
  index < 26 ? String.fromCharCode('A'.charCodeAt(0) + index) : String(index);

export function checkWhole(sizes: TaskSizes): void {
  for (const [name, value] of Object.entries(sizes))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${name} must be a whole number above 0, it is ${value}`);
}

/** `batch` random sequences. Throws RangeError when no sequence of these sizes exists. */
export function generateBatch(task: Task, sizes: TaskSizes, batch: number, random: Random): Batch {
  task.check(sizes);
  const { length } = sizes;
  const tokens = new Uint32Array(batch * length);
  const targets = new Uint32Array(batch * length).fill(IGNORE);
  for (let start = 0; start < batch * length; start += length)
    task.fill(
      { tokens: tokens.subarray(start, start + length), targets: targets.subarray(start, start + length) },
      sizes,
      random,
    );
  return { tokens, targets };
}

/** The batch of a step. It depends on the seed and the step alone, so a resumed run sees what the first would have. */
export const trainingBatch = (
  task: Task,
  sizes: TaskSizes,
  batch: number,
  seed: number,
  step: number,
): Batch => generateBatch(task, sizes, batch, new Random(seed).stream('training').stream(String(step)));

/** Held-out sequences, from a stream of their own; the same for every seed, so that runs compare. */
export const evaluationBatch = (task: Task, sizes: TaskSizes, batch: number): Batch =>
  generateBatch(task, sizes, batch, new Random(0).stream('evaluation'));
