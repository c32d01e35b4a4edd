/** Every key of production's configuration: what it may be, what it does there. Read in its source at 2025-09-21. */

import type { PyValue } from './plain';

/** live changes training; half see `why`; dead is accepted and never read. */
export type Effect = 'live' | 'half' | 'dead';

export type Kind =
  | {
      readonly type: 'int' | 'float';
      readonly least?: number;
      readonly most?: number;
      readonly above?: number;
      readonly below?: number;
    }
  | { readonly type: 'fixed'; readonly value: number | readonly number[] }
  | { readonly type: 'bool' }
  | { readonly type: 'text' }
  | { readonly type: 'choice'; readonly of: readonly (string | number)[] }
  | { readonly type: 'odd'; readonly least: number; readonly most?: number }
  | { readonly type: 'list'; readonly item: Kind; readonly length?: number }
  /** Two numbers that rise. */
  | { readonly type: 'band'; readonly least: number; readonly most: number };

export interface Key {
  /** Section and name, joined with dots. */
  readonly path: string;
  readonly kind: Kind;
  readonly fallback: PyValue;
  readonly nullable?: boolean;
  readonly unit?: string;
  readonly effect: Effect;
  readonly description: string;
  /** Why it is half or dead. */
  readonly why?: string;
}

type More = Partial<Pick<Key, 'unit' | 'why' | 'nullable'>>;

const key = (
  effect: Effect,
  path: string,
  kind: Kind,
  fallback: PyValue,
  description: string,
  more: More = {},
): Key => ({ effect, path, kind, fallback, description, ...more });
const live = (path: string, kind: Kind, fallback: PyValue, description: string, more?: More): Key =>
  key('live', path, kind, fallback, description, more);
const dead = (path: string, kind: Kind, fallback: PyValue, description: string, more: More = {}): Key =>
  key('dead', path, kind, fallback, description, { why: 'accepted and never read', ...more });
const half = (path: string, kind: Kind, fallback: PyValue, description: string, why: string): Key =>
  key('half', path, kind, fallback, description, { why });

const int = (least: number, most?: number): Kind => ({
  type: 'int',
  least,
  ...(most !== undefined && { most }),
});
const float = (least: number, most?: number): Kind => ({
  type: 'float',
  least,
  ...(most !== undefined && { most }),
});
const above = (bound: number): Kind => ({ type: 'float', above: bound });
const fixed = (value: number | readonly number[]): Kind => ({ type: 'fixed', value });
const choice = (...of: (string | number)[]): Kind => ({ type: 'choice', of });
const list = (item: Kind, length?: number): Kind => ({
  type: 'list',
  item,
  ...(length !== undefined && { length }),
});
const odd = (least: number, most?: number): Kind => ({
  type: 'odd',
  least,
  ...(most !== undefined && { most }),
});
const bool: Kind = { type: 'bool' };
const text: Kind = { type: 'text' };
const number: Kind = { type: 'float' };

const PREPROCESSING = { why: 'the signal path is fixed in code: 0.5–120 Hz, notch 60 Hz, z-score' };

/** Sections that a file must have: the others have defaults throughout. */
export const REQUIRED_SECTIONS = ['data', 'model', 'training', 'postprocessing'] as const;

export const KEYS: readonly Key[] = [
  dead('data.dataset', choice('tuh_eeg', 'chb_mit'), 'tuh_eeg', 'corpus'),
  live('data.data_dir', text, 'data', 'every EDF file below it; replaced on Modal'),
  live(
    'data.cache_dir',
    text,
    'cache/data',
    'train/ and val/ below it hold one compressed array a recording',
  ),
  live(
    'data.use_balanced_sampling',
    bool,
    true,
    'all partly seizing windows, 0.3 times fully, 2.5 times without',
  ),
  live('data.sampling_rate', fixed(256), 256, 'of the prepared signal', { unit: 'Hz' }),
  live('data.n_channels', fixed(19), 19, 'electrodes'),
  live('data.window_size', fixed(60), 60, 'length of a window', { unit: 's' }),
  live('data.stride', fixed(10), 10, 'from one window to the next', { unit: 's' }),
  live('data.num_workers', int(0, 32), 0, 'processes that read windows'),
  live('data.pin_memory', bool, false, 'page-locked batches'),
  live('data.persistent_workers', bool, false, 'workers outlive an epoch; needs num_workers > 0'),
  live('data.prefetch_factor', int(2), 2, 'batches that each worker reads ahead; only with num_workers > 0'),
  live('data.validation_split', float(0, 0.5), 0.2, 'share of the files, by sorted path, that is held out'),
  dead('data.max_samples', int(1), null, 'limit of windows', { nullable: true }),
  dead('data.max_hours', above(0), null, 'limit of hours', { nullable: true }),
  dead('preprocessing.montage', choice('10-20', 'standard_1020'), '10-20', 'montage', PREPROCESSING),
  dead(
    'preprocessing.bandpass',
    { type: 'band', least: 0.1, most: 200 },
    [0.5, 120],
    'edges of the band-pass',
    {
      unit: 'Hz',
      ...PREPROCESSING,
    },
  ),
  dead('preprocessing.notch_freq', choice(50, 60), 60, 'line noise', { unit: 'Hz', ...PREPROCESSING }),
  dead('preprocessing.normalize', bool, true, 'z-score by channel', PREPROCESSING),
  dead('preprocessing.use_mne', bool, true, 'library', PREPROCESSING),
  live('model.name', choice('seizure_detector'), 'seizure_detector', 'architecture'),
  live('model.encoder.stages', fixed(4), 4, 'stages of the U-Net'),
  live('model.encoder.channels', fixed([64, 128, 256, 512]), [64, 128, 256, 512], 'widths of the stages'),
  live('model.encoder.downsample_factor', fixed(2), 2, 'between two stages'),
  dead('model.encoder.kernel_size', int(3, 9), 5, 'kernel of the encoder', { why: 'always 5, the first 7' }),
  live('model.rescnn.n_blocks', fixed(3), 3, 'residual blocks'),
  live('model.rescnn.kernel_sizes', list(odd(3, 11)), [3, 5, 7], 'kernels of a residual block’s branches'),
  dead('model.rescnn.dropout', float(0, 0.5), 0.1, 'dropout', {
    why: 'model.mamba.dropout is used for both',
  }),
  live('model.mamba.n_layers', int(1, 12), 6, 'bidirectional layers'),
  live('model.mamba.d_model', fixed(512), 512, 'width of the layers'),
  live('model.mamba.d_state', fixed(16), 16, 'states a head'),
  half(
    'model.mamba.conv_kernel',
    int(3, 9),
    5,
    'kernel of the mixer’s convolution',
    'the CUDA operator takes 2 to 4, and 5 becomes 4 with one warning; the fallback breaks on even kernels',
  ),
  live('model.mamba.dropout', float(0, 0.5), 0.1, 'of the layers and the residual blocks'),
  live('model.decoder.stages', fixed(4), 4, 'stages of the decoder'),
  dead('model.decoder.kernel_size', int(2, 8), 2, 'kernel of the upsampling', { why: 'always 2' }),
  live(
    'postprocessing.hysteresis.tau_on',
    float(0.5, 1),
    0.86,
    'probability at which an event begins; above tau_off',
  ),
  live('postprocessing.hysteresis.tau_off', float(0.5, 1), 0.78, 'probability at which it ends'),
  live('postprocessing.hysteresis.min_onset_samples', int(1), 128, 'above tau_on before it begins', {
    unit: 'samples',
  }),
  live('postprocessing.hysteresis.min_offset_samples', int(1), 256, 'below tau_off before it ends', {
    unit: 'samples',
  }),
  live('postprocessing.morphology.opening_kernel', odd(1), 11, 'removes short events', { unit: 'samples' }),
  live('postprocessing.morphology.closing_kernel', odd(1), 31, 'closes short gaps', { unit: 'samples' }),
  dead('postprocessing.morphology.use_gpu', bool, false, 'where it is computed'),
  live('postprocessing.duration.min_duration_s', float(0), 3, 'shorter events are dropped', { unit: 's' }),
  live('postprocessing.duration.max_duration_s', above(0), 600, 'longer events are cut in pieces', {
    unit: 's',
  }),
  live('postprocessing.events.tau_merge', float(0), 2, 'gaps up to it are closed', { unit: 's' }),
  live(
    'postprocessing.events.confidence_method',
    choice('mean', 'peak', 'percentile'),
    'mean',
    'confidence of an event',
  ),
  dead(
    'postprocessing.events.confidence_percentile',
    { type: 'float', above: 0, below: 1 },
    0.75,
    'for percentile',
  ),
  dead(
    'postprocessing.stitching.method',
    choice('overlap_add', 'overlap_add_weighted', 'max'),
    'overlap_add',
    'stitching',
  ),
  dead('postprocessing.stitching.window_size', int(1), 15_360, 'stitching', { unit: 'samples' }),
  dead('postprocessing.stitching.stride', int(1), 2560, 'stitching', { unit: 'samples' }),
  dead('postprocessing.min_duration', float(1), 3, 'deprecated', { unit: 's' }),
  live('training.epochs', int(1, 200), 1, 'epochs'),
  live('training.batch_size', int(1, 256), 16, 'windows of an update'),
  live('training.loss', choice('bce', 'focal'), 'bce', 'loss'),
  live('training.focal_alpha', float(0, 1), 0.5, 'weight of seizures; other than 0.5 it replaces pos_weight'),
  live('training.focal_gamma', float(0), 2, 'how much less easy samples count'),
  live('training.learning_rate', float(1e-6, 1e-2), 3e-4, 'peak of the schedule'),
  live('training.weight_decay', float(0, 0.2), 0.05, 'of every parameter'),
  half(
    'training.optimizer',
    choice('adamw', 'adam', 'sgd'),
    'adamw',
    'optimizer',
    'adam and sgd validate, then crash after the data is loaded',
  ),
  dead('training.resume', bool, false, 'resume', { why: 'always overwritten by the command line’s flag' }),
  half(
    'training.scheduler.type',
    choice('cosine', 'linear', 'constant'),
    'cosine',
    'schedule',
    'linear and constant validate, then crash',
  ),
  live('training.scheduler.warmup_ratio', float(0, 0.5), 0.1, 'share of all updates that warm up'),
  live('training.gradient_clip', float(0), 1, 'global norm; 0 is off'),
  live('training.mixed_precision', bool, true, 'bf16 autocast on CUDA'),
  live('training.early_stopping.patience', int(1, 50), 5, 'epochs without a better score'),
  live('training.early_stopping.metric', text, 'sensitivity_at_10fa', 'the score that counts'),
  live('training.early_stopping.mode', choice('max', 'min'), 'max', 'whether more is better'),
  dead('evaluation.metrics', list(text), ['taes', 'sensitivity', 'specificity', 'auroc'], 'scores'),
  live('evaluation.fa_rates', list(number), [10, 5, 2.5, 1], 'rates at which sensitivity is given', {
    unit: 'false alarms in 24 h',
  }),
  dead('evaluation.save_predictions', bool, false, 'files'),
  dead('evaluation.save_plots', bool, true, 'files'),
  dead('experiment.name', text, 'debug', 'name'),
  dead('experiment.description', text, 'default experiment', 'description'),
  live('experiment.seed', { type: 'int' }, 42, 'of all that is random'),
  live('experiment.device', choice('auto', 'cuda', 'cpu', 'mps'), 'auto', 'where it trains'),
  live('experiment.output_dir', text, 'results', 'checkpoints/last.pt and best.pt below it'),
  half(
    'experiment.cache_dir',
    text,
    'cache',
    'cache',
    'only warned about when it differs from data.cache_dir',
  ),
  dead('experiment.log_level', choice('DEBUG', 'INFO', 'WARNING', 'ERROR'), 'INFO', 'log'),
  dead('experiment.save_model', bool, false, 'files'),
  dead('experiment.save_best_only', bool, true, 'files'),
  dead('experiment.wandb.enabled', bool, false, 'Weights & Biases', { why: 'the logger is not wired' }),
  dead('experiment.wandb.project', text, 'seizure-detection', 'Weights & Biases', {
    why: 'the logger is not wired',
  }),
  dead('experiment.wandb.entity', text, null, 'Weights & Biases', {
    nullable: true,
    why: 'the logger is not wired',
  }),
  dead('experiment.wandb.tags', list(text), [], 'Weights & Biases', { why: 'the logger is not wired' }),
  dead('logging.log_every_n_steps', int(1), 10, 'log'),
  dead('logging.log_gradients', bool, false, 'log'),
  dead('logging.log_weights', bool, false, 'log'),
  dead('resources.max_memory_gb', above(0), null, 'memory', { nullable: true, unit: 'GB' }),
  dead('resources.distributed', bool, false, 'several GPUs'),
  dead('resources.mixed_precision', bool, true, 'training.mixed_precision is the one that counts'),
];

export const KEY_AT: ReadonlyMap<string, Key> = new Map(KEYS.map((one) => [one.path, one]));

export interface Section {
  readonly title: string;
  readonly description: string;
  /** May be null, which is as if it were absent. */
  readonly nullable?: boolean;
}

/** Sections by their path; '' is the file. */
export const SECTIONS: Readonly<Record<string, Section>> = {
  '': { title: 'Configuration', description: 'Configuration of the seizure detector’s production run.' },
  resources: { title: 'Resources', description: 'Limits of the machine.', nullable: true },
};

export function documentation({ description }: Key): string {
  return description;
}
