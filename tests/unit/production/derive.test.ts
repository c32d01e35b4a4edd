import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { derive, VARIANTS, type Variant } from '../../../src/production/derive';
import { readPlain } from '../../../src/production/pyyaml';

const read = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../../configs', path), 'utf8');
const TUSZ = read('review/tusz_train.yaml');
const ALL = Object.keys(VARIANTS) as Variant[];

const changed = (text: string, variant: Variant): Record<string, unknown> =>
  Object.fromEntries(
    derive(text, variant).changes.map(({ path, value }) => [path, readPlain(value ?? '').value]),
  );

describe('what the review’s file needs', () => {
  test('under WSL2', () => {
    expect(derive(TUSZ, 'wsl2').name).toBe('configs/local/train.yaml');
    expect(changed(TUSZ, 'wsl2')).toEqual({
      'data.num_workers': 0,
      'data.validation_split': 0.05,
      'model.mamba.conv_kernel': 3,
      'training.batch_size': 8,
      'training.mixed_precision': false,
      'training.early_stopping.metric': 'sensitivity_at_10.0fa',
      'experiment.output_dir': 'results/tusz_wsl2_100ep',
    });
  });

  test('on an A100', () => {
    expect(derive(TUSZ, 'a100').name).toBe('configs/modal/train_a100.yaml');
    expect(changed(TUSZ, 'a100')).toEqual({
      'data.data_dir': '/data/edf/train',
      'data.cache_dir': '/results/cache/tusz',
      'data.pin_memory': true,
      'data.persistent_workers': true,
      'data.prefetch_factor': 4,
      'data.validation_split': 0.1,
      'model.mamba.conv_kernel': 3,
      'training.batch_size': 64,
      'training.early_stopping.metric': 'sensitivity_at_10.0fa',
      'experiment.output_dir': '/results/tusz_a100_100ep',
      'experiment.cache_dir': '/results/cache/tusz',
    });
  });

  test('for a smoke run', () => {
    expect(changed(TUSZ, 'smoke')).toMatchObject({
      'training.epochs': 1,
      'data.cache_dir': 'cache/smoke',
      'experiment.output_dir': 'results/smoke',
    });
    expect(changed(TUSZ, 'smoke_modal')).toMatchObject({
      'training.epochs': 1,
      'data.cache_dir': '/results/cache/smoke',
      'experiment.output_dir': '/results/smoke',
    });
    for (const variant of ['smoke', 'smoke_modal'] as const)
      expect(derive(TUSZ, variant).name).toContain('smoke');
  });
});

test.each([
  ['local/train.yaml', 'wsl2'],
  ['local/smoke.yaml', 'smoke'],
  ['modal/train_a100.yaml', 'a100'],
  ['modal/smoke_a100.yaml', 'smoke_modal'],
] as const)('%s needs nothing to be what it is', (path, variant) => {
  expect(derive(read(path), variant).changes).toEqual([]);
});

test('every change has a reason', () => {
  for (const variant of ALL)
    for (const { reason } of derive(TUSZ, variant).changes) expect(reason.length).toBeGreaterThan(10);
});

test('a file that cannot be read is said to be so', () => {
  expect(() => derive('a: [', 'wsl2')).toThrow(
    /No variant can be made of a file that cannot be read: .*Mend that first/,
  );
});
