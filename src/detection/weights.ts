/** Weights of the detector from whatever file holds them, and the model that they are of. */
import { quotedJson } from '../base/text';
import { isDict, isTensor, Tuple, type PythonKey, type PythonValue } from '../checkpoints/python';
import { parse, type SafetensorsTensor } from '../checkpoints/safetensors';
import type { FloatTensor } from '../checkpoints/state';
import { isState, readState, splitStateDict } from '../checkpoints/state_file';
import { readTorch, TorchFileError } from '../checkpoints/torch';
import { PRODUCTION, type DetectorConfig } from '../models/detector';
import { MIXERS, type Mixer } from '../models/bimamba';
import { SettingsError } from '../run/failure';
import type { Weights } from './restore';

export interface DetectorWeights extends Weights {
  /** The mixer that was trained, where the file says so. */
  readonly mixer: Mixer | undefined;
}

/** PK, as each zip starts. */
const ZIP_START = 0x504b0304;
/** As PyTorch’s files before 1.6 start, and perhaps the length of a header of safetensors. */
const PICKLE_START = 0x80;
/** The length of a header, below 4 GiB, and the header's first character. */
const isSafetensors = (file: Uint8Array): boolean =>
  file[8] === 0x7b && file.subarray(4, 8).every((byte) => byte === 0);
/** Which format a file has, by its first bytes. Throws SettingsError where it has neither. */
export function formatOf(file: Uint8Array): 'torch' | 'safetensors' {
  if (file.length === 0) throw new SettingsError('the file is empty; choose another');
  if (isSafetensors(file)) return 'safetensors';
  const start = file.length < 4 ? 0 : new DataView(file.buffer, file.byteOffset).getUint32(0);
  if (start === ZIP_START || file[0] === PICKLE_START) return 'torch';
  throw new SettingsError(
    'the file is neither PyTorch’s (.pt) nor safetensors; choose best.pt or last.pt of the trainer, a state dict, or safetensors',
  );
}

/**
 * Reads PyTorch's file (the trainer's best.pt and last.pt, or a state dict alone), weights as safetensors, or a training
 * state of this program. Throws ZipError, PickleError, TorchFileError, SafetensorsError, StateError or SettingsError with a sentence.
 */
export function readWeightsFile(file: Uint8Array<ArrayBuffer>): DetectorWeights {
  if (formatOf(file) === 'torch') return readTorchWeights(file);
  const { tensors, metadata } = parse(file);
  if (isState(metadata)) {
    const { parameters, buffers, progress } = readState(file);
    return { parameters, buffers, mixer: mixerIn(progress.config, 'model') };
  }
  return { ...splitStateDict(tensors), mixer: mixerIn(metadata['config'] ?? '') };
}

/** What a configuration of this program says: that of a run below `model`, that of a detector at its top. */
export function mixerIn(json: string, below?: 'model'): Mixer | undefined {
  try {
    const config = JSON.parse(json) as { mixer?: unknown; model?: { mixer?: unknown } };
    const said = below === undefined ? config.mixer : config.model?.mixer;
    return MIXERS.find((mixer) => mixer === said);
  } catch {
    return undefined;
  }
}

type Dict = ReadonlyMap<PythonKey, PythonValue>;

function readTorchWeights(file: Uint8Array<ArrayBuffer>): DetectorWeights {
  const root = readTorch(file);
  const inner = isDict(root) ? (root.get('model_state_dict') ?? root.get('state_dict') ?? root) : root;
  if (!isDict(root) || !isDict(inner))
    throw new TorchFileError('the file holds no state dict: save model.state_dict()');
  const tensors = new Map<string, SafetensorsTensor>();
  for (const [name, tensor] of inner) {
    if (typeof name !== 'string' || !isTensor(tensor))
      throw new TorchFileError(`${quotedJson(name)} of the state dict is no named tensor`);
    // What DistributedDataParallel and torch.compile put before the names.
    tensors.set(name.replace(/^(module\.|_orig_mod\.)+/, ''), tensor);
  }
  const weights = splitStateDict(tensors);
  return { ...weights, mixer: updatedMixer(root, [...weights.parameters.keys()]) };
}

/** The optimizer keeps moments of the parameters that were ever updated: those of the mixer that was trained. */
function updatedMixer(root: Dict, names: readonly string[]): Mixer | undefined {
  const saved = root.get('optimizer_state_dict');
  const state = isDict(saved) ? saved.get('state') : undefined;
  const groups = isDict(saved) ? saved.get('param_groups') : undefined;
  const [group] = Array.isArray(groups) ? (groups as readonly PythonValue[]) : [];
  const listed = group !== undefined && isDict(group) ? group.get('params') : undefined;
  const ids = listed instanceof Tuple ? listed.items : listed;
  if (!isDict(state) || !Array.isArray(ids)) return undefined;
  const updated = names.filter((_, i) => state.has((ids as readonly PythonKey[])[i] ?? ''));
  const has = (pattern: RegExp): boolean => updated.some((name) => pattern.test(name));
  const [real, conv] = [has(REAL), has(FALLBACK)];
  return real === conv ? undefined : real ? 'mamba2' : 'conv';
}

const REAL = /_mamba_real\./;
const FALLBACK = /_mamba_fallback\./;

/**
 * The model's sizes, read from the shapes of its weights. Files of the trainer may hold both mixers: `mixer` says which is
 * meant, else the one that was trained, else Mamba-2. Throws SettingsError where they are no weights of the detector.
 */
export function configOf({ parameters, mixer: trained }: DetectorWeights, mixer?: Mixer): DetectorConfig {
  const shape: ShapeOf = (name, ...axes) => {
    const tensor: FloatTensor | undefined = parameters.get(name);
    if (!tensor) throw new SettingsError(`these are no weights of the trainer’s detector: they lack ${name}`);
    if (!axes.includes(tensor.shape.length))
      throw new SettingsError(
        `these are no weights of the trainer’s detector: ${name} has the shape [${tensor.shape.join(', ')}]`,
      );
    return tensor.shape;
  };
  const names = [...parameters.keys()];
  const countOf = (prefix: string): number =>
    names.reduce((count, name) => {
      const index = name.startsWith(`${prefix}.`) ? parseInt(name.slice(prefix.length + 1), 10) : -1;
      return Math.max(count, Number.isNaN(index) ? 0 : index + 1);
    }, 0);
  const has = (wanted: Mixer): boolean =>
    names.some((name) => (wanted === 'mamba2' ? REAL : FALLBACK).test(name));
  const layers = countOf('mamba.layers');
  const chosen = mixer ?? trained ?? (has('mamba2') || layers === 0 ? 'mamba2' : 'conv');
  if (layers > 0 && !has(chosen))
    throw new SettingsError(
      `the weights are not those of the mixer ${chosen}; choose ${chosen === 'conv' ? 'mamba2' : 'conv'}`,
    );
  const [baseChannels = 0, electrodes = 0] = shape('encoder.input_conv.conv.weight', 3);
  const branches = countOf('rescnn.blocks.0.branches');
  const forward = 'mamba.layers.0.forward_mamba';
  return {
    ...PRODUCTION,
    electrodes,
    baseChannels,
    depth: countOf('encoder.encoder_blocks'),
    rescnnBlocks: countOf('rescnn.blocks'),
    kernelSizes: Array.from(
      { length: branches },
      (_, i) => shape(`rescnn.blocks.0.branches.${i}.0.weight`, 3)[2] ?? 0,
    ),
    layers,
    mixer: chosen,
    ...(layers > 0 && chosen === 'mamba2' && mamba2Sizes(shape, `${forward}_real`)),
    ...(layers > 0 && chosen === 'conv' && { convKernel: shape(`${forward}_fallback.weight`, 3)[2] ?? 0 }),
  };
}

/** A tensor's shape, which has one of so many axes. */
type ShapeOf = (name: string, ...axes: number[]) => readonly number[];

function mamba2Sizes(
  shape: ShapeOf,
  block: string,
): Pick<DetectorConfig, 'dState' | 'expand' | 'headdim' | 'convKernel'> {
  const [inner = 0] = shape(`${block}.norm.weight`, 1);
  const [heads = 0] = shape(`${block}.A_log`, 1);
  // Published as [channels, 1, taps]; the command train wrote [channels, taps].
  const conv = shape(`${block}.conv1d.weight`, 2, 3);
  const [mixed = 0, convKernel = 0] = [conv[0], conv.at(-1)];
  const [, width = 0] = shape(`${block}.in_proj.weight`, 2);
  return { dState: (mixed - inner) / 2, expand: inner / width, headdim: inner / heads, convKernel };
}
