import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../../src/cli/validate';
import { failing } from '../../../src/config/issues';
import { inspectRun } from '../../../src/estimate/forecast';
import { PRESETS } from '../../../src/config/presets';
import { readConfig } from '../../../src/config/settings';
import { TARGETS, type TargetName } from '../../../src/config/targets';

const CONFIGS = join(import.meta.dirname, '../../../configs');

const issues = (text: string, name: string, target: TargetName) =>
  inspectRun(text, { name, target: TARGETS[target] }).issues;
const preset = (name: string) => PRESETS.find((one) => one.name === `configs/${name}.yaml`)!;

describe.each(PRESETS.filter(({ corrected }) => corrected).map((one) => [one.name, one] as const))(
  '%s',
  (name, { text, target }) => {
    test('has nothing to fix where it runs', () =>
      expect(issues(text, name, target).filter(failing)).toEqual([]));
    test.runIf(name.includes('local'))('nor under WSL2 and on Linux', () => {
      expect(issues(text, name, 'wsl2').filter(failing)).toEqual([]);
      expect(issues(text, name, 'local').filter(failing)).toEqual([]);
    });
    test('says nothing that is without effect', () => {
      const ids = issues(text, name, target).map(({ id }) => id);
      for (const id of ['unknown-key', 'dead-key', 'duplicate-key', 'yaml-1.1', 'cache-mismatch'])
        expect(ids).not.toContain(id);
    });
  },
);

/** [batch, workers, epochs, loss, patience, pinned, prefetch] */
test.each([
  ['local/smoke', [8, 0, 1, 'focal', undefined, false, 2]],
  ['local/train', [8, 0, 100, 'focal', 5, false, 2]],
  ['modal/smoke_a100', [64, 4, 1, 'focal', undefined, true, 4]],
  ['review/tusz_train', [16, 4, 100, 'bce', 5, undefined, undefined]],
  ['review/production', [64, 8, 60, 'bce', 10, undefined, undefined]],
  ['review/local_train', [8, 0, 100, 'focal', 5, false, 2]],
  ['review/modal_train_a100', [64, 8, 100, 'focal', 5, true, 4]],
])('%s has the settings of its table', (name, expected) => {
  const { settings } = readConfig(preset(name).text);
  const given = ['training.batch_size', 'data.num_workers', 'training.epochs', 'training.loss'].concat([
    'training.early_stopping.patience',
    'data.pin_memory',
    'data.prefetch_factor',
  ]);
  expect(given.map((path) => settings.read(path))).toEqual(expected);
  expect(settings.value('training.learning_rate')).toBe(3e-4);
});

test("the review's files show what is wrong with them", () => {
  const ids = (name: string) => {
    const { text, target } = preset(name);
    return issues(text, name, target).map(({ id, path }) => `${id} ${path}`);
  };
  expect(ids('review/tusz_train')).toEqual(
    expect.arrayContaining([
      'fa-rate-key training.early_stopping.metric',
      'conv-kernel model.mamba.conv_kernel',
      'validation-ram data.validation_split',
      'wsl2-workers data.num_workers',
      'amp-4090 training.mixed_precision',
      'dead-key model.decoder.kernel_size',
      'yaml-1.1 training.learning_rate',
    ]),
  );
  expect(ids('review/local_train')).toContain('unknown-key training.checkpoint_interval');
  expect(ids('review/modal_train_a100')).toEqual(
    expect.arrayContaining([
      'unknown-key training.gradient_accumulation_steps',
      'unknown-key resources.compile_model',
      'time-limit training.epochs',
    ]),
  );
});

test('the command answers with exit codes', async () => {
  expect(await main([join(CONFIGS, 'local/train.yaml')])).toBe(0);
  expect(await main([join(CONFIGS, 'review/tusz_train.yaml'), '--json'])).toBe(1);
  expect(await main([])).toBe(2);
  expect(await main(['--target', 'moon', 'x.yaml'])).toBe(2);
  expect(await main([join(CONFIGS, 'no-such.yaml'), join(CONFIGS, 'local/train.yaml')])).toBe(1);
});
