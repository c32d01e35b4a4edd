import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { figuresFrom } from '../../../src/estimate/figures';
import { readConfig } from '../../../src/config/settings';
import { MACHINES, type Platform } from '../../../src/config/targets';

const of = (name: string, changed: Record<string, unknown> = {}, platform: Platform = 'wsl2') => {
  const { settings } = readConfig(readFileSync(join(import.meta.dirname, '../../../configs', name), 'utf8'));
  return figuresFrom((path) => changed[path] ?? settings.value(path), name, MACHINES[platform]);
};

test('the WSL2-safe file takes less than the original, of the GPU and of the host', () => {
  const [original, safe] = [of('review/tusz_train.yaml'), of('local/train.yaml')];
  for (const figure of ['vramGiB', 'hostGiB'] as const)
    expect(safe?.[figure].likely).toBeLessThan(original?.[figure].likely ?? NaN);
});

test('grows with the batch on the GPU and with the workers on the host', () => {
  const small = of('local/train.yaml');
  expect(of('local/train.yaml', { 'training.batch_size': 64 })?.vramGiB.likely).toBeGreaterThan(
    2 * (small?.vramGiB.likely ?? NaN),
  );
  expect(of('local/train.yaml', { 'data.num_workers': 8 })?.hostGiB.likely).toBeGreaterThan(
    small?.hostGiB.likely ?? NaN,
  );
});

test('is the same when it is asked again, and for another machine is asked anew', () => {
  expect(of('local/train.yaml')).toBe(of('local/train.yaml'));
  expect(of('local/train.yaml', {}, 'local')).not.toEqual(of('local/train.yaml'));
});

test('there is none of a model that cannot be made', () => {
  expect(of('modal/train_a100.yaml', { 'model.mamba.conv_kernel': 4 }, 'modal')).toBeNull();
});
