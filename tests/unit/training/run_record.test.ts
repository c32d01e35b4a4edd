import { describe, expect, test } from 'vitest';
import type { Json, TrainingState } from '../../../src/checkpoints/state';
import type { EegEvent } from '../../../src/training/protocol';
import { asJson, readSummary, RunRecord, summaryOf } from '../../../src/training/run_record';
import { SMOKE_RUN, storedSettings, type EegSettings } from '../../../src/training/settings';

const data = new Float32Array(6);

const stateWith = (config: string, sampler: Json = { windows: 40, recordings: 'abc' }): TrainingState => ({
  parameters: new Map([['weight', { shape: [2, 3], data }]]),
  firstMoments: new Map(),
  secondMoments: new Map(),
  buffers: new Map(),
  progress: {
    epoch: 1,
    step: 3,
    batches: 3,
    bestScore: null,
    config,
    schedule: { steps: 9 },
    lossScale: null,
    rng: { seed: 42 },
    sampler,
    earlyStopping: { without: 0 },
  },
});

const progressed = (losses: readonly number[], seconds: number): EegEvent => {
  const loss = Float64Array.from(losses);
  const metrics = { step: loss, loss, accuracy: loss, gradientNorm: loss };
  return { type: 'progress', epoch: 1, metrics, seconds, stepsPerSecond: 1, secondsLeft: 1 };
};

describe('a run of which a file brings the state alone', () => {
  test('is one to go on with: its settings, its length, losses that are not known', () => {
    const summary = summaryOf(stateWith(JSON.stringify(SMOKE_RUN)));
    expect(summary).toMatchObject({
      settings: SMOKE_RUN,
      plan: { parameters: 6, steps: 9, windows: { training: 40 } },
      data: null,
      losses: [NaN, NaN, NaN],
    });
    expect(readSummary(asJson(summary))).toEqual(summary);
  });

  test.each([
    ['epochs: 3', 'does not hold the settings of a run on EEG'],
    ['[]', 'does not hold the settings of a run on EEG'],
    [JSON.stringify({ ...SMOKE_RUN, epochs: 1000 }), 'Epochs must be a whole number from 1 to 200'],
  ])('is rejected where its settings are none: %#', (config, message) => {
    expect(() => summaryOf(stateWith(config))).toThrow(message);
  });

  test('is rejected where it does not say where it stood', () => {
    expect(() => summaryOf(stateWith(JSON.stringify(SMOKE_RUN), null))).toThrow('where the run stood');
  });
});

test('settings of a version that knew fewer of them are completed', () => {
  const { falseAlarmRates: _, ...older } = SMOKE_RUN;
  const { mode: __, ...earlyStopping } = SMOKE_RUN.earlyStopping;
  const { kernelSizes: ___, ...model } = SMOKE_RUN.model;
  expect(storedSettings(JSON.stringify({ ...older, earlyStopping, model }))).toEqual(SMOKE_RUN);
});

test('the time of training adds up over the resumptions of a run, killed or not', () => {
  const settings: EegSettings = SMOKE_RUN;
  const summary = { ...summaryOf(stateWith(JSON.stringify(settings))), losses: [], seconds: 10 };
  const record = new RunRecord(summary);
  record.add(progressed([0.5], 2));
  expect(record.summary.seconds).toBe(12);
  record.add({ type: 'recovering', attempt: 1, attempts: 3, step: 1, shortSubmits: false, damaged: null });
  record.add(progressed([0.4], 3));
  expect(record.summary).toMatchObject({ seconds: 15, losses: [0.5, 0.4] });
  record.add({ type: 'finished', reason: 'completed', steps: 2, seconds: 4 });
  expect(record.summary).toMatchObject({ seconds: 16, outcome: 'completed' });
});

test('a run whose GPU is gone was interrupted, and has not ended', () => {
  const failed = (kind: string): string | null => {
    const record = new RunRecord(summaryOf(stateWith(JSON.stringify(SMOKE_RUN))));
    record.add({ type: 'failed', failure: { kind, message: 'Gone.', advice: '' }, suggestions: [] });
    return record.summary.outcome;
  };
  expect(['device-lost', 'held-back', 'not-finite'].map(failed)).toEqual([null, null, 'Gone.']);
});
