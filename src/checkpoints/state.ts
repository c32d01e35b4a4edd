/** Everything that a training needs to go on as if nothing had happened, to the bit. */
import { messageOf, quoted, quotedJson, visible } from '../base/text';

/** A float32 tensor, row-major. */
export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type FloatTensors = ReadonlyMap<string, FloatTensor>;

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What is no tensor. All of it is JSON: NaN and infinities are not, and are rejected when it is written. */
export interface Progress {
  /** Completed epochs, optimizer steps done, batches seen (BatchNorm's num_batches_tracked). */
  readonly epoch: number;
  readonly step: number;
  readonly batches: number;
  /** The best value of the early-stopping metric so far; null before there is one. */
  readonly bestScore: number | null;
  /** The configuration as its text. */
  readonly config: string;
  /** In the form of whoever trains. */
  readonly schedule: Json;
  readonly lossScale: Json;
  readonly rng: Json;
  readonly sampler: Json;
  readonly earlyStopping: Json;
}

/**
 * Tensors by their published names. `parameters` stand in the order in which PyTorch's `model.parameters()` lists them:
 * an optimizer's state dict knows them by number. Parameters that were never updated have no moments.
 */
export interface TrainingState {
  readonly parameters: FloatTensors;
  /** AdamW's exp_avg and exp_avg_sq. */
  readonly firstMoments: FloatTensors;
  readonly secondMoments: FloatTensors;
  /** BatchNorm's running_mean and running_var. */
  readonly buffers: FloatTensors;
  readonly progress: Progress;
}

export const GROUPS = ['parameters', 'firstMoments', 'secondMoments', 'buffers'] as const;
export type Group = (typeof GROUPS)[number];

/** A state that contradicts itself, or a text that is no progress: a sentence that names tensor or field. */
export class StateError extends Error {
  override name = 'StateError';
}

/** Throws StateError unless every shape fits its data, and moments belong to parameters of their shape. */
export function checkState(state: Omit<TrainingState, 'progress'>): void {
  for (const group of GROUPS)
    for (const [name, { shape, data }] of state[group]) {
      const reject = (problem: string): never => {
        throw new StateError(`${group}: ${quoted(name)} ${problem}`);
      };
      if (shape.reduce((product, size) => product * size, 1) !== data.length)
        reject(`has ${data.length} elements, and the shape [${shape.join(', ')}]`);
      if (group !== 'firstMoments' && group !== 'secondMoments') continue;
      const parameter = state.parameters.get(name) ?? reject('is no parameter');
      if (parameter.shape.join() !== shape.join())
        reject(`has the shape [${shape.join(', ')}], its parameter [${parameter.shape.join(', ')}]`);
      if (!state.firstMoments.has(name) || !state.secondMoments.has(name)) reject('has one moment of two');
    }
}

/** As JSON. Throws StateError, with the path, for a value that JSON would change, such as NaN. */
export function encodeProgress(progress: Progress): string {
  rejectNonJson(progress, 'progress');
  return JSON.stringify(progress);
}

/** Throws StateError unless `text` is what `encodeProgress` wrote. */
export function decodeProgress(text: string): Progress {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new StateError(`progress is not JSON (${visible(messageOf(error))})`);
  }
  if (typeof value !== 'object' || value === null) throw new StateError('progress is no JSON object');
  const fields = new Map<string, Json>(Object.entries(value));
  const count = (name: string): number => {
    const number = fields.get(name);
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
    throw new StateError(`progress.${name} is ${quotedJson(number)}, not a whole number from 0`);
  };
  const bestScore = fields.get('bestScore') ?? null;
  if (bestScore !== null && typeof bestScore !== 'number')
    throw new StateError(`progress.bestScore is ${quotedJson(bestScore)}, not a number`);
  const config = fields.get('config');
  if (typeof config !== 'string') throw new StateError('progress.config is not a text');
  const json = (name: string): Json => fields.get(name) ?? null;
  return {
    epoch: count('epoch'),
    step: count('step'),
    batches: count('batches'),
    bestScore,
    config,
    schedule: json('schedule'),
    lossScale: json('lossScale'),
    rng: json('rng'),
    sampler: json('sampler'),
    earlyStopping: json('earlyStopping'),
  };
}

/** JSON.stringify makes null of NaN and infinities, drops undefined, and says nothing. */
export function rejectNonJson(value: unknown, path: string): void {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return;
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return;
    throw new StateError(
      `${path} is ${Object.is(value, -0) ? '-0' : value}, which JSON cannot hold; use null`,
    );
  }
  if (typeof value !== 'object') throw new StateError(`${path} is ${typeof value}, which JSON cannot hold`);
  for (const [key, part] of Object.entries(value)) rejectNonJson(part, `${path}.${key}`);
}
