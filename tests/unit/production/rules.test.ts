import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findingsOf, main } from '../../../src/cli/validate';
import { readConfig } from '../../../src/production/pyyaml';
import { check, RULES, TARGETS, type TargetName } from '../../../src/production/rules';

const CONFIGS = join(import.meta.dirname, '../../../configs');

/** Ids of the rules that fire on a file of these lines, `section.key: value`. */
function ids(lines: string, target: TargetName = 'local', name = 'train.yaml'): string[] {
  const text = lines
    .split('; ')
    .map((line) => {
      const [path = '', ...value] = line.split(': ');
      return `${path
        .split('.')
        .map((part, i) => `${i > 0 ? ' {' : ''}${part}:`)
        .join('')} ${value.join(': ')}${' }'.repeat(path.split('.').length - 1)}`;
    })
    .join('\n');
  const file = readConfig(text);
  expect(file.refusals).toEqual([]);
  return check({ name, file, target: TARGETS[target] }).map(({ id }) => id);
}

interface Case {
  readonly fires: Parameters<typeof ids>;
  readonly not: Parameters<typeof ids>;
}

const CASES: Readonly<Record<string, Case>> = {
  'fa-rate-key': {
    fires: ['evaluation.fa_rates: [10, 5]'],
    not: ['evaluation.fa_rates: [10]; training.early_stopping.metric: sensitivity_at_10.0fa'],
  },
  'modal-data-dir': {
    fires: ['data.data_dir: /data/edf/dev', 'modal'],
    not: ['data.data_dir: /data/edf/train', 'modal'],
  },
  'modal-fallback': { fires: ['a: 1', 'modal'], not: ['a: 1'] },
  'modal-no-resume': { fires: ['training.epochs: 2', 'modal'], not: ['training.epochs: 1', 'modal'] },
  'patient-leak': { fires: ['data.validation_split: 0.1'], not: ['data.validation_split: 0'] },
  'focal-alpha': {
    fires: ['training: {loss: focal, focal_alpha: 0.25}'],
    not: ['training: {loss: bce, focal_alpha: 0.25}'],
  },
  'empty-manifest': { fires: ['a: 1'], not: ['data.use_balanced_sampling: false'] },
  'resume-semantics': { fires: ['training.epochs: 2'], not: ['training.epochs: 1'] },
  'epochs-zero': { fires: ['training.epochs: 0'], not: ['training.epochs: 1'] },
  'optimizer-crash': { fires: ['training.optimizer: sgd'], not: ['training.optimizer: adamw'] },
  'scheduler-crash': { fires: ['training.scheduler.type: linear'], not: ['training.scheduler.type: cosine'] },
  'conv-kernel': { fires: ['a: 1'], not: ['model.mamba.conv_kernel: 3'] },
  'no-validation': { fires: ['data.validation_split: 0.0'], not: ['data.validation_split: 0.1'] },
  secrets: { fires: ['a: 1', 'modal'], not: ['a: 1', 'wsl2'] },
  'time-limit': { fires: ['training.epochs: 25', 'modal'], not: ['training.epochs: 24', 'modal'] },
  'cpu-amp': {
    fires: ['experiment.device: cpu'],
    not: ['experiment.device: cpu; training.mixed_precision: false'],
  },
  'validation-ram': {
    fires: ['data.validation_split: 0.2', 'modal'],
    not: ['data.validation_split: 0.11', 'modal'],
  },
  'amp-4090': { fires: ['a: 1', 'wsl2'], not: ['a: 1', 'modal'] },
  'learning-rate': { fires: ['training.learning_rate: 3e-4'], not: ['training.learning_rate: 1e-4'] },
  'unknown-key': { fires: ['training.batchsize: 8'], not: ['training.batch_size: 8'] },
  'dead-key': {
    fires: ['preprocessing.notch_freq: 50'],
    not: ['preprocessing.notch_freq: 60; experiment.name: x'],
  },
  'duplicate-key': { fires: ['data.stride: 10; data.stride: 10'], not: ['data.stride: 10'] },
  'shell-in-name': {
    fires: ['experiment.output_dir: "out/$(date)"'],
    not: ['experiment.output_dir: out/date'],
  },
  'cache-mismatch': {
    fires: ['data.cache_dir: a; experiment.cache_dir: b'],
    not: ['data.cache_dir: a; experiment.cache_dir: a'],
  },
  'smoke-name': {
    fires: ['training.epochs: 100', 'modal', 'smoke/train.yaml'],
    not: ['training.epochs: 100', 'modal', 'train.yaml'],
  },
  'wsl2-workers': { fires: ['data.num_workers: 4', 'wsl2'], not: ['data.num_workers: 0', 'wsl2'] },
  'persistent-needs-workers': {
    fires: ['data.persistent_workers: true'],
    not: ['data: {persistent_workers: true, num_workers: 2}'],
  },
  'starved-loader': { fires: ['data.num_workers: 5', 'modal'], not: ['data.num_workers: 4', 'modal'] },
  'yaml-1.1': { fires: ['training.learning_rate: 1e-4'], not: ['training.learning_rate: 1.0e-4'] },
};

test('every rule has its cases', () => {
  expect(Object.keys(CASES).sort()).toEqual(RULES.map(({ id }) => id).sort());
});

describe.each(Object.entries(CASES))('the rule %s', (id, { fires, not }) => {
  test('fires', () => {
    // The same section twice would be one key twice: those cases are about it, or about the key alone.
    expect(ids(...fires)).toContain(id);
  });
  test('does not fire', () => expect(ids(...not)).not.toContain(id));
});

test.each([
  ['1e5', true],
  ['0o17', true],
  ['08', true],
  ['1_000', true],
  ['12:30', true],
  ['017', true],
  ['on', true],
  ['"on"', false],
  ['1.0e+5', false],
  ['true', false],
  ['0', false],
  ['-5', false],
])('of %s the readers of YAML disagree: %o', (text, disagree) => {
  expect(ids(`logging.log_every_n_steps: ${text}`).includes('yaml-1.1')).toBe(disagree);
});

describe('the presets', () => {
  const files = ['local', 'modal'].flatMap((folder) =>
    readdirSync(join(CONFIGS, folder)).map((name) => join(CONFIGS, folder, name)),
  );
  test.each(files.map((file) => [file.slice(CONFIGS.length + 1), file]))(
    '%s has nothing to mend',
    async (_, file) => {
      expect(files).toHaveLength(4);
      expect(await main([file])).toBe(0);
      const text = readFileSync(file, 'utf8');
      if (!file.includes('modal'))
        expect(
          findingsOf(file, text, 'wsl2').filter(
            ({ severity, mendable }) => mendable && 'RCH'.includes(severity),
          ),
        ).toEqual([]);
    },
  );

  test("the review's file shows what went wrong with it", () => {
    const file = join(CONFIGS, 'review/tusz_train.yaml');
    const found = findingsOf(file, readFileSync(file, 'utf8'), 'wsl2').map(({ id, line }) => [id, line]);
    const named = Object.fromEntries(found) as Record<string, number>;
    expect(Object.keys(named)).toEqual(
      expect.arrayContaining([
        'fa-rate-key',
        'conv-kernel',
        'validation-ram',
        'wsl2-workers',
        'unknown-key',
        'amp-4090',
      ]),
    );
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines[(named['wsl2-workers'] ?? 0) - 1]).toContain('num_workers: 4');
  });
});

test('the command answers with exit codes', async () => {
  expect(await main([join(CONFIGS, 'review/tusz_train.yaml')])).toBe(1);
  expect(await main([])).toBe(2);
  expect(await main(['--target', 'moon', 'x.yaml'])).toBe(2);
  expect(await main([join(CONFIGS, 'no-such.yaml')])).toBe(2);
});
