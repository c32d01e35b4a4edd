/** A production configuration as a training of this engine: the keys that are live in production, with its defaults. */
import type { Json } from '../checkpoints/state';
import type { Capabilities } from '../engine/plan';
import { SettingsError } from '../run/failure';
import { PRODUCTION_RUN, type EegSettings } from './settings';

/** The value of a setting by its dotted name, as production has it: of the kind that its schema says, or the default. */
export type Setting = (name: string) => unknown;

/** Reads settings as what the schema says they are. */
class Reader {
  constructor(private readonly setting: Setting) {}

  number(name: string): number {
    const value = this.setting(name);
    return typeof value === 'number' ? value : this.#wrong(name, 'a number');
  }

  numbers(name: string): number[] {
    const value = this.setting(name);
    const isList = (list: unknown): list is number[] =>
      Array.isArray(list) && list.every((item) => typeof item === 'number');
    return isList(value) ? value : this.#wrong(name, 'a list of numbers');
  }

  flag(name: string): boolean {
    const value = this.setting(name);
    return typeof value === 'boolean' ? value : this.#wrong(name, 'true or false');
  }

  text(name: string): string {
    const value = this.setting(name);
    return typeof value === 'string' ? value : this.#wrong(name, 'a text');
  }

  choice<T extends string>(name: string, choices: readonly T[]): T {
    const value = this.setting(name);
    return choices.find((choice) => choice === value) ?? this.#wrong(name, `one of ${choices.join(', ')}`);
  }

  #wrong(name: string, expected: string): never {
    throw new SettingsError(`${name} is ${JSON.stringify(this.setting(name))}, here it must be ${expected}`);
  }
}

export interface ProductionTraining {
  readonly settings: EegSettings;
  /** data.data_dir */
  readonly dataDir: string | undefined;
}

/** The settings as this device can train them, and what is to be said where that is not production's mixed precision. */
export function fitted(
  settings: EegSettings,
  { half }: Pick<Capabilities, 'half'>,
): { readonly settings: EegSettings; readonly told: string | null } {
  if (settings.precision === 'float32' || half) return { settings, told: null };
  return {
    settings: { ...settings, precision: 'float32' },
    told: 'training.mixed_precision is true, and this device has no shader-f16: activations are stored in float32',
  };
}

/** Throws SettingsError for what production's schema takes, but neither its trainer nor this one can train with. */
export function fromProduction(setting: Setting): ProductionTraining {
  const read = new Reader(setting);
  // Others validate in production, and crash there when the data is loaded.
  read.choice('training.optimizer', ['adamw']);
  read.choice('training.scheduler.type', ['cosine']);
  const base = PRODUCTION_RUN;
  const workers = read.number('data.num_workers');
  const post = 'postprocessing';
  return {
    dataDir: read.text('data.data_dir'),
    settings: {
      ...base,
      model: {
        ...base.model,
        kernelSizes: read.numbers('model.rescnn.kernel_sizes'),
        layers: read.number('model.mamba.n_layers'),
        convKernel: read.number('model.mamba.conv_kernel'),
        dropout: read.number('model.mamba.dropout'),
      },
      seed: read.number('experiment.seed'),
      epochs: read.number('training.epochs'),
      batch: read.number('training.batch_size'),
      learningRate: read.number('training.learning_rate'),
      weightDecay: read.number('training.weight_decay'),
      clip: read.number('training.gradient_clip'),
      warmupRatio: read.number('training.scheduler.warmup_ratio'),
      precision: read.flag('training.mixed_precision') ? 'float16' : 'float32',
      loss: read.choice('training.loss', ['bce', 'focal']),
      focalAlpha: read.number('training.focal_alpha'),
      focalGamma: read.number('training.focal_gamma'),
      split: 'file',
      validationSplit: read.number('data.validation_split'),
      balanced: read.flag('data.use_balanced_sampling'),
      workers,
      prefetch: read.number('data.prefetch_factor'),
      // Production ignores it without workers.
      persistentWorkers: workers > 0 && read.flag('data.persistent_workers'),
      falseAlarmRates: read.numbers('evaluation.fa_rates'),
      earlyStopping: {
        metric: metricNamed(read.text('training.early_stopping.metric')),
        mode: read.choice('training.early_stopping.mode', ['max', 'min']),
        patience: read.number('training.early_stopping.patience'),
      },
      postprocessing: {
        tau_on: read.number(`${post}.hysteresis.tau_on`),
        tau_off: read.number(`${post}.hysteresis.tau_off`),
        min_onset_samples: read.number(`${post}.hysteresis.min_onset_samples`),
        min_offset_samples: read.number(`${post}.hysteresis.min_offset_samples`),
        opening_kernel: read.number(`${post}.morphology.opening_kernel`),
        closing_kernel: read.number(`${post}.morphology.closing_kernel`),
        min_duration_s: read.number(`${post}.duration.min_duration_s`),
        max_duration_s: read.number(`${post}.duration.max_duration_s`),
        tau_merge: read.number(`${post}.events.tau_merge`),
        confidence_method: read.choice(`${post}.events.confidence_method`, ['mean', 'peak', 'percentile']),
      },
    },
  };
}

/** Production writes rates that it read from a list as floats: `sensitivity_at_10.0fa` is the one at 10. */
const metricNamed = (name: string): string => name.replace(/\.0fa$/, 'fa');
const metricInProduction = (name: string): string => name.replace(/(_at_\d+)fa$/, '$1.0fa');

/** The same as production's configuration, as far as this engine knows it: what a checkpoint for it carries. */
export function toProduction(settings: EegSettings): Json {
  const { model, postprocessing: post, earlyStopping } = settings;
  return {
    experiment: { seed: settings.seed },
    data: {
      validation_split: settings.validationSplit,
      use_balanced_sampling: settings.balanced,
      num_workers: settings.workers,
      prefetch_factor: settings.prefetch,
      persistent_workers: settings.persistentWorkers,
    },
    model: {
      rescnn: { kernel_sizes: model.kernelSizes },
      mamba: { n_layers: model.layers, conv_kernel: model.convKernel, dropout: model.dropout },
    },
    training: {
      epochs: settings.epochs,
      batch_size: settings.batch,
      learning_rate: settings.learningRate,
      weight_decay: settings.weightDecay,
      gradient_clip: settings.clip,
      optimizer: 'adamw',
      mixed_precision: settings.precision === 'float16',
      loss: settings.loss,
      focal_alpha: settings.focalAlpha,
      focal_gamma: settings.focalGamma,
      scheduler: { type: 'cosine', warmup_ratio: settings.warmupRatio },
      early_stopping: {
        metric: metricInProduction(earlyStopping.metric),
        patience: earlyStopping.patience,
        mode: earlyStopping.mode,
      },
    },
    evaluation: { fa_rates: settings.falseAlarmRates },
    postprocessing: {
      hysteresis: {
        tau_on: post.tau_on,
        tau_off: post.tau_off,
        min_onset_samples: post.min_onset_samples,
        min_offset_samples: post.min_offset_samples,
      },
      morphology: { opening_kernel: post.opening_kernel, closing_kernel: post.closing_kernel },
      duration: { min_duration_s: post.min_duration_s, max_duration_s: post.max_duration_s },
      events: { tau_merge: post.tau_merge, confidence_method: post.confidence_method },
    },
  };
}
