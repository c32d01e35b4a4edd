import { describe, expect, test } from 'vitest';
import type { FloatTensor, TrainingState } from '../../../src/checkpoints/state';
import { memorySource } from '../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { localSource } from '../../../src/eeg/windows/loader';
import { pairFiles } from '../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { MemoryCheckpoints } from '../../../src/training/checkpoints';
import type { EegEvent } from '../../../src/training/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../src/training/settings';
import { EegTrainer, type EegTrainerOptions } from '../../../src/training/trainer';
import { FULL } from '../../full';
import { testDevice } from '../engine/check-op';

const device = testDevice();

const CORPUS = { seed: 7, patients: 3, recordingsPerPatient: 1, duration: 120, seizures: 1 };
const folder = openRecordings(
  pairFiles([...syntheticCorpus(CORPUS)].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }))),
);

const SETTINGS: EegSettings = {
  ...SMOKE_RUN,
  model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 1, mixer: 'conv', dropout: 0.2 },
  epochs: 2,
  batch: 1,
  stepsPerEpoch: 2,
  validationStride: 60,
};

type Of<T extends EegEvent['type']> = Extract<EegEvent, { type: T }>;

async function run(
  settings: EegSettings,
  during?: (trainer: EegTrainer, event: EegEvent) => void,
  more: Partial<EegTrainerOptions> = {},
) {
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
    ...more,
  });
  await trainer.run();
  expect(device().allocatedBytes).toBe(before);
  const of = <T extends EegEvent['type']>(type: T): Of<T>[] =>
    events.filter((event): event is Of<T> => event.type === type);
  const steps = of('progress').flatMap(({ metrics }) => [...metrics.loss]);
  return { of, events, losses: steps, weights, planned, highest };
}

/** The run that others are held against, and its last state. */
const plain = () =>
  (plainRun ??= (async () => {
    const checkpoints = new MemoryCheckpoints();
    const result = await run(SETTINGS, undefined, { checkpoints });
    return { ...result, state: (await checkpoints.latest()) as TrainingState };
  })());
let plainRun: Promise<Awaited<ReturnType<typeof run>> & { state: TrainingState }> | undefined;

describe('a training on EEG', () => {
  test('goes through its epochs, validates after each, and takes what it planned', async () => {
    const { of, losses, planned, highest } = await plain();
    expect(of('failed')).toEqual([]);
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 4 }]);
    expect(losses).toHaveLength(4);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(highest).toBe(planned);
    const validated = of('validated');
    expect(validated.map(({ epoch, step }) => [epoch, step])).toEqual([
      [1, 2],
      [2, 4],
    ]);
    const [{ plan }] = of('planned') as [Of<'planned'>];
    for (const { results, scores } of validated) {
      expect(results.map(({ recording }) => recording)).toEqual(plan.recordings.validation);
      expect(scores.hours).toBeCloseTo(120 / 3600, 6);
      expect(scores.auroc).toBeGreaterThanOrEqual(0);
      for (const { probabilities, rate, reference } of results) {
        expect(probabilities).toHaveLength(120 * rate);
        expect(reference).toHaveLength(1);
      }
    }
    expect(plan.recordings.training).not.toContain(plan.recordings.validation[0]);
  });

  test('tells what it says of a part of a recording between steps, and trains the same', async () => {
    const { losses, of: before } = await plain();
    const [validated] = before('validated').slice(-1);
    const recording = validated?.results[0]?.recording ?? -1;
    const whole = { recording, start: 0, seconds: 120, everySteps: 2 };
    const part = { ...whole, start: 100, seconds: 10 };
    let told = 0;
    const watching = await run(SETTINGS, (_, { type }) => void (told += Number(type === 'glimpsed')), {
      watched: () => (told < 2 ? whole : part),
    });
    expect(watching.losses).toEqual(losses);
    const [first, second, last] = watching.of('glimpsed');
    expect([first?.step, second?.step, last?.step]).toEqual([0, 2, 4]);
    expect(first?.probabilities).toHaveLength(480);
    expect(first?.probabilities).not.toEqual(second?.probabilities);
    // The validation's windows do not overlap either.
    expect(last?.start).toBe(60);
    expect(last?.probabilities).toEqual(validated?.results[0]?.probabilities.subarray(240));
  });

  test('stops early where less is better, when it was not less for as long as the patience is', async () => {
    const earlyStopping = { ...SETTINGS.earlyStopping, metric: 'auroc', mode: 'min', patience: 2 } as const;
    const { of } = await run({ ...SETTINGS, epochs: 12, stepsPerEpoch: 1, seed: 3, earlyStopping });
    let least = Infinity;
    let without = 0;
    for (const { scores, best } of of('validated')) {
      expect(without).toBeLessThan(2);
      expect(best).toBe((scores.auroc as number) < least);
      least = Math.min(least, scores.auroc as number);
      without = best ? 0 : without + 1;
    }
    expect(without).toBe(2);
    expect(of('finished')).toMatchObject([{ reason: 'early-stopping', steps: of('validated').length }]);
  });

  test('stops on a collapse after three epochs no better than guessing, paused and resumed or not', async () => {
    const settings = { ...SETTINGS, epochs: 9, stepsPerEpoch: 1, learningRate: 1e-6, seed: 2 };
    const { of } = await run(settings, (trainer, event) => {
      if (event.type === 'planned') trainer.pause();
      if (event.type === 'paused') setTimeout(() => trainer.resume(), 50);
    });
    expect(of('paused')).toHaveLength(1);
    expect(of('resumed')).toHaveLength(1);
    const areas = of('validated').map(({ scores }) => scores.auroc as number);
    expect(areas).toHaveLength(4);
    expect(areas[3]).toBeLessThan(0.55);
    expect(of('finished')).toMatchObject([{ reason: 'collapse', steps: 4 }]);
  });

  test.each<[boolean, number]>([[true, 1], ...(FULL ? [[false, 2] as [boolean, number]] : [])])(
    'workers that persist (%s) are started %i times for two epochs; the same seed trains the same to the bit, another does not',
    async (persistentWorkers, starts) => {
      const dataset = new Dataset(await folder);
      const startedWith: number[] = [];
      let open = 0;
      const startWorkers: EegTrainerOptions['startWorkers'] = (count) => {
        startedWith.push(count);
        return Array.from({ length: count }, () => {
          open++;
          return { ...localSource(dataset), close: () => void open-- };
        });
      };
      const settings = {
        ...SETTINGS,
        workers: 2,
        persistentWorkers,
        ...(!persistentWorkers && { stepsPerEpoch: 1, seed: 43 }),
      };
      const { of, losses, weights } = await run(settings, undefined, { startWorkers });
      expect(of('finished')).toMatchObject([{ reason: 'completed' }]);
      expect(startedWith).toEqual(Array(starts).fill(2));
      expect(open).toBe(0);
      if (!persistentWorkers) {
        expect(losses[0]).not.toEqual((await plain()).losses[0]);
        return;
      }
      // The only two runs with these settings: what they give, dropout included, is repeated.
      expect(losses).toEqual((await plain()).losses);
      expect(weights).toEqual((await plain()).weights);
    },
  );

  test('with weights that are no numbers fails before anything is trained, and says from which tensor on', async () => {
    const { state } = await plain();
    const parameters = new Map(state.parameters);
    const [name, { shape, data }] = [...parameters][0] as [string, FloatTensor];
    parameters.set(name, { shape, data: data.map(() => NaN) });
    const { of, losses } = await run(SETTINGS, undefined, { weights: { ...state, parameters } });
    expect(losses).toEqual([]);
    expect(of('failed')[0]?.failure).toMatchObject({
      kind: 'not-finite',
      message: expect.stringMatching(
        /^The first batch gives probabilities that are no numbers, from .* on; nothing was trained/,
      ) as string,
    });
  });

  test('in micro-batches and with checkpointing takes as many steps, and can be stopped', async () => {
    const parts = { stepsPerEpoch: 1, batch: 2, microBatches: 2, checkpointing: true };
    const { of, losses } = await run({ ...SETTINGS, ...parts, epochs: 5 }, (trainer, event) => {
      if (event.type === 'validated') trainer.stop();
    });
    expect(of('finished')).toMatchObject([{ reason: 'stopped', steps: 1 }]);
    expect(losses).toHaveLength(1);
    expect(losses.every(Number.isFinite)).toBe(true);
  });

  test.each([
    [{ batch: 3, microBatches: 2 }, 'A batch of 3 windows cannot be divided into 2 equal parts.'],
    [
      { batch: 200 },
      /^For training there are \d+ windows of 60 s, fewer than one batch of 200: .*\d of \d recordings have seizures\.$/,
    ],
    [{ workers: 2 }, 'Workers that read windows exist in a browser alone: ask for 0.'],
    [{ persistentWorkers: true }, 'Persistent workers need at least one worker.'],
    [{ epochs: 0 }, 'Epochs must be a whole number from 1 to 200; it is 0.'],
  ])('with settings that do not work fails with a sentence: %o', async (changes, message) => {
    const { of } = await run({ ...SETTINGS, ...changes });
    expect(of('failed')[0]?.failure.message).toEqual(
      typeof message === 'string' ? message : expect.stringMatching(message),
    );
  });
});
