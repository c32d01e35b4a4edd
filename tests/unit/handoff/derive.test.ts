import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { derive, variantFor, VARIANTS, variantText, type Variant } from '../../../src/handoff/derive';
import { applyChanges } from '../../../src/config/edit';
import { isSevere } from '../../../src/config/issues';
import { withSchema } from '../../../src/config/json_schema';
import { inspectRun } from '../../../src/estimate/forecast';
import { readPlain } from '../../../src/config/plain';
import { GPUS } from '../../../src/config/gpus';
import { TARGETS } from '../../../src/config/targets';

const read = (path: string): string =>
  readFileSync(join(import.meta.dirname, '../../../configs', path), 'utf8');
const TUSZ = read('review/tusz_train.yaml');
const ALL = Object.keys(VARIANTS) as Variant[];

const changed = (text: string, variant: Variant): Record<string, unknown> =>
  Object.fromEntries(
    derive(text, variant).changes.map(({ path, value }) => [path, readPlain(value ?? '').value]),
  );
const derived = (text: string, variant: Variant): string => applyChanges(text, derive(text, variant).changes);
const comments = (text: string): string[] => text.match(/#.*/g) ?? [];

describe('what the review’s file needs', () => {
  test('under WSL2', () => {
    expect(derive(TUSZ, 'wsl2').name).toBe('configs/local/train.yaml');
    expect(changed(TUSZ, 'wsl2')).toEqual({
      'data.num_workers': 0,
      'data.validation_split': 0.04,
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
      'data.validation_split': 0.07,
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
  expect(variantFor(`configs/${path}`, VARIANTS[variant].target)).toBe(variant);
});

/** Files that lack much, have it otherwise, or are full of what the rules are against. */
const FILES: Readonly<Record<string, string>> = {
  'the review’s': TUSZ,
  'the review’s for WSL2': read('review/local_train.yaml'),
  'the review’s for Modal': read('review/modal_train_a100.yaml'),
  'the legacy one': read('review/production.yaml'),
  'the one for WSL2': read('local/train.yaml'),
  'the one for Modal': read('modal/train_a100.yaml'),
  'a smoke one': read('modal/smoke_a100.yaml'),
  'one of bare sections': 'data: {}\nmodel: {}\ntraining: {}\npostprocessing: {}\n',
  'one of bad values':
    '# bad\ndata: {num_workers: 99, validation_split: 0, prefetch_factor: 1, persistent_workers: yes}\nmodel: {mamba: {conv_kernel: 8}}\npostprocessing: {}\ntraining: {epochs: 0, batch_size: 512, optimizer: sgd, scheduler: {type: linear}, loss: focal, focal_alpha: 0.25}\nexperiment: {device: cpu, cache_dir: elsewhere, output_dir: "my runs/$x"}\n',
  'one with CRLF and anchors':
    'x: &c /mnt/d/my cache # where\r\ndata:\r\n  cache_dir: *c\r\n  data_dir: /data/edf/dev\r\nmodel: {}\r\ntraining: {batch_size: 256}\r\npostprocessing: {}\r\nexperiment: {cache_dir: *c, output_dir: /results/a100/}\r\n',
};

describe.each(Object.entries(FILES))('from %s', (_, text) => {
  test.each(ALL)('the variant %s has nothing critical or high to fix, and needs nothing more', (variant) => {
    const { name, target, changes } = derive(text, variant);
    const made = applyChanges(text, changes);
    const severe = inspectRun(made, { name, target }).issues.filter(
      (issue) => issue.fixable && isSevere(issue),
    );
    expect(severe.map(({ id, path, message }) => `${id} ${path} ${message}`)).toEqual([]);
    expect(comments(made)).toEqual(comments(text));
    expect(derive(made, variant).changes).toEqual([]);
    for (const { reason } of changes) expect(reason.length).toBeGreaterThan(10);
  });
});

test('from one variant to another and back', () => {
  for (const from of ALL) {
    const text = derived(TUSZ, from);
    for (const to of ALL.filter((one) => one !== from)) {
      const { name, target, changes } = derive(text, to);
      const made = applyChanges(text, changes);
      const severe = inspectRun(made, { name, target }).issues.filter(
        (issue) => issue.fixable && isSevere(issue),
      );
      expect(severe).toEqual([]);
      expect(made).toMatch(
        target.name === 'modal' ? /data_dir: \/data\/edf\/train/ : /data_dir: data_ext4\/tusz/,
      );
    }
  }
});

test('the figures of the machine count', () => {
  const cores = derive(TUSZ, 'a100', { ...TARGETS.modal, cores: 2 }).changes;
  expect(cores.find(({ path }) => path === 'data.num_workers')?.value).toBe('2');
  const ram = derive(TUSZ, 'a100', { ...TARGETS.modal, ramGiB: 96 }).changes;
  expect(ram.find(({ path }) => path === 'data.validation_split')).toBeUndefined();
  const gpu = derive(TUSZ, 'wsl2', { ...TARGETS.wsl2, gpu: GPUS.rtx3090 }).changes;
  expect(gpu.find(({ path }) => path === 'training.mixed_precision')).toBeUndefined();
});

test('what is good already stays', () => {
  const text = 'data: {num_workers: 4, prefetch_factor: 8}\ntraining: {epochs: 30, batch_size: 4}\n';
  expect(changed(text, 'a100')).not.toHaveProperty(['data.num_workers']);
  expect(changed(text, 'a100')).not.toHaveProperty(['data.prefetch_factor']);
  expect(changed(text, 'a100')).not.toHaveProperty(['training.epochs']);
  expect(changed(text, 'wsl2')).not.toHaveProperty(['training.batch_size']);
  expect(changed(text, 'a100')['experiment.output_dir']).toBe('/results/tusz_a100_30ep');
});

test('the launcher sees “smoke” in a path whatever the case of its letters', () => {
  expect(variantFor('configs/modal/Smoke.yaml', 'modal')).toBe('smoke_modal');
  const ids = (name: string) => inspectRun(TUSZ, { name, target: TARGETS.modal }).issues.map(({ id }) => id);
  expect(ids('configs/modal/SMOKE.yaml')).toContain('smoke-name');
  expect(ids('configs/modal/SMOKE.yaml')).not.toContain('validation-ram');
  expect(ids('configs/modal/train.yaml')).toContain('validation-ram');
});

test('of the configuration of something else no variant is made', () => {
  const text = 'services:\n  web: {image: nginx}\n';
  for (const variant of Object.keys(VARIANTS) as Variant[])
    expect(() => derive(text, variant)).toThrow(/No variant.*no configuration of the trainer/);
});

test('a file that cannot be read is said to be so', () => {
  expect(() => derive('a: [', 'wsl2')).toThrow(
    /No variant can be made of a file that cannot be read: .*Fix the file first/,
  );
});

test('what a file says of itself does not stay in what is made of it', () => {
  expect(TUSZ).toMatch(/^# .*not to launch/);
  for (const [i, variant] of ALL.entries()) {
    // As the page exports it, the schema comes first.
    const text = i % 2 === 0 ? TUSZ : withSchema(TUSZ, 'configs/review/tusz_train.yaml');
    const made = variantText(text, derive(text, variant));
    expect(made).toMatch(/^# Made by Smokescan for /m);
    expect(made).not.toContain('not to launch');
  }
});
