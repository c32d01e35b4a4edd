/** What a training on EEG is made of; plain data, so that it can be sent, kept and compared. */
import { FALSE_ALARM_RATES } from '../eeg/scores/evaluate';
import { checkPostprocessing, DEFAULT_POSTPROCESSING, type Postprocessing } from '../eeg/events/postprocess';
import type { Device } from '../engine/device';
import type { Mixer } from '../models/bimamba';
import { PRODUCTION, type DetectorConfig } from '../models/detector';
import { SettingsError } from '../run/failure';

export interface EegModelSettings {
  /** Channels of the first stage: 64 in production; `auto` takes what the device trains at a bearable speed. */
  readonly baseChannels: number | 'auto';
  readonly mixer: Mixer;
  /** Odd; a branch of the residual blocks for each. */
  readonly kernelSizes: readonly number[];
  readonly layers: number;
  readonly convKernel: number;
  readonly dropout: number;
}

export interface EegSettings {
  readonly model: EegModelSettings;
  readonly seed: number;
  readonly epochs: number;
  /** Windows of one update. */
  readonly batch: number;
  /** In how many parts an update's windows pass through the GPU. */
  readonly microBatches: number;
  readonly learningRate: number;
  readonly weightDecay: number;
  readonly clip: number;
  readonly warmupRatio: number;
  readonly loss: 'bce' | 'focal';
  readonly focalAlpha: number;
  readonly focalGamma: number;
  readonly split: 'patient' | 'file';
  /** Share of the recordings that is held out. */
  readonly validationSplit: number;
  readonly balanced: boolean;
  /** Updates of an epoch at most, for a smoke run; null takes all windows. */
  readonly stepsPerEpoch: number | null;
  /** Updates of the whole run at most; null for as many as the epochs have. */
  readonly mostSteps: number | null;
  /** data.num_workers: threads that read windows; with 0 the one that trains does. */
  readonly workers: number;
  /** data.prefetch_factor: batches that each of them reads ahead. */
  readonly prefetch: number;
  /** data.persistent_workers: whether they, and what they hold in memory, outlive an epoch. */
  readonly persistentWorkers: boolean;
  /** Whether prepared recordings are kept on disk for the next time. */
  readonly cache: boolean;
  /** Seconds between two validated windows: 10 in production. */
  readonly validationStride: number;
  /** False alarms in 24 h at which the sensitivity is given. */
  readonly falseAlarmRates: readonly number[];
  readonly earlyStopping: {
    /** One of `metricsOf`; what is none of them reads 0 after each epoch, as in production. */
    readonly metric: string;
    /** Whether more of it is better, or less. */
    readonly mode: 'max' | 'min';
    /** Epochs without a better one. */
    readonly patience: number;
  };
  readonly postprocessing: Postprocessing;
  /**
   * How activations and their gradients are stored: float16 needs shader-f16, and has a loss scale. Sums, weights and moments
   * are float32 either way.
   */
  readonly precision: 'float32' | 'float16';
  /** Computes what the backward pass needs again instead of keeping it. */
  readonly checkpointing: boolean;
  /** When the state is kept, besides after each epoch, at a pause and at the end; null: not by that. */
  readonly checkpoints: { readonly everySteps: number | null; readonly everyMinutes: number | null };
  /** Bytes that the run may ask the GPU for; null where only the device says no. */
  readonly memoryLimit: number | null;
}

/** The scores by which a run may be stopped early and its best epoch be chosen. */
export const metricsOf = ({ falseAlarmRates }: Pick<EegSettings, 'falseAlarmRates'>): string[] => [
  'auroc',
  'taes',
  ...falseAlarmRates.map((rate) => `sensitivity_at_${rate}fa`),
];

/** Production's run, as far as it is the same everywhere. */
export const PRODUCTION_RUN: EegSettings = {
  model: {
    baseChannels: PRODUCTION.baseChannels,
    mixer: PRODUCTION.mixer,
    kernelSizes: PRODUCTION.kernelSizes,
    layers: PRODUCTION.layers,
    convKernel: PRODUCTION.convKernel,
    dropout: PRODUCTION.dropout,
  },
  seed: 42,
  epochs: 100,
  batch: 8,
  microBatches: 1,
  learningRate: 3e-4,
  weightDecay: 0.05,
  clip: 1,
  warmupRatio: 0.03,
  loss: 'focal',
  focalAlpha: 0.5,
  focalGamma: 2,
  split: 'patient',
  validationSplit: 0.2,
  balanced: true,
  stepsPerEpoch: null,
  mostSteps: null,
  workers: 0,
  prefetch: 2,
  persistentWorkers: false,
  cache: true,
  validationStride: 10,
  falseAlarmRates: FALSE_ALARM_RATES,
  earlyStopping: { metric: 'sensitivity_at_10fa', mode: 'max', patience: 5 },
  postprocessing: DEFAULT_POSTPROCESSING,
  precision: 'float32',
  checkpointing: false,
  checkpoints: { everySteps: null, everyMinutes: 5 },
  memoryLimit: null,
};

/** A smoke run: the same arithmetic on a narrow model, a few minutes on a laptop. */
export const SMOKE_RUN: EegSettings = {
  ...PRODUCTION_RUN,
  model: { ...PRODUCTION_RUN.model, baseChannels: 'auto', layers: 2 },
  epochs: 4,
  batch: 4,
  learningRate: 1e-3,
  stepsPerEpoch: 24,
  validationStride: 30,
  earlyStopping: { metric: 'auroc', mode: 'max', patience: 5 },
};

/** Settings that were stored, perhaps by a version before this one, which knew fewer of them. Throws SettingsError. */
export function storedSettings(text: string): EegSettings {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    stored = undefined;
  }
  if (typeof stored !== 'object' || stored === null || !('model' in stored && 'batch' in stored))
    throw new SettingsError('the checkpoint does not hold the settings of a run on EEG');
  const read = stored as Partial<EegSettings>;
  const settings: EegSettings = {
    ...PRODUCTION_RUN,
    ...read,
    model: { ...PRODUCTION_RUN.model, ...read.model },
    earlyStopping: { ...PRODUCTION_RUN.earlyStopping, ...read.earlyStopping },
    postprocessing: { ...PRODUCTION_RUN.postprocessing, ...read.postprocessing },
    checkpoints: { ...PRODUCTION_RUN.checkpoints, ...read.checkpoints },
  };
  checkSettings(settings);
  return settings;
}

/** The model's sizes once its width is known. Heads are narrower than production's 64 where the model is. */
export function detectorConfigOf(model: EegModelSettings, baseChannels: number): DetectorConfig {
  const inner = PRODUCTION.expand * baseChannels * 2 ** (PRODUCTION.depth - 1);
  return { ...PRODUCTION, ...model, baseChannels, headdim: Math.min(PRODUCTION.headdim, inner) };
}

/** Throws SettingsError where the run needs what the device has not. */
export function checkDevice(
  { precision }: Pick<EegSettings, 'precision'>,
  { adapter, capabilities }: Pick<Device, 'adapter' | 'capabilities'>,
): void {
  if (precision === 'float16' && !capabilities.half)
    throw new SettingsError(
      `float16 needs the feature shader-f16, which ${adapter.description || 'this GPU'} has not; take float32`,
    );
}

/** Throws SettingsError with what is wrong and what it may be. */
export function checkSettings(settings: EegSettings): void {
  const whole = (name: string, value: number, least: number, most: number): void => {
    if (!Number.isInteger(value) || value < least || value > most)
      throw new SettingsError(`${name} is a whole number from ${least} to ${most}, it is ${value}`);
  };
  const within = (name: string, value: number, least: number, most: number): void => {
    if (!(value >= least && value <= most))
      throw new SettingsError(`${name} is a number from ${least} to ${most}, it is ${value}`);
  };
  const { model, batch, microBatches, earlyStopping } = settings;
  if (model.baseChannels !== 'auto') {
    whole('the base width', model.baseChannels, 2, 256);
    if (model.baseChannels % 2 !== 0)
      throw new SettingsError(`the base width must be even, it is ${model.baseChannels}`);
  }
  whole('the number of layers', model.layers, 1, 12);
  whole('conv_kernel', model.convKernel, 2, 9);
  whole('the number of kernel sizes', model.kernelSizes.length, 1, 8);
  for (const kernel of model.kernelSizes) {
    whole('a kernel size', kernel, 3, 11);
    if (kernel % 2 === 0) throw new SettingsError(`a kernel size must be odd, it is ${kernel}`);
  }
  within('dropout', model.dropout, 0, 0.5);
  whole('the seed', settings.seed, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  whole('epochs', settings.epochs, 1, 200);
  whole('the batch size', batch, 1, 256);
  whole('the number of micro-batches', microBatches, 1, batch);
  if (batch % microBatches !== 0)
    throw new SettingsError(`a batch of ${batch} windows cannot be divided into ${microBatches} equal parts`);
  within('the learning rate', settings.learningRate, 1e-6, 1e-2);
  within('weight decay', settings.weightDecay, 0, 0.2);
  within('gradient clipping', settings.clip, 0, 1e6);
  within('the warm-up ratio', settings.warmupRatio, 0, 0.5);
  within('focal alpha', settings.focalAlpha, 0, 1);
  within('focal gamma', settings.focalGamma, 0, 10);
  within('the share held out', settings.validationSplit, 0, 0.5);
  if (settings.stepsPerEpoch !== null) whole('steps of an epoch', settings.stepsPerEpoch, 1, 1e9);
  if (settings.mostSteps !== null) whole('steps of a run', settings.mostSteps, 1, 1e9);
  whole('seconds between validated windows', settings.validationStride, 1, 60);
  whole('the number of workers', settings.workers, 0, 32);
  whole('batches read ahead', settings.prefetch, 2, 64);
  if (settings.persistentWorkers && settings.workers === 0)
    throw new SettingsError('persistent workers need at least one worker');
  const { everySteps, everyMinutes } = settings.checkpoints;
  if (everySteps !== null) whole('updates between two checkpoints', everySteps, 1, 1e9);
  if (everyMinutes !== null) within('minutes between two checkpoints', everyMinutes, 0.01, 1e6);
  if (settings.memoryLimit !== null) within('the memory limit', settings.memoryLimit, 1, 1e15);
  whole('the number of false-alarm rates', settings.falseAlarmRates.length, 0, 20);
  for (const rate of settings.falseAlarmRates) within('a false-alarm rate', rate, 0, 1e6);
  whole('patience', earlyStopping.patience, 1, 50);
  try {
    checkPostprocessing(settings.postprocessing);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SettingsError(error.message);
  }
}
