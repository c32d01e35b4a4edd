import { describe, expect, test } from 'vitest';
import { fromProduction } from '../../../../src/training/eeg/config';
import { PRODUCTION_RUN } from '../../../../src/training/eeg/settings';

const MINIMAL = { data: {}, model: {}, training: {}, postprocessing: {} };

describe('a production configuration', () => {
  test('with its sections alone has the defaults of the schema', () => {
    const { settings, dataDir } = fromProduction(MINIMAL);
    expect(dataDir).toBeUndefined();
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
    const { settings, dataDir } = fromProduction({
      data: { data_dir: '/data/edf', num_workers: 4, prefetch_factor: 3, persistent_workers: true },
      model: { mamba: { n_layers: 3, dropout: 0.2, conv_kernel: 3 } },
      training: {
        learning_rate: '3e-4',
        batch_size: 8,
        epochs: 7,
        loss: 'focal',
        focal_alpha: 0.4,
        scheduler: { type: 'cosine', warmup_ratio: 0.03 },
        early_stopping: { patience: 2, metric: 'sensitivity_at_10.0fa' },
        gradient_accumulation_steps: 4,
      },
      postprocessing: { hysteresis: { tau_on: 0.9, tau_off: 0.7 }, duration: { min_duration_s: 5 } },
      experiment: { seed: 9 },
    });
    expect(dataDir).toBe('/data/edf');
    expect(settings).toMatchObject({
      learningRate: 3e-4,
      batch: 8,
      // An unknown key, which production drops without a word.
      microBatches: 1,
      seed: 9,
      workers: 4,
      persistentWorkers: true,
      earlyStopping: { metric: 'sensitivity_at_10fa', patience: 2 },
      postprocessing: { tau_on: 0.9, tau_off: 0.7, min_duration_s: 5, tau_merge: 2 },
      model: { layers: 3, dropout: 0.2, convKernel: 3 },
    });
  });

  test.each([
    [[], 'the configuration is no mapping of sections'],
    [{ data: {}, model: {}, training: {} }, 'the section postprocessing is missing'],
    [{ ...MINIMAL, training: { epochs: 'many' } }, 'training.epochs is "many", it must be a number'],
    [{ ...MINIMAL, training: { optimizer: 'sgd' } }, 'training.optimizer is "sgd", it must be one of adamw'],
    [{ ...MINIMAL, data: { use_balanced_sampling: 'yes' } }, /use_balanced_sampling is "yes"/],
    [{ ...MINIMAL, training: { early_stopping: { metric: 'luck' } } }, /is "luck"; known are auroc/],
  ])('that does not work is refused with a sentence: %o', (config, message) => {
    expect(() => fromProduction(config)).toThrow(message);
  });
});
