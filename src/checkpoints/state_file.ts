/**
 * States as safetensors. Weights alone are a file as other programs expect it: published names, BatchNorm's
 * num_batches_tracked among them. A full state adds the moments and, in the metadata, the progress.
 */
import { quoted } from '../base/text';
import { crc32 } from './crc32';
import { parse, SafetensorsError, write, type SafetensorsTensor } from './safetensors';
import {
  checkState,
  decodeProgress,
  encodeProgress,
  StateError,
  type FloatTensor,
  type FloatTensors,
  type TrainingState,
} from './state';

const FIRST_MOMENT = 'optimizer.exp_avg.';
const SECOND_MOMENT = 'optimizer.exp_avg_sq.';
/** Metadata: the progress as JSON, and the names of parameters and buffers in their order. */
const PROGRESS = 'smokescan.progress';
const PARAMETERS = 'smokescan.parameters';
const BUFFERS = 'smokescan.buffers';
/** Metadata: CRC-32, in hexadecimal digits, over progress and tensors. */
const CHECKSUM = 'smokescan.crc32';
/** What loaders of the field look for. */
const FORMAT = { format: 'pt' };

const RUNNING_MEAN = '.running_mean';
const BATCHES_TRACKED = '.num_batches_tracked';

const asTensor = ({ shape, data }: FloatTensor): SafetensorsTensor => ({ dtype: 'F32', shape, data });

/** A model's state dict: parameters, buffers, and beside each running_mean an int64 num_batches_tracked. */
export function stateDict({ parameters, buffers, progress }: TrainingState): Map<string, SafetensorsTensor> {
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, tensor] of [...parameters, ...buffers]) tensors.set(name, asTensor(tensor));
  for (const name of buffers.keys())
    if (name.endsWith(RUNNING_MEAN))
      tensors.set(name.slice(0, -RUNNING_MEAN.length) + BATCHES_TRACKED, {
        dtype: 'I64',
        shape: [],
        data: BigInt64Array.of(BigInt(progress.batches)),
      });
  return tensors;
}

/** Parameters and buffers of a state dict, in its order. Throws SafetensorsError for parameters that are not float32. */
export function splitStateDict(tensors: ReadonlyMap<string, SafetensorsTensor>): {
  readonly parameters: FloatTensors;
  readonly buffers: FloatTensors;
  readonly batches: number;
} {
  const parameters = new Map<string, FloatTensor>();
  const buffers = new Map<string, FloatTensor>();
  let batches = 0;
  for (const [name, tensor] of tensors) {
    if (name.endsWith(BATCHES_TRACKED)) {
      if (tensor.dtype !== 'I64' || tensor.data.length !== 1)
        throw new SafetensorsError(`tensor ${quoted(name)} is no single I64`);
      batches = Math.max(batches, Number(tensor.data[0]));
      continue;
    }
    const isBuffer = name.endsWith(RUNNING_MEAN) || name.endsWith('.running_var');
    (isBuffer ? buffers : parameters).set(name, floats(name, tensor));
  }
  return { parameters, buffers, batches };
}

/** A float32 tensor; its data are a view of the file's bytes. Throws SafetensorsError for another type. */
export function floats(name: string, tensor: SafetensorsTensor): FloatTensor {
  if (tensor.dtype !== 'F32')
    throw new SafetensorsError(
      `tensor ${quoted(name)} is ${tensor.dtype}; weights are read as F32 only, so convert the file first`,
    );
  const { shape, data } = tensor;
  const { buffer } = data;
  return {
    shape,
    data:
      buffer instanceof ArrayBuffer ? new Float32Array(buffer, data.byteOffset, data.length) : data.slice(),
  };
}

/** The weights alone. */
export const writeWeights = (state: TrainingState): Uint8Array => write(stateDict(state), FORMAT);

/** Weights and running statistics of a file, by their names in the trainer's checkpoints. Throws SafetensorsError. */
export function readWeights(file: Uint8Array): Pick<TrainingState, 'parameters' | 'buffers'> {
  return splitStateDict(parse(file).tensors);
}

/** All of a training's state as safetensors, with a CRC-32 over tensors and progress. Throws StateError for a state that is not whole. */
export function writeState(state: TrainingState): Uint8Array {
  checkState(state);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, tensor] of [...state.parameters, ...state.buffers]) tensors.set(name, asTensor(tensor));
  for (const [name, tensor] of state.firstMoments) tensors.set(FIRST_MOMENT + name, asTensor(tensor));
  for (const [name, tensor] of state.secondMoments) tensors.set(SECOND_MOMENT + name, asTensor(tensor));
  const progress = encodeProgress(state.progress);
  return write(tensors, {
    ...FORMAT,
    [PROGRESS]: progress,
    [CHECKSUM]: checksum(state, progress),
    [PARAMETERS]: JSON.stringify([...state.parameters.keys()]),
    [BUFFERS]: JSON.stringify([...state.buffers.keys()]),
  });
}

function checksum(state: Omit<TrainingState, 'progress'>, progress: string): string {
  let crc = crc32(new TextEncoder().encode(progress));
  const add = (tensor: FloatTensor | undefined): void => {
    if (!tensor) return;
    const { buffer, byteOffset, byteLength } = tensor.data;
    crc = crc32(new Uint8Array(buffer, byteOffset, byteLength), crc);
  };
  for (const name of state.parameters.keys())
    for (const group of [state.parameters, state.firstMoments, state.secondMoments]) add(group.get(name));
  for (const tensor of state.buffers.values()) add(tensor);
  return crc.toString(16).padStart(8, '0');
}

/** Whether the metadata of a safetensors file are those of a full training state. */
export const isState = (metadata: Readonly<Record<string, string>>): boolean => PROGRESS in metadata;

/**
 * Throws SafetensorsError or StateError unless the file holds a full state and nothing else, with the checksum that it was
 * written with; files of earlier versions have none.
 */
export function readState(file: Uint8Array): TrainingState {
  const { tensors, metadata } = parse(file);
  const progress = metadata[PROGRESS];
  if (progress === undefined)
    throw new SafetensorsError(
      `the file holds no training state (its metadata lack ${PROGRESS}); its weights may be loaded alone`,
    );
  const left = new Map(tensors);
  const take = (key: string, name: string): FloatTensor => {
    const tensor = left.get(key);
    if (!tensor) throw new SafetensorsError(`tensor ${quoted(key)} is missing`);
    left.delete(key);
    return floats(name, tensor);
  };
  const group = (names: readonly string[], prefix = ''): FloatTensors =>
    new Map(names.map((name) => [name, take(prefix + name, name)]));
  const names = nameList(metadata, PARAMETERS);
  const state: TrainingState = {
    parameters: group(names),
    firstMoments: group(
      names.filter((name) => tensors.has(FIRST_MOMENT + name)),
      FIRST_MOMENT,
    ),
    secondMoments: group(
      names.filter((name) => tensors.has(SECOND_MOMENT + name)),
      SECOND_MOMENT,
    ),
    buffers: group(nameList(metadata, BUFFERS)),
    progress: decodeProgress(progress),
  };
  const [extra] = left.keys();
  if (extra !== undefined)
    throw new SafetensorsError(`tensor ${quoted(extra)} belongs to no part of the state`);
  checkState(state);
  const written = metadata[CHECKSUM];
  if (written !== undefined && written !== checksum(state, progress))
    throw new StateError(
      'the file is damaged: its contents do not have the checksum that it was written with',
    );
  return state;
}

function nameList(metadata: Readonly<Record<string, string>>, key: string): string[] {
  let names: unknown;
  try {
    names = JSON.parse(metadata[key] ?? '');
  } catch {
    names = undefined;
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string'))
    throw new SafetensorsError(`__metadata__: ${key} is no list of names`);
  return names;
}
