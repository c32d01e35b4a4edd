/** What the page predicts from: a configuration and a machine as plain values, and what a person changes of them. */
import { BYTES, type Float } from '../../../estimate/vram/tape';
import type { VramRun } from '../../../estimate/vram/options';
import { MIXERS, type Mixer } from '../../../models/bimamba';
import type { Change } from '../../../production/change';
import { PyDate } from '../../../production/plain';
import { readConfig } from '../../../production/pyyaml';
import { settingAt } from '../../../production/schema';
import type { TargetName } from '../../../production/targets';

/** Where production's trainer runs. */
export type Place = Exclude<TargetName, 'browser'>;

export interface Setup extends VramRun {
  /** data.num_workers */
  readonly workers: number;
  /** data.prefetch_factor */
  readonly prefetch: number;
  readonly pinMemory: boolean;
  readonly persistentWorkers: boolean;
  readonly epochs: number;
  /** training.early_stopping.patience, epochs. */
  readonly patience: number;
  readonly balanced: boolean;
  /** Share of the recordings that validation reads. */
  readonly validationSplit: number;
}

/** A file that cannot be estimated; the message is a sentence. */
export class SetupError extends Error {
  override name = 'SetupError';
}

/**
 * The setup of a configuration's text. Where mamba_ssm is installed the trainer trains Mamba-2; on Modal its launcher forces
 * the convolution. Throws SetupError where production would not take the file's numbers.
 */
export function setupOf(text: string, place: Place): Setup {
  const { value, refusals } = readConfig(text);
  if (value === undefined)
    throw new SetupError(`The file cannot be read: ${refusals[0]?.message ?? 'it is empty'}.`);
  const at = (path: string): unknown => settingAt(value, path);
  const refuse = (path: string, wanted: string): never => {
    const found = at(path);
    const shown = found instanceof PyDate ? found.text : JSON.stringify(found);
    throw new SetupError(`${path} is ${shown}, which is no ${wanted}: nothing can be said of this file.`);
  };
  const number = (path: string): number => {
    const found = at(path);
    return typeof found === 'number' && Number.isFinite(found) ? found : refuse(path, 'number');
  };
  const flag = (path: string): boolean => {
    const found = at(path);
    return typeof found === 'boolean' ? found : refuse(path, 'truth value');
  };
  const sizes = at('model.rescnn.kernel_sizes');
  const mixer: Mixer = place === 'modal' ? 'conv' : 'mamba2';
  const convKernel = number('model.mamba.conv_kernel');
  return {
    batch: number('training.batch_size'),
    microBatches: 1,
    checkpointing: false,
    layers: number('model.mamba.n_layers'),
    mixer,
    precision: flag('training.mixed_precision') ? 'fp16' : 'fp32',
    kernelSizes:
      Array.isArray(sizes) && sizes.every((size) => typeof size === 'number')
        ? sizes
        : refuse('model.rescnn.kernel_sizes', 'list of numbers'),
    convKernel,
    loss: at('training.loss') === 'bce' ? 'bce' : 'focal',
    workers: number('data.num_workers'),
    prefetch: number('data.prefetch_factor'),
    pinMemory: flag('data.pin_memory'),
    persistentWorkers: flag('data.persistent_workers'),
    epochs: number('training.epochs'),
    patience: number('training.early_stopping.patience'),
    balanced: flag('data.use_balanced_sampling'),
    validationSplit: number('data.validation_split'),
  };
}

/** Keys of production's that say what a field of the setup says, and the text of a value. */
const KEYS = {
  batch: { path: 'training.batch_size', text: String },
  layers: { path: 'model.mamba.n_layers', text: String },
  precision: { path: 'training.mixed_precision', text: (precision: Float) => String(precision !== 'fp32') },
  workers: { path: 'data.num_workers', text: String },
  prefetch: { path: 'data.prefetch_factor', text: String },
  pinMemory: { path: 'data.pin_memory', text: String },
  persistentWorkers: { path: 'data.persistent_workers', text: String },
  epochs: { path: 'training.epochs', text: String },
} as const satisfies {
  [K in keyof Setup]?: { readonly path: string; readonly text: (value: Setup[K]) => string };
};

type Written = keyof typeof KEYS;
const WRITTEN = Object.keys(KEYS) as Written[];

/** Fields that differ from the configuration's own. */
export const changedFields = (base: Setup, now: Setup): (keyof Setup)[] =>
  (Object.keys(base) as (keyof Setup)[]).filter(
    (field) => JSON.stringify(base[field]) !== JSON.stringify(now[field]),
  );

const changeTo = <K extends Written>(field: K, now: Setup): Change => {
  const { path, text } = KEYS[field] as { readonly path: string; readonly text: (value: Setup[K]) => string };
  return { path, value: text(now[field]), reason: 'chosen under “Will it fit?”' };
};

/** What a file has to say for the trainer to do what the page shows, as far as the trainer knows a key for it. */
export const changesOf = (base: Setup, now: Setup): Change[] =>
  WRITTEN.filter((field) => changedFields(base, now).includes(field)).map((field) => changeTo(field, now));

/** Changed fields that no key of production's says. */
export const unwritten = (base: Setup, now: Setup): (keyof Setup)[] =>
  changedFields(base, now).filter((field) => !(field in KEYS));

/** The part of it that decides the GPU's memory. */
export const vramRunOf = ({
  batch,
  microBatches,
  checkpointing,
  layers,
  mixer,
  precision,
  kernelSizes,
  convKernel,
  loss,
}: Setup): VramRun => ({
  batch,
  microBatches,
  checkpointing,
  layers,
  mixer,
  precision,
  kernelSizes,
  convKernel,
  loss,
});

export const isMixer = (text: string): text is Mixer => (MIXERS as readonly string[]).includes(text);
export const isPrecision = (text: string): text is Float => text !== 'bool' && Object.hasOwn(BYTES, text);
