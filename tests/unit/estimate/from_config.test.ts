import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { settingsFrom } from '../../../src/estimate/from_config';
import { readConfig, settingsIn } from '../../../src/config/settings';
import type { Platform } from '../../../src/config/targets';

function settingsOf(path: string, platform: Platform) {
  const text = readFileSync(new URL(`../../../configs/${path}`, import.meta.url), 'utf8');
  return settingsFrom(readConfig(text).settings, path, platform);
}

describe('a configuration', () => {
  test('says what the estimator needs', () => {
    const { vram, loader, epochs, patience } = settingsOf('modal/train_a100.yaml', 'modal');
    expect(vram).toMatchObject({
      batch: 64,
      layers: 6,
      mixer: 'conv',
      microBatches: 1,
      checkpointing: false,
    });
    expect(loader).toEqual({
      batch: 64,
      workers: 4,
      prefetchFactor: 4,
      pinMemory: true,
      persistentWorkers: true,
      start: 'spawn',
    });
    expect([epochs, patience]).toEqual([100, 5]);
  });

  test('runs Mamba-2 where the launcher does not force the convolution, and in the precision that it asks for', () => {
    const { vram, loader } = settingsOf('local/train.yaml', 'wsl2');
    expect(vram).toMatchObject({ batch: 8, mixer: 'mamba2', precision: 'fp32' });
    expect(loader).toMatchObject({ workers: 0, persistentWorkers: false });
  });

  test('of a smoke run takes 50 recordings', () => {
    const { windows } = settingsOf('modal/smoke_a100.yaml', 'modal');
    // A recording that is trained on has 67.5 on average.
    expect(windows.training / 50).toBeCloseTo(67.5, 1);
  });

  test('with a text where a number belongs is rejected with its path', () => {
    const settings = settingsIn({ training: { batch_size: 'many' } });
    expect(() => settingsFrom(settings, 'train.yaml', 'local')).toThrow('training.batch_size is "many"');
  });
});
