/** Training with activations in float16: what overflows is skipped, the scale goes down, and all of it is resumed. */
import { expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import type { TrainingState } from '../../../src/checkpoints/state';
import { readState, writeState } from '../../../src/checkpoints/state_file';
import { readTorchCheckpoint } from '../../../src/checkpoints/torch_checkpoint';
import { memorySource } from '../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { pairFiles } from '../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { Device } from '../../../src/engine/device';
import { MemoryCheckpoints } from '../../../src/training/checkpoints';
import { trainerCheckpoint } from '../../../src/training/export';
import type { EegEvent } from '../../../src/training/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../src/training/settings';
import { EegTrainer } from '../../../src/training/trainer';
import { readLossScale } from '../../../src/training/loss_scale';
import { testDevice } from '../engine/check-op';

const device = testDevice();

const folder = openRecordings(
  pairFiles(
    [...syntheticCorpus({ seed: 7, patients: 3, recordingsPerPatient: 1, duration: 150, seizures: 1 })].map(
      ({ path, bytes }) => ({ path, data: memorySource(bytes) }),
    ),
  ),
);

const SETTINGS: EegSettings = {
  ...SMOKE_RUN,
  model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 1, mixer: 'conv', kernelSizes: [3], dropout: 0.2 },
  precision: 'float16',
  epochs: 1,
  batch: 2,
  stepsPerEpoch: 10,
  validationSplit: 0,
  checkpoints: { everySteps: 1, everyMinutes: null },
};

/** A run, with the state after each step. */
async function run(settings: EegSettings, from?: TrainingState, on = device(), maxSteps = Infinity) {
  const events: EegEvent[] = [];
  const states = new Map<number, TrainingState>();
  const checkpoints = new MemoryCheckpoints();
  const trainer = new EegTrainer({
    device: () => Promise.resolve(on),
    dataset: new Dataset(await folder),
    settings,
    checkpoints: {
      save: (slots, state) => {
        const { step } = state.progress;
        if (!states.has(step)) states.set(step, readState(writeState(state)));
        if (step >= maxSteps) trainer.stop();
        return checkpoints.save(slots, state);
      },
      latest: () => checkpoints.latest(),
    },
    emit: (event) => events.push(event),
    ...(from && { from }),
  });
  await trainer.run();
  const of = <T extends EegEvent['type']>(type: T) =>
    events.filter((event): event is Extract<EegEvent, { type: T }> => event.type === type);
  const losses = of('progress').flatMap(({ metrics }) => [...metrics.loss]);
  const norms = of('progress').flatMap(({ metrics }) => [...metrics.gradientNorm]);
  const state = (step: number): TrainingState => {
    const kept = states.get(step);
    if (!kept) throw new Error(`no state of step ${step} was kept`);
    return kept;
  };
  return { of, losses, norms, state };
}

const withScale = (state: TrainingState, scale: number): TrainingState => ({
  ...state,
  progress: { ...state.progress, lossScale: { scale, good: 0, skipped: 0 } },
});

test('is rejected with a sentence where the device has no float16', async () => {
  const without = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
  const { of } = await run(SETTINGS, undefined, without);
  without.destroy();
  expect(of('planned')).toEqual([]);
  expect(of('failed')[0]?.failure.message).toMatch(
    /^Float16 needs the feature shader-f16, which .* does not have; choose float32\.$/,
  );
});

test.for([1, 2])(
  'survives overflows, and is resumed to the bit: %i micro-batches',
  { timeout: 3_600_000 },
  async (microBatches, { skip }) => {
    if (!device().capabilities.half) skip('this adapter has no shader-f16');
    const settings = { ...SETTINGS, microBatches };
    const first = await run(settings, undefined, device(), 1);
    expect(first.of('failed')).toEqual([]);
    expect(readLossScale(first.state(1).progress.lossScale)).toEqual({ scale: 65536, good: 1, skipped: 0 });

    // This model bears about 2²⁶.
    const begin = withScale(first.state(1), 2 ** 29);
    const { of, losses, norms, state } = await run(settings, begin);
    expect(of('failed')).toEqual([]);
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 10 }]);
    const skipped = of('skipped');
    expect(skipped.length).toBeGreaterThanOrEqual(2);
    expect(skipped.length).toBeLessThan(8);
    // Each halves the scale; whether one overflows depends on its windows, too.
    expect(skipped.map(({ lossScale }) => lossScale)).toEqual(skipped.map((_, i) => 2 ** (28 - i)));
    const steps = skipped.map(({ step }) => step);
    expect(steps[0]).toBe(2);
    for (const step of steps) {
      const before = step === 2 ? begin : state(step - 1);
      expect(state(step).parameters).toEqual(before.parameters);
      expect(state(step).firstMoments).toEqual(before.firstMoments);
      expect(state(step).secondMoments).toEqual(before.secondMoments);
    }
    const last = Math.max(...steps);
    expect(state(last + 1).parameters).not.toEqual(state(last).parameters);
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(norms.map(Number.isFinite)).toEqual(norms.map((_, i) => !steps.includes(i + 2)));
    const end = state(10);
    expect(readLossScale(end.progress.lossScale)).toEqual({
      scale: 2 ** (29 - skipped.length),
      good: 10 - last,
      skipped: skipped.length,
    });
    // PyTorch's AdamW counts its own steps.
    const file = new Uint8Array(await new Blob(trainerCheckpoint(end, settings)).arrayBuffer());
    expect(readTorchCheckpoint(file).step).toBe(10 - skipped.length);

    const rest = await run(settings, state(3));
    expect(rest.losses).toEqual(losses.slice(2));
    expect(rest.norms).toEqual(norms.slice(2));
    expect(rest.state(10)).toEqual(end);
  },
);

test('ends where the loss itself is not finite', { timeout: 3_600_000 }, async ({ skip }) => {
  if (!device().capabilities.half) skip('this adapter has no shader-f16');
  const first = await run(SETTINGS, undefined, device(), 1);
  const state = first.state(1);
  // The weights of the next step are huge, and the loss after it is no number.
  const fill = (group: TrainingState['firstMoments'], value: number): TrainingState['firstMoments'] =>
    new Map([...group].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => value) }]));
  const { of } = await run(SETTINGS, {
    ...state,
    firstMoments: fill(state.firstMoments, 1e30),
    secondMoments: fill(state.secondMoments, 0),
  });
  expect(of('skipped')).toEqual([]);
  expect(of('failed')[0]?.failure.kind).toBe('not-finite');
  expect(of('failed')[0]?.failure.message).toMatch(/^In step 3 of 10 the loss became /);
});
