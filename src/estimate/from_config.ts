/** The settings of a trainer's configuration that decide memory and time. */
import type { Mixer } from '../models/bimamba';
import { exactly } from '../base/quantity';
import type { Setting } from '../config/settings';
import { withoutGpu, type Platform } from '../config/targets';
import {
  MAIN_BYTES,
  NO_HEAP_RETURNED,
  OTHER_BYTES,
  CORPUS_LENGTHS,
  WHOLE_HEAP_RETURNED,
  wsl2Swap,
} from './ram_facts';
import type { RamMachine, RamOptions, LoaderSettings } from './ram_simulator';
import type { RecordingLengths } from './loader_files';
import { epochWindows, recordingsAt, type Cache, type EpochWindows } from './epoch_windows';
import { stepsPerEpoch } from './time';
import type { VramRun } from './vram/options';

/** The trainer's values by path: the file's, or the defaults. A configuration's settings, or as much of them as is sent to a page. */
export type Values = ReadonlyMap<string, Pick<Setting, 'value'>>;

export interface RunSettings {
  readonly vram: VramRun;
  readonly loader: LoaderSettings;
  readonly epochs: number;
  /** Of early stopping, epochs. */
  readonly patience: number;
  /** Of false alarms, at which each validation scores a sensitivity. */
  readonly rates: number;
  readonly windows: EpochWindows;
  readonly cache: Cache;
}

/** The launcher on Modal forces the convolution; elsewhere mamba-ssm is what the trainer needs CUDA for. */
export const mixerOn = (platform: Platform): Mixer => (platform === 'modal' ? 'conv' : 'mamba2');

/**
 * Settings of the configuration at `path` on a platform; a smoke run takes few recordings. `cache`: what the run finds; left
 * out, what the printed commands leave. Throws RangeError for a key that is no number where one is needed, and for a device of
 * which nothing is predicted.
 */
export function settingsFrom(
  values: Values,
  path: string,
  platform: Platform,
  given: { readonly cache?: Cache | undefined } = {},
): RunSettings {
  const get = (key: string): unknown => values.get(key)?.value;
  const number = (key: string): number => {
    const value = get(key);
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new RangeError(`${key} is ${JSON.stringify(value)}, which is no number`);
    return value;
  };
  const unpredicted = withoutGpu(get('experiment.device'));
  if (unpredicted !== undefined) throw new RangeError(`experiment.device: ${unpredicted}`);
  const kernelSizes = get('model.rescnn.kernel_sizes');
  const rates = get('evaluation.fa_rates');
  const recordings = recordingsAt(path, platform);
  const cache = given.cache ?? recordings.cache;
  return {
    vram: {
      batch: number('training.batch_size'),
      // The trainer knows neither: it drops the keys.
      microBatches: 1,
      checkpointing: false,
      layers: number('model.mamba.n_layers'),
      mixer: mixerOn(platform),
      precision: get('training.mixed_precision') === true ? 'fp16' : 'fp32',
      kernelSizes: Array.isArray(kernelSizes) ? kernelSizes.map(Number) : [],
      convKernel: number('model.mamba.conv_kernel'),
      loss: get('training.loss') === 'focal' ? 'focal' : 'bce',
    },
    loader: {
      batch: number('training.batch_size'),
      workers: number('data.num_workers'),
      prefetchFactor: number('data.prefetch_factor'),
      pinMemory: get('data.pin_memory') === true,
      persistentWorkers: get('data.persistent_workers') === true,
      // The trainer forces it.
      start: 'spawn',
    },
    epochs: number('training.epochs'),
    patience: number('training.early_stopping.patience'),
    rates: Array.isArray(rates) ? rates.length : 0,
    windows: epochWindows({
      ...recordings,
      balanced: get('data.use_balanced_sampling') !== false,
      validationSplit: number('data.validation_split'),
      cache,
    }),
    cache,
  };
}

/** A machine with so much memory, and what else is usual there. */
export function machineOf(platform: Platform, ramBytes: number): RamMachine {
  return {
    ramBytes,
    swap: platform === 'wsl2' ? wsl2Swap(ramBytes) : exactly(0, 'assumed', 'no swap'),
    shmBytes: ramBytes / 2,
    other: OTHER_BYTES[platform],
  };
}

/**
 * Share of runs whose arrays stay in memory. Where the trainer's source says what happens they do not; under WSL2 a run was
 * killed that this does not explain, so half of the runs there are taken to be of its kind.
 */
const ARRAYS_STAY: Readonly<Record<Platform, number>> = { wsl2: 0.5, local: 0, modal: 0 };

/** Windows whose loading is simulated: 1,000 batches of 16, a third of an epoch. */
const SIMULATED = 16_000;
/** And batches, of which small ones would be too many. */
const MAX_BATCHES = 4000;

/** How the loader holds what it reads; what is left out is as is assumed for the platform. */
export interface Reading {
  readonly recordings?: RecordingLengths;
  /** Share of runs in which a window keeps its recording until its batch is put together. */
  readonly arraysStay?: number;
  /** Share of its largest batch that a process does not give back. */
  readonly heapKeeps?: number;
}

export interface RamPlan extends Reading {
  readonly loader: LoaderSettings;
  readonly windows: EpochWindows;
  readonly platform: Platform;
  readonly ramBytes: number;
  /** As likely; decides only how fast batches are taken out of the queue. */
  readonly hoursPerEpoch: number;
}

/** Training of these settings on a machine, for RamSimulator and RamEnsemble. */
export function ramOptions(plan: RamPlan): RamOptions {
  const { platform, arraysStay = ARRAYS_STAY[platform], heapKeeps } = plan;
  const steps = stepsPerEpoch(plan.windows.training, plan.loader.batch);
  const usualHeap = platform === 'wsl2' ? NO_HEAP_RETURNED : WHOLE_HEAP_RETURNED;
  return {
    ...plan.loader,
    machine: machineOf(platform, plan.ramBytes),
    main: MAIN_BYTES,
    recordings: plan.recordings ?? CORPUS_LENGTHS,
    arraysStay,
    heapKeeps: heapKeeps === undefined ? usualHeap : exactly(heapKeeps, 'assumed', 'as chosen here'),
    stepSeconds: (3600 * plan.hoursPerEpoch) / steps,
    batches: Math.min(steps, MAX_BATCHES, Math.ceil(SIMULATED / plan.loader.batch)),
    afterFirstEpoch: true,
  };
}
