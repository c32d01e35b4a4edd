import { describe, expect, test } from 'vitest';
import type { PyValue } from '../../../src/config/plain';
import { readConfig, settingsIn } from '../../../src/config/settings';
import { fitted, fromTrainer, toTrainer } from '../../../src/training/config';
import { PRODUCTION_RUN } from '../../../src/training/settings';

const MINIMAL = { data: {}, model: {}, training: {}, postprocessing: {} };
const read = (config: PyValue) => fromTrainer(settingsIn(config));

describe('a configuration of the trainer', () => {
  test('with its sections alone has the defaults of the schema', () => {
    const { settings, dataDir } = read(MINIMAL);
    expect(dataDir).toBe('data');
    expect(settings).toMatchObject({
      epochs: 1,
      batch: 16,
      loss: 'bce',
      warmupRatio: 0.1,
      split: 'file',
      validationSplit: 0.2,
      model: { ...PRODUCTION_RUN.model, baseChannels: 64, mixer: 'mamba2' },
      postprocessing: PRODUCTION_RUN.postprocessing,
    });
  });

  test('is read by its live keys, numbers as strings too', () => {
    const { settings, dataDir } = read({
      data: { data_dir: '/data/edf', num_workers: 4, prefetch_factor: 3, persistent_workers: true },
      model: { rescnn: { kernel_sizes: [3, 9] }, mamba: { n_layers: 3, dropout: 0.2, conv_kernel: 3 } },
      training: {
        learning_rate: '3e-4',
        batch_size: 8,
        epochs: 7,
        loss: 'focal',
        focal_alpha: 0.4,
        scheduler: { type: 'cosine', warmup_ratio: 0.03 },
        early_stopping: { patience: 2, metric: 'sensitivity_at_10.0fa', mode: 'min' },
        gradient_accumulation_steps: 4,
      },
      postprocessing: { hysteresis: { tau_on: 0.9, tau_off: 0.7 }, duration: { min_duration_s: 5 } },
      experiment: { seed: 9 },
      evaluation: { fa_rates: [4, '0.5'] },
    });
    expect(dataDir).toBe('/data/edf');
    expect(settings).toMatchObject({
      learningRate: 3e-4,
      batch: 8,
      // An unknown key, which the trainer drops silently.
      microBatches: 1,
      seed: 9,
      workers: 4,
      persistentWorkers: true,
      falseAlarmRates: [4, 0.5],
      earlyStopping: { metric: 'sensitivity_at_10fa', mode: 'min', patience: 2 },
      postprocessing: { tau_on: 0.9, tau_off: 0.7, min_duration_s: 5, tau_merge: 2 },
      model: { layers: 3, dropout: 0.2, convKernel: 3, kernelSizes: [3, 9] },
    });
  });

  test('has float16 where it is mixed, as far as the device has it, and says where not', () => {
    const [mixed, plain] = [true, false].map(
      (mixed_precision) => read({ ...MINIMAL, training: { mixed_precision } }).settings,
    );
    expect([mixed?.precision, plain?.precision]).toEqual(['float16', 'float32']);
    expect(read(MINIMAL).settings.precision).toBe('float16');
    expect(toTrainer(mixed!)).toMatchObject({ training: { mixed_precision: true } });
    expect(fitted(mixed!, { half: true })).toEqual({ settings: mixed, message: null });
    expect(fitted(plain!, { half: false })).toEqual({ settings: plain, message: null });
    expect(fitted(mixed!, { half: false })).toEqual({
      settings: { ...mixed!, precision: 'float32' },
      message:
        'training.mixed_precision is true, and this device does not have shader-f16: activations are stored in float32',
    });
  });

  test('is read as PyYAML reads it', () => {
    const config = readConfig(
      'data: {use_balanced_sampling: no, persistent_workers: on}\nmodel: {}\ntraining: {learning_rate: 3e-4, batch_size: 1_0}\npostprocessing: {}\n',
    );
    const { settings } = fromTrainer(config.settings);
    // Without workers nothing persists.
    expect(settings).toMatchObject({
      balanced: false,
      persistentWorkers: false,
      learningRate: 3e-4,
      batch: 10,
    });
  });

  test.each([
    [{ optimizer: 'sgd' }, 'training.optimizer is "sgd"; here it must be adamw'],
    [{ scheduler: { type: 'linear' } }, 'training.scheduler.type is "linear"; here it must be cosine'],
  ])('that validates and then crashes the trainer is rejected with a sentence: %o', (training, message) => {
    expect(() => read({ ...MINIMAL, training })).toThrow(message);
  });
});
