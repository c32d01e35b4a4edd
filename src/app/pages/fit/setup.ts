/** What the page predicts from: a configuration and a machine as plain values, and what a person changes of them. */
import { settingsFrom, type RunSettings } from '../../../estimate/from_config';
import type { EpochWindows } from '../../../estimate/time';
import { BYTES, type Float } from '../../../estimate/vram/tape';
import type { VramRun } from '../../../estimate/vram/options';
import { MIXERS, type Mixer } from '../../../models/bimamba';
import type { Change } from '../../../config/change';
import { readConfig } from '../../../config/pyyaml';
import { settingAt } from '../../../config/schema';
import type { Platform } from '../../../config/targets';

export type Place = Platform;

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
  /** Of an epoch. */
  readonly windows: EpochWindows;
}

/**
 * The setup of a configuration's text; `path` is its name, which the launcher on Modal reads meaning into. Throws RangeError
 * where the file cannot be read or a key of it is no number.
 */
export function setupOf(text: string, path: string, place: Place): Setup {
  const { value, refusals } = readConfig(text);
  if (value === undefined)
    throw new RangeError(`the file cannot be read: ${refusals[0]?.message ?? 'it is empty'}`);
  const settings = settingsFrom((key) => settingAt(value, key), path, place);
  const { vram, loader, epochs, patience, windows } = settings;
  return {
    ...vram,
    workers: loader.workers,
    prefetch: loader.prefetchFactor,
    pinMemory: loader.pinMemory,
    persistentWorkers: loader.persistentWorkers,
    epochs,
    patience,
    windows,
  };
}

/** The setup as the estimator takes it. */
export const settingsOf = (setup: Setup): RunSettings => ({
  vram: vramRunOf(setup),
  loader: {
    batch: setup.batch,
    workers: setup.workers,
    prefetchFactor: setup.prefetch,
    pinMemory: setup.pinMemory,
    persistentWorkers: setup.persistentWorkers && setup.workers > 0,
    // The trainer forces it.
    start: 'spawn',
  },
  epochs: setup.epochs,
  patience: setup.patience,
  windows: setup.windows,
});

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
  return { path, value: text(now[field]), reason: 'chosen under “Resources & cost”' };
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

/** Of changes those that a file does not say by itself. */
export const remaining = (base: Setup, changes: Partial<Setup>): Partial<Setup> =>
  Object.fromEntries(
    Object.entries(changes).filter(([field, value]) => base[field as keyof Setup] !== value),
  );
