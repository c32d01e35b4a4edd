import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../../src/data/bytes';
import { Dataset, openRecordings } from '../../../../src/data/dataset';
import { pairFiles } from '../../../../src/data/recording';
import { syntheticCorpus } from '../../../../src/data/synthetic/corpus';
import type { EegEvent } from '../../../../src/training/eeg/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../../src/training/eeg/settings';
import { EegTrainer } from '../../../../src/training/eeg/trainer';
import { testDevice } from '../../engine/check-op';

const device = testDevice({ defaultsOnly: true });

const CORPUS = { seed: 7, patients: 3, recordingsPerPatient: 1, duration: 150, seizures: 1 };
const folder = openRecordings(
  pairFiles([...syntheticCorpus(CORPUS)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }))),
);

const SETTINGS: EegSettings = {
  ...SMOKE_RUN,
  model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 1, mixer: 'conv' },
  epochs: 2,
  batch: 2,
  stepsPerEpoch: 3,
  validationStride: 60,
};

type Of<T extends EegEvent['type']> = Extract<EegEvent, { type: T }>;

async function run(settings: EegSettings, during?: (trainer: EegTrainer, event: EegEvent) => void) {
  const events: EegEvent[] = [];
  let weights = new Map<string, Float32Array>();
  const before = device().allocatedBytes;
  let planned = 0;
  let highest = 0;
  const trainer: EegTrainer = new EegTrainer({
    device: () => Promise.resolve(device()),
    dataset: new Dataset(await folder),
    settings,
    emit: (event) => {
      events.push(event);
      if (event.type === 'planned') planned = event.plan.memory.reduce((sum, { bytes }) => sum + bytes, 0);
      highest = Math.max(highest, device().allocatedBytes - before);
      during?.(trainer, event);
    },
    keep: async (parameters) => void (weights = await parameters.read()),
  });
  await trainer.run();
  expect(device().allocatedBytes).toBe(before);
  const of = <T extends EegEvent['type']>(type: T): Of<T>[] =>
    events.filter((event): event is Of<T> => event.type === type);
  const steps = of('progress').flatMap(({ metrics }) => [...metrics.loss]);
  return { of, events, losses: steps, weights, planned, highest };
}

describe('a training on EEG', () => {
  test('goes through its epochs, validates after each, and takes what it planned', async () => {
    const { of, losses, planned, highest } = await run(SETTINGS);
    expect(of('failed')).toEqual([]);
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 6 }]);
    expect(losses).toHaveLength(6);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(highest).toBe(planned);
    const validated = of('validated');
    expect(validated.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 3],
      [2, 6],
    ]);
    const [{ plan }] = of('planned') as [Of<'planned'>];
    for (const { results, scores } of validated) {
      expect(results.map(({ recording }) => recording)).toEqual(plan.recordings.validation);
      expect(scores.hours).toBeCloseTo(150 / 3600, 6);
      expect(scores.auroc).toBeGreaterThanOrEqual(0);
      for (const { probabilities, rate, reference } of results) {
        expect(probabilities).toHaveLength(150 * rate);
        expect(reference).toHaveLength(1);
      }
    }
    expect(plan.recordings.training).not.toContain(plan.recordings.validation[0]);
  });

  test('gives the same bits twice', async () => {
    const short = { ...SETTINGS, epochs: 1, model: { ...SETTINGS.model, dropout: 0.2 } };
    const [first, second] = [await run(short), await run(short)];
    expect(second.losses).toEqual(first.losses);
    expect(second.weights).toEqual(first.weights);
    const other = await run({ ...short, seed: 43 });
    expect(other.losses).not.toEqual(first.losses);
  });

  test('can be paused, resumed and stopped', async () => {
    let paused = 0;
    const { of } = await run({ ...SETTINGS, epochs: 5 }, (trainer, event) => {
      if (event.type === 'planned') trainer.pause();
      if (event.type === 'paused') {
        paused++;
        setTimeout(() => trainer.resume(), 50);
      }
      if (event.type === 'validated') trainer.stop();
    });
    expect(paused).toBe(1);
    expect(of('resumed')).toHaveLength(1);
    expect(of('finished')).toMatchObject([{ reason: 'stopped' }]);
  });

  test('in micro-batches and with checkpointing takes as many updates', async () => {
    const { of, losses } = await run({ ...SETTINGS, epochs: 1, microBatches: 2, checkpointing: true });
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 3 }]);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  test.each([
    [{ batch: 3, microBatches: 2 }, 'A batch of 3 windows cannot be divided into 2 equal parts.'],
    [{ batch: 200 }, /^There are \d+ windows of 60 s to train on, fewer than one batch of 200\.$/],
    [{ workers: 2 }, 'Workers that read windows exist in a browser alone: ask for 0.'],
    [{ persistentWorkers: true }, 'Persistent workers need at least one worker.'],
    [{ epochs: 0 }, 'Epochs is a whole number from 1 to 200, it is 0.'],
  ])('with settings that do not work fails with a sentence: %o', async (changes, message) => {
    const { of } = await run({ ...SETTINGS, ...changes });
    expect(of('failed')[0]?.failure.message).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });
});
