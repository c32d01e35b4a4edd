/** A production configuration as a training of this engine: the keys that are live in production, with its defaults. */
import type { Json } from '../../checkpoints/state';
import { SettingsError } from '../failure';
import { METRICS, PRODUCTION_RUN, type EegSettings } from './settings';

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Reads values of a parsed YAML file by their dotted names; errors name them. */
class Reader {
  constructor(private readonly root: Mapping) {}

  #at(name: string): unknown {
    return name
      .split('.')
      .reduce<unknown>((value, key) => (isMapping(value) ? value[key] : undefined), this.root);
  }

  /** Numbers may be given as strings, as production accepts them (PyYAML reads 3e-4 as one). */
  number(name: string, fallback: number): number {
    const value = this.#at(name) ?? fallback;
    const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
    if (typeof number !== 'number' || !Number.isFinite(number)) throw this.#wrong(name, value, 'a number');
    return number;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#at(name) ?? fallback;
    if (typeof value !== 'boolean') throw this.#wrong(name, value, 'true or false');
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.#at(name) ?? fallback;
    const found = choices.find((choice) => choice === value);
    if (found === undefined) throw this.#wrong(name, value, `one of ${choices.join(', ')}`);
    return found;
  }

  text(name: string): string | undefined {
    const value = this.#at(name);
    return typeof value === 'string' ? value : undefined;
  }

  section(name: string): boolean {
    return isMapping(this.#at(name));
  }

  #wrong(name: string, value: unknown, expected: string): SettingsError {
    return new SettingsError(`${name} is ${JSON.stringify(value)}, it must be ${expected}`);
  }
}

export interface ProductionTraining {
  readonly settings: EegSettings;
  /** data.data_dir */
  readonly dataDir: string | undefined;
}

/**
 * `config`: what a YAML parser made of the file. Throws SettingsError for a missing section, a value of the wrong kind, and
 * what validates in production but crashes there.
 */
export function fromProduction(config: unknown): ProductionTraining {
  if (!isMapping(config)) throw new SettingsError('the configuration is no mapping of sections');
  const read = new Reader(config);
  for (const name of ['data', 'model', 'training', 'postprocessing'])
    if (!read.section(name)) throw new SettingsError(`the section ${name} is missing`);
  read.choice('training.optimizer', ['adamw'], 'adamw');
  read.choice('training.scheduler.type', ['cosine'], 'cosine');
  read.choice('training.early_stopping.mode', ['max'], 'max');
  const base = PRODUCTION_RUN;
  const post = base.postprocessing;
  const at = 'postprocessing';
  return {
    dataDir: read.text('data.data_dir'),
    settings: {
      ...base,
      model: {
        ...base.model,
        layers: read.number('model.mamba.n_layers', base.model.layers),
        convKernel: read.number('model.mamba.conv_kernel', base.model.convKernel),
        dropout: read.number('model.mamba.dropout', base.model.dropout),
      },
      seed: read.number('experiment.seed', base.seed),
      epochs: read.number('training.epochs', 1),
      batch: read.number('training.batch_size', 16),
      learningRate: read.number('training.learning_rate', 3e-4),
      weightDecay: read.number('training.weight_decay', 0.05),
      clip: read.number('training.gradient_clip', 1),
      warmupRatio: read.number('training.scheduler.warmup_ratio', 0.1),
      loss: read.choice('training.loss', ['bce', 'focal'], 'bce'),
      focalAlpha: read.number('training.focal_alpha', 0.5),
      focalGamma: read.number('training.focal_gamma', 2),
      split: 'file',
      validationSplit: read.number('data.validation_split', 0.2),
      balanced: read.flag('data.use_balanced_sampling', true),
      workers: read.number('data.num_workers', 0),
      prefetch: read.number('data.prefetch_factor', 2),
      persistentWorkers: read.flag('data.persistent_workers', false),
      earlyStopping: {
        metric: metricNamed(read.text('training.early_stopping.metric') ?? 'sensitivity_at_10fa'),
        patience: read.number('training.early_stopping.patience', 5),
      },
      postprocessing: {
        ...post,
        tau_on: read.number(`${at}.hysteresis.tau_on`, post.tau_on),
        tau_off: read.number(`${at}.hysteresis.tau_off`, post.tau_off),
        min_onset_samples: read.number(`${at}.hysteresis.min_onset_samples`, post.min_onset_samples),
        min_offset_samples: read.number(`${at}.hysteresis.min_offset_samples`, post.min_offset_samples),
        opening_kernel: read.number(`${at}.morphology.opening_kernel`, post.opening_kernel),
        closing_kernel: read.number(`${at}.morphology.closing_kernel`, post.closing_kernel),
        min_duration_s: read.number(`${at}.duration.min_duration_s`, post.min_duration_s),
        max_duration_s: read.number(`${at}.duration.max_duration_s`, post.max_duration_s),
        tau_merge: read.number(`${at}.events.tau_merge`, post.tau_merge),
        confidence_method: read.choice(
          `${at}.events.confidence_method`,
          ['mean', 'peak', 'percentile'],
          post.confidence_method,
        ),
      },
    },
  };
}

/** Production writes rates that it read from a list as floats: `sensitivity_at_10.0fa` is the one at 10. */
function metricNamed(name: string): EegSettings['earlyStopping']['metric'] {
  const metric = METRICS.find((known) => known === name.replace(/\.0fa$/, 'fa'));
  if (!metric)
    throw new SettingsError(
      `training.early_stopping.metric is ${JSON.stringify(name)}; known are ${METRICS.join(', ')}`,
    );
  return metric;
}

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
    model: { mamba: { n_layers: model.layers, conv_kernel: model.convKernel, dropout: model.dropout } },
    training: {
      epochs: settings.epochs,
      batch_size: settings.batch,
      learning_rate: settings.learningRate,
      weight_decay: settings.weightDecay,
      gradient_clip: settings.clip,
      optimizer: 'adamw',
      loss: settings.loss,
      focal_alpha: settings.focalAlpha,
      focal_gamma: settings.focalGamma,
      scheduler: { type: 'cosine', warmup_ratio: settings.warmupRatio },
      early_stopping: { metric: earlyStopping.metric, patience: earlyStopping.patience, mode: 'max' },
    },
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
