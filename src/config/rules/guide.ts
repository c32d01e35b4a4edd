/** Each rule for a person: what it is about in a few words, a file that it finds something in, and one that it does not. */
import { applyChanges } from '../edit';
import type { GpuId } from '../gpus';
import type { TargetName } from '../targets';

/** A file and where it is to run. */
export interface Situation {
  /** Lines `section.key: value`, or whole lines. */
  readonly lines: readonly string[];
  readonly target?: TargetName;
  readonly gpu?: GpuId;
  readonly name?: string;
  readonly base?: readonly string[];
}

export interface Guide {
  /** What is wrong, in a few words; without a full stop. */
  readonly title: string;
  readonly bad: Situation;
  readonly good: Situation;
}

const of = (...lines: string[]): Situation => ({ lines });
const on = (target: TargetName, ...lines: string[]): Situation => ({ lines, target });

/** By the rule's id. */
export const GUIDE: Readonly<Record<string, Guide>> = {
  'fa-rate-key': {
    title: 'Early stopping watches a sensitivity that no validation has',
    bad: of('evaluation.fa_rates: [10, 5]'),
    good: of('evaluation.fa_rates: [10]', 'training.early_stopping.metric: sensitivity_at_10.0fa'),
  },
  'unknown-score': {
    title: 'Early stopping watches a score that does not exist',
    bad: of('training.early_stopping.metric: auc', 'training.epochs: 9'),
    good: of('training.early_stopping.metric: auroc', 'training.epochs: 9'),
  },
  'score-mode': {
    title: 'Early stopping takes the wrong end of its score for the better one',
    bad: of('training.early_stopping.metric: val_loss'),
    good: of('training.early_stopping.metric: val_loss', 'training.early_stopping.mode: min'),
  },
  'modal-data-dir': {
    title: 'The launcher reads another data folder than the file says',
    bad: on('modal', 'data.data_dir: /data/edf/dev'),
    good: on('modal', 'data.data_dir: /data/edf/train'),
  },
  'modal-fallback': {
    title: 'On Modal another model is evaluated than was trained',
    bad: on('modal'),
    good: on('local'),
  },
  'focal-alpha': {
    title: 'The weight of seizures is dropped',
    bad: of('training.loss: focal', 'training.focal_alpha: 0.25'),
    good: of('training.loss: bce', 'training.focal_alpha: 0.25'),
  },
  'optimizer-crash': {
    title: 'An optimizer that the trainer cannot make',
    bad: of('training.optimizer: sgd'),
    good: of('training.optimizer: adamw'),
  },
  'scheduler-crash': {
    title: 'A schedule that the trainer cannot make',
    bad: of('training.scheduler.type: linear'),
    good: of('training.scheduler.type: cosine'),
  },
  'kernel-sizes': {
    title: 'A residual block without channels',
    bad: of('model.rescnn.kernel_sizes: []'),
    good: of('model.rescnn.kernel_sizes: [3, 5, 7, 9]'),
  },
  'every-launch': {
    title: 'What every launch has to know',
    bad: of('training.epochs: 2'),
    good: on('browser'),
  },
  'conv-kernel': {
    title: 'A convolution kernel that does not run as written',
    bad: of(),
    good: of('model.mamba.conv_kernel: 4'),
  },
  'seed-range': {
    title: 'A seed that numpy rejects',
    bad: of('experiment.seed: -1'),
    good: of('experiment.seed: 4294967295'),
  },
  patience: {
    title: 'Early stopping that can never stop the run',
    bad: of('training.epochs: 6', 'training.early_stopping.patience: 5'),
    good: of('training.epochs: 7', 'training.early_stopping.patience: 5'),
  },
  'home-in-path': {
    title: 'A path that starts with ~',
    bad: of('data.data_dir: "~/tusz"'),
    good: of('data.data_dir: a~/tusz'),
  },
  'windows-drive': {
    title: 'Data on a Windows drive under WSL2',
    bad: on('wsl2', 'data.data_dir: /mnt/d/tusz'),
    good: on('local', 'data.data_dir: /mnt/d/tusz'),
  },
  'no-validation': {
    title: 'Nothing is held out for validation',
    bad: of('data.validation_split: 0.0'),
    good: of('data.validation_split: 0.1'),
  },
  'time-limit': {
    title: 'The run outlasts a job on Modal',
    bad: on('modal', 'training.epochs: 25', 'data.num_workers: 8'),
    good: on('modal', 'training.epochs: 2', 'data.num_workers: 8'),
  },
  'never-completes': {
    title: 'No number of jobs on Modal completes the run',
    bad: on('modal', 'training.epochs: 25'),
    good: on('modal', 'training.epochs: 25', 'data.num_workers: 8'),
  },
  'not-rented': {
    title: 'A GPU that Modal does not rent',
    bad: { ...on('modal'), gpu: 'rtx4090' },
    good: { ...on('modal'), gpu: 'h100' },
  },
  'no-gpu': {
    title: 'The run does not use the GPU',
    bad: on('modal', 'experiment.device: cpu', 'training.mixed_precision: false'),
    good: on('modal', 'experiment.device: cuda', 'training.mixed_precision: false'),
  },
  'mps-amp': {
    title: 'Mixed precision on mps',
    bad: of('experiment.device: mps'),
    good: of('experiment.device: mps', 'training.mixed_precision: false'),
  },
  'validation-ram': {
    title: 'The first validation exceeds system RAM',
    bad: on('modal', 'data.validation_split: 0.2'),
    good: on('modal', 'data.validation_split: 0.05'),
  },
  'amp-4090': { title: 'Mixed precision on an RTX 4090', bad: on('wsl2'), good: on('modal') },
  'learning-rate': {
    title: 'A learning rate at which later models diverged',
    bad: of('training.learning_rate: 3e-4'),
    good: of('training.learning_rate: 1e-4'),
  },
  'unknown-key': {
    title: 'A key that the trainer does not know',
    bad: of('training.batchsize: 8'),
    good: of('training.batch_size: 8'),
  },
  'dead-key': {
    title: 'A key that does nothing',
    bad: of('preprocessing.notch_freq: 50'),
    good: of('preprocessing.notch_freq: 60', 'experiment.name: x'),
  },
  'duplicate-key': {
    title: 'A key that is written twice',
    bad: of('evaluation:', '  fa_rates: [1]', '  fa_rates: [2]'),
    good: of('evaluation:', '  fa_rates: [2]'),
  },
  'shell-in-name': {
    title: 'Shell syntax in a value',
    bad: of('experiment.output_dir: "out/$(date)"'),
    good: of('experiment.output_dir: out/date'),
  },
  'cache-mismatch': {
    title: 'A cache folder that is not used, or not kept',
    bad: of('data.cache_dir: a', 'experiment.cache_dir: b'),
    good: of('data.cache_dir: a', 'experiment.cache_dir: a'),
  },
  'smoke-name': {
    title: 'The file’s path decides how many files are read',
    bad: { ...on('modal', 'training.epochs: 100'), name: 'smoke/train.yaml' },
    good: { ...on('modal', 'training.epochs: 100'), name: 'train.yaml' },
  },
  'wsl2-workers': {
    title: 'Loader settings that hung under WSL2',
    bad: on('wsl2', 'data.num_workers: 4'),
    good: on('wsl2', 'data.num_workers: 0'),
  },
  'persistent-needs-workers': {
    title: 'Worker settings without workers',
    bad: of('data.persistent_workers: true'),
    good: of('data.persistent_workers: true', 'data.num_workers: 2'),
  },
  'starved-loader': {
    title: 'More workers than cores',
    bad: on('modal', 'data.num_workers: 9'),
    good: on('modal', 'data.num_workers: 8'),
  },
  'slow-loading': {
    title: 'The GPU waits for recordings that too few workers decompress',
    bad: of('training.epochs: 100'),
    good: of('training.epochs: 100', 'data.num_workers: 16'),
  },
  vram: {
    title: 'Training exceeds GPU memory',
    bad: of('training.batch_size: 256'),
    good: of('training.batch_size: 16'),
  },
  'host-ram': {
    title: 'Training exceeds system RAM',
    bad: on('wsl2', 'data.num_workers: 8'),
    good: on('wsl2', 'data.num_workers: 0'),
  },
  'batch-lr': {
    title: 'The batch changed and the learning rate did not',
    bad: {
      ...of('training.batch_size: 64', 'training.learning_rate: 1.0e-5'),
      base: ['training.learning_rate: 1.0e-5'],
    },
    good: {
      ...of('training.batch_size: 64', 'training.learning_rate: 2e-4'),
      base: ['training.learning_rate: 1.0e-4'],
    },
  },
  'yaml-1.1': {
    title: 'A value that readers of YAML disagree on',
    bad: of('training.learning_rate: 1e-4'),
    good: of('training.learning_rate: 1.0e-4'),
  },
};

/** A file of these lines, with the sections that the trainer needs. */
export function exampleText(lines: readonly string[]): string {
  const empty = ['data', 'model', 'training', 'postprocessing'].map((name) => `${name}: {}`).join('\n');
  return lines.reduce((text, line) => {
    const [, path = '', value] = /^([\w.]+): (.*)$/.exec(line) ?? [];
    return value === undefined ? `${text}${line}\n` : applyChanges(text, [{ path, value, reason: '' }]);
  }, `${empty}\n`);
}
