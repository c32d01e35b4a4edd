import { beforeAll, describe, expect, test, vi } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { Random } from '../../../src/base/random';
import { tasks } from '../../../src/lessons/tasks';
import type { RunEvent } from '../../../src/lessons/loop/protocol';
import { fullTest } from '../../full';
import { testDevice } from '../engine/check-op';
import { losable } from '../run/losable';
import { mean, record, TINY, type Recording } from './record';

const STEPS = 20;
/** Milliseconds that a software adapter on a busy machine may take for all kernels. */
const COMPILING = 300_000;
const { sizes, training } = tasks.selective_copying.presets.tiny;

const shared = testDevice();
let device: Device;
/** Bytes on the device that no run here holds. */
let others = 0;
let first: Recording;
/** Bytes of the first run at its first step. */
let allocated = 0;

beforeAll(async () => {
  device = shared();
  others = device.allocatedBytes;
  first = await record(device, TINY, { maxSteps: STEPS }, ({ type }) => {
    if (type === 'progress') allocated = device.allocatedBytes - others;
  });
}, COMPILING);

const types = ({ events }: Recording): string[] => events.map(({ type }) => type);

function only<T extends RunEvent['type']>({ events }: Recording, type: T): Extract<RunEvent, { type: T }>[] {
  return events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
}

describe('a run of some steps', () => {
  test('says what it does in order', () => {
    const order = types(first).filter((type, i, all) => type !== all[i - 1]);
    expect(order.slice(0, 4)).toEqual(['planned', 'preparing', 'preview', 'progress']);
    expect(order.slice(-3)).toEqual(['progress', 'preview', 'finished']);
    expect(first.last).toMatchObject({ reason: 'completed', steps: STEPS });
  });

  test('reports every step once, with finite numbers', () => {
    const progress = only(first, 'progress');
    expect(progress.flatMap(({ metrics }) => [...metrics.step])).toEqual(
      Array.from({ length: STEPS }, (_, i) => i + 1),
    );
    for (const { metrics, stepsPerSecond, tokensPerSecond, secondsLeft } of progress) {
      for (const values of [metrics.loss, metrics.accuracy, metrics.gradientNorm]) {
        expect(values).toHaveLength(metrics.step.length);
        expect(values.every((value) => value >= 0 && value < 100)).toBe(true);
      }
      expect(stepsPerSecond).toBeGreaterThan(0);
      expect(tokensPerSecond).toBeCloseTo(stepsPerSecond * training.batch * sizes.length);
      expect(secondsLeft).toBeGreaterThanOrEqual(0);
    }
    expect(progress.at(-1)?.secondsLeft).toBe(0);
  });

  test('asks the device for exactly what it planned, and gives it back', () => {
    const [planned] = only(first, 'planned');
    expect(planned?.plan).toMatchObject({
      steps: STEPS,
      tokensPerStep: training.batch * sizes.length,
      layers: 1,
      length: sizes.length,
      vocabulary: sizes.vocabulary,
    });
    const bytes = planned?.plan.memory.map(({ bytes }) => bytes) ?? [];
    expect(bytes.every((part) => part > 0)).toBe(true);
    expect(bytes.reduce((sum, part) => sum + part, 0)).toBe(allocated);
    expect(device.allocatedBytes).toBe(others);
  });

  test('previews the same held-out sequence from before the first step to the last', () => {
    const previews = only(first, 'preview').map(({ preview }) => preview);
    expect(previews[0]?.step).toBe(0);
    expect(previews.at(-1)?.step).toBe(STEPS);
    for (const { tokens, targets, predicted, delta } of previews) {
      expect(tokens).toEqual(previews[0]?.tokens);
      expect(targets).toEqual(previews[0]?.targets);
      expect(predicted).toHaveLength(sizes.length);
      expect(predicted.every((token) => token < sizes.vocabulary)).toBe(true);
      expect(delta.map(({ length }) => length)).toEqual([sizes.length]);
      expect(delta[0]?.every((value) => value > 0 && value < 10)).toBe(true);
    }
    // Noise looks like noise and letters do not: the model's Δ depends on the token.
    expect(new Set(previews.at(-1)?.delta[0]).size).toBeGreaterThan(2);
  });
});

describe('a run repeats', () => {
  test('bit for bit with the same seed, a pause in it or not', async () => {
    let rested = 0;
    const second = await record(device, TINY, { maxSteps: STEPS }, (event, trainer) => {
      if (event.type === 'progress' && rested++ === 0) trainer.pause();
      if (event.type === 'paused') setTimeout(() => trainer.resume(), 200);
    });
    expect(second.losses).toEqual(first.losses);
    expect(second.parameters).toEqual(first.parameters);
    const order = types(second);
    const at = order.indexOf('paused');
    expect(order.slice(at - 1, at + 2)).toEqual(['preview', 'paused', 'resumed']);
    expect(order.filter((type) => type === 'paused' || type === 'resumed')).toHaveLength(2);
  });

  test('differently with another seed', async () => {
    const other = await record(device, { ...TINY, seed: 2 }, { maxSteps: 3 });
    expect(other.losses).toHaveLength(3);
    other.losses.forEach((loss, i) => expect(loss).not.toBe(first.losses[i]));
  });
});

test('a run learns, and ends when held-out sequences were answered well three times, once in twenty steps', async () => {
  const preset: { solved?: number | undefined } = training;
  const { solved } = preset;
  // Any answer is good enough.
  preset.solved = 0;
  const run = await record(device, TINY).finally(() => (preset.solved = solved));
  expect(run.last).toMatchObject({ type: 'finished', reason: 'solved' });
  // The next step may have started.
  expect([60, 61]).toContain(run.losses.length);
  expect(mean(run.losses.slice(-10))).toBeLessThan(0.95 * mean(run.losses.slice(0, 3)));
});

describe('a run is stopped', () => {
  test('after the step it is at', async () => {
    const run = await record(device, TINY, {}, ({ type }, trainer) => {
      if (type === 'progress') trainer.stop();
    });
    expect(run.last).toMatchObject({ type: 'finished', reason: 'stopped', steps: run.losses.length });
    expect(run.losses.length).toBeLessThan(training.steps);
    expect(run.losses.slice(0, STEPS)).toEqual(first.losses.slice(0, run.losses.length));
    expect(run.parameters.size).toBeGreaterThan(0);
  });

  test('in a pause, which does not end', async () => {
    const run = await record(device, TINY, {}, ({ type }, trainer) => {
      if (type === 'progress') trainer.pause();
      if (type === 'paused') setTimeout(() => trainer.stop(), 50);
    });
    expect(types(run)).not.toContain('resumed');
    expect(run.last).toMatchObject({ type: 'finished', reason: 'stopped' });
  });

  test('before the first step', async () => {
    const run = await record(device, TINY, {}, ({ type }, trainer) => {
      if (type === 'preparing') trainer.stop();
    });
    expect(types(run)).toEqual(['planned', 'preparing', 'finished']);
    expect(run.last).toEqual({ type: 'finished', reason: 'stopped', steps: 0, seconds: 0 });
    expect(device.allocatedBytes).toBe(others);
  });
});

describe('a run whose GPU is lost', () => {
  // Each device compiles all kernels.
  fullTest(
    'resumes on another from the state that it kept, and ends the same to the bit',
    { timeout: COMPILING },
    async () => {
      const { gpu, lose } = losable(await requestNodeGpu());
      const devices = [await Device.request(gpu), device];
      const real = performance.now.bind(performance);
      let calls = 0;
      // A state is kept every few steps, and others are lost.
      const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + 300 * ++calls);
      let reached = 0;
      const run = await record(
        () => devices.shift() as Device,
        TINY,
        { maxSteps: STEPS },
        (event) => {
          if (event.type !== 'progress') return;
          reached = event.metrics.step.at(-1) ?? 0;
          if (reached >= STEPS / 2) lose();
        },
      );
      clock.mockRestore();
      const [recovering, ...others] = only(run, 'recovering');
      expect(others).toEqual([]);
      expect(recovering?.step).toBeGreaterThan(0);
      expect(run.last).toMatchObject({ reason: 'completed', steps: STEPS });
      // The page forgets what came after the kept state.
      const index = run.events.findIndex(({ type }) => type === 'recovering');
      const lossesOf = (events: readonly RunEvent[]) =>
        events.flatMap((event) => (event.type === 'progress' ? [...event.metrics.loss] : []));
      const losses = [
        ...lossesOf(run.events.slice(0, index)).slice(0, recovering?.step),
        ...lossesOf(run.events.slice(index)),
      ];
      expect(losses).toEqual(first.losses);
      expect(run.parameters).toEqual(first.parameters);
    },
  );
});

describe('a run fails with a reason and advice', () => {
  const failure = ({ last }: Recording) => (last.type === 'failed' ? last.failure : undefined);

  test('when the GPU is lost again and again', async () => {
    const lost = await Device.request(await requestNodeGpu());
    const run = await record(lost, TINY, {}, ({ type }) => {
      if (type === 'planned') lost.giveUp('it was taken away');
    });
    expect(failure(run)).toMatchObject({ kind: 'device-lost' });
    expect(only(run, 'recovering').map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    expect(lost.allocatedBytes).toBe(0);
  });

  test('when the model does not fit the device', async () => {
    const small = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
    const run = await record(small, { ...TINY, preset: 'published' });
    expect(types(run)).toEqual(['failed']);
    expect(failure(run)).toMatchObject({ kind: 'graph' });
    expect(failure(run)?.message).toMatch(/linear.* bytes, this device binds at most 134217728\.$/);
    expect(failure(run)?.advice).toMatch(/smaller preset/);
    expect(small.allocatedBytes).toBe(0);
    small.destroy();
  });

  test('when a number is no number any more', async () => {
    // The embedding starts so.
    const normal = vi.spyOn(Random.prototype, 'normal').mockReturnValue(NaN);
    const run = await record(device, TINY);
    normal.mockRestore();
    expect(failure(run)).toMatchObject({ kind: 'not-finite' });
    expect(failure(run)?.message).toMatch(/^In step 1 of \d+ the loss became NaN/);
    expect(run.losses).toEqual([]);
    expect(device.allocatedBytes).toBe(others);
  });

  test('when there is no GPU', async () => {
    const run = await record(Device.request(undefined), TINY);
    expect(failure(run)).toMatchObject({ kind: 'unsupported' });
  });

  test.each([
    [{ task: 'toString' }, /no task named toString, only selective_copying/],
    [{ preset: 'huge' }, /no preset of Selective copying named huge/],
    [{ seed: 0.5 }, /whole number/],
  ])('when the settings are %o', async (change, message) => {
    const run = await record(device, { ...TINY, ...change });
    expect(failure(run)).toMatchObject({
      kind: 'settings',
      message: expect.stringMatching(message) as string,
    });
  });
});
