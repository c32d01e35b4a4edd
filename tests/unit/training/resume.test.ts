import { describe, expect, test, vi } from 'vitest';
import type { TrainingState } from '../../../src/checkpoints/state';
import { readState, writeState } from '../../../src/checkpoints/state_file';
import { memorySource } from '../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { pairFiles } from '../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { Device } from '../../../src/engine/device';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Owned } from '../../../src/run/owned';
import { MemoryCheckpoints } from '../../../src/training/checkpoints';
import { CHOOSING } from '../../../src/run/protocol';
import type { EegEvent } from '../../../src/training/protocol';
import { SMOKE_RUN, type EegSettings } from '../../../src/training/settings';
import { prepareSession } from '../../../src/training/session';
import { capture } from '../../../src/training/state';
import { EegTrainer, type EegTrainerOptions } from '../../../src/training/trainer';
import { FULL, fullTest } from '../../full';
import { testDevice } from '../engine/check-op';
import { requestNullGpu } from '../engine/null_gpu';
import { losable } from '../run/losable';

const device = testDevice();

const open = (seed: number) =>
  openRecordings(
    pairFiles(
      [...syntheticCorpus({ seed, patients: 3, recordingsPerPatient: 1, duration: 120, seizures: 1 })].map(
        ({ path, bytes }) => ({ path, data: memorySource(bytes) }),
      ),
    ),
  );
const folder = open(7);

const SETTINGS: EegSettings = {
  ...SMOKE_RUN,
  model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 1, mixer: 'conv', dropout: 0.2 },
  epochs: 2,
  batch: 1,
  stepsPerEpoch: 2,
  validationStride: 60,
  checkpoints: { everySteps: 1, everyMinutes: null },
};

/** Keeps every state, as a file would. */
class AllCheckpoints extends MemoryCheckpoints {
  readonly #states: TrainingState[] = [];

  override save(slots: readonly ('last' | 'best')[], state: TrainingState): Promise<void> {
    this.#states.push(state);
    return super.save(slots, state);
  }

  /** The first state of that step: before the validation where an epoch ends there. */
  first(step: number): TrainingState {
    const state = this.#states.find(({ progress }) => progress.step === step);
    if (!state) throw new Error(`no state of step ${step} was kept`);
    return state;
  }
}

async function run(
  settings: EegSettings,
  options: Partial<EegTrainerOptions> = {},
  during?: (event: EegEvent, trainer: EegTrainer) => void,
) {
  const events: EegEvent[] = [];
  const checkpoints = new AllCheckpoints();
  const trainer: EegTrainer = new EegTrainer({
    device: () => Promise.resolve(device()),
    dataset: new Dataset(await folder),
    settings,
    checkpoints,
    emit: (event) => {
      events.push(event);
      during?.(event, trainer);
    },
    ...options,
  });
  await trainer.run();
  const of = <T extends EegEvent['type']>(type: T) =>
    events.filter((event): event is Extract<EegEvent, { type: T }> => event.type === type);
  const losses = of('progress').flatMap(({ metrics }) => [...metrics.loss]);
  const norms = of('progress').flatMap(({ metrics }) => [...metrics.gradientNorm]);
  return { events, of, losses, norms, checkpoints, end: await checkpoints.latest() };
}

/** One epoch of them. */
const SHORT: EegSettings = { ...SETTINGS, epochs: 1 };

/** A run from its start to its end; the same for each test that compares with it. */
const whole = (settings: EegSettings) => {
  const key = JSON.stringify(settings);
  const known = wholes.get(key) ?? run(settings);
  wholes.set(key, known);
  return known;
};
const wholes = new Map<string, ReturnType<typeof run>>();

/** The state that a run keeps after that update, as read from a file. */
const keptAt = async (step: number, settings: EegSettings): Promise<TrainingState> =>
  readState(writeState((await whole(settings)).checkpoints.first(step)));

/** The state that a run would save after one step, without a GPU: what the GPU would compute is not in it. */
async function prepared(settings: EegSettings): Promise<TrainingState> {
  const nothing = (): void => undefined;
  const checking = await Device.request(await requestNullGpu());
  // It computes nothing, so there is nothing to compare with float64.
  vi.spyOn(checking, 'capabilities', 'get').mockReturnValue({ ...checking.capabilities, software: true });
  const hooks = {
    preparing: nothing,
    skipped: () => false,
    stopped: () => false,
    suggested: nothing,
    epoch: () => 1,
    device: () => Promise.resolve(checking),
  };
  const owned = new Owned();
  const options = { dataset: new Dataset(await folder), settings, emit: nothing };
  const session = await prepareSession(options, owned, undefined, hooks);
  const progress = { ...session.progress, step: 1 };
  const state = await (await capture(session, progress, settings, session.plan.steps, session.data))();
  owned.destroy();
  checking.destroy();
  return state;
}

describe('a resumed run', () => {
  const goesOn = async (settings: EegSettings, step: number): Promise<void> => {
    const expected = await whole(settings);
    expect(expected.of('failed')).toEqual([]);
    const rest = await run(settings, { from: await keptAt(step, settings) });
    expect(rest.of('failed')).toEqual([]);
    expect(rest.losses).toEqual(expected.losses.slice(step));
    expect(rest.norms).toEqual(expected.norms.slice(step));
    expect(rest.of('validated')).toEqual(expected.of('validated').filter((event) => event.step >= step));
    expect(rest.end).toEqual(expected.end);
    const { epochs, microBatches } = settings;
    expect(rest.end?.progress).toMatchObject({
      epoch: epochs,
      step: 2 * epochs,
      batches: 2 * epochs * microBatches,
    });
  };
  test('goes on as if nothing had happened, to the bit: at the end of an epoch, before its validation', () =>
    goesOn(SETTINGS, 2));
  fullTest.each([
    ['from the first epoch into the second', SETTINGS, 1],
    ['in the middle of the second epoch', SETTINGS, 3],
    ['with micro-batches, in the middle of the first epoch', { ...SHORT, batch: 2, microBatches: 2 }, 1],
  ])('goes on as if nothing had happened, to the bit: %s', (_, settings, step) => goesOn(settings, step));

  const pausedInValidation = async (then: 'resume' | 'stop'): Promise<void> => {
    let asked = false;
    const paused = await run(SHORT, {}, (event, trainer) => {
      if (event.type === 'preparing' && event.label === 'validating' && !asked) {
        asked = true;
        trainer.pause();
      }
      if (event.type === 'paused') setTimeout(() => trainer[then](), 20);
    });
    const unbroken = await whole(SHORT);
    expect(paused.of('paused')).toHaveLength(1);
    expect(paused.checkpoints.first(2)).toEqual(unbroken.checkpoints.first(2));
    const [finished] = paused.of('finished');
    if (then === 'stop') return expect(finished?.reason).toBe('stopped');
    expect(paused.of('resumed')).toHaveLength(1);
    expect(paused.of('validated')).toEqual(unbroken.of('validated'));
    expect(paused.end).toEqual(unbroken.end);
  };
  test('pauses in a validation, says so, and goes on', () => pausedInValidation('resume'));
  fullTest('can be stopped in such a pause', () => pausedInValidation('stop'));

  test('has a first checkpoint after 20 seconds of training, though the interval is longer', async () => {
    const real = performance.now.bind(performance);
    let calls = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => real() + 4000 * ++calls);
    const settings = { ...SHORT, stepsPerEpoch: 4, checkpoints: { everySteps: null, everyMinutes: 30 } };
    const { of } = await run(settings);
    clock.mockRestore();
    const [first, ...rest] = of('saved').map(({ step }) => step);
    expect(first).toBeLessThan(4);
    expect(rest.every((step) => step === 4)).toBe(true);
  });

  test('has nothing left to do where it had come to its end', async () => {
    const expected = await whole(SETTINGS);
    const again = await run(SETTINGS, { from: expected.end as TrainingState });
    expect(again.losses).toEqual([]);
    expect(again.of('finished')).toMatchObject([{ reason: 'completed', steps: 4 }]);
  });

  test('keeps all that the trainer has, in the order of PyTorch', async () => {
    const settings: EegSettings = { ...SHORT, model: { ...SETTINGS.model, mixer: 'mamba2' } };
    const end = FULL ? (await run(settings)).end : await prepared(settings);
    const names = [...(end?.parameters.keys() ?? [])];
    expect(names.slice(0, 2)).toEqual(['encoder.input_conv.conv.weight', 'encoder.input_conv.conv.bias']);
    // The fallback's weights are there, and AdamW knows nothing of them.
    const fallback = 'mamba.layers.0.forward_mamba_fallback.weight';
    expect(names).toContain(fallback);
    expect(end?.firstMoments.has(fallback)).toBe(false);
    expect(end?.firstMoments.has('mamba.layers.0.forward_mamba_real.A_log')).toBe(true);
    expect(end?.parameters.get(fallback)?.data.some((value) => value !== 0)).toBe(true);
  });

  test('rejects the state of other recordings, another schedule or another model at once, with a sentence', async () => {
    const from = await keptAt(1, SETTINGS);
    const failure = async (settings: EegSettings, options: Partial<EegTrainerOptions> = {}) => {
      const { of } = await run(settings, { from, ...options });
      // Before anything is allocated or compiled.
      expect(of('planned')).toEqual([]);
      return of('failed')[0]?.failure.message;
    };
    const other = new Dataset(await open(8));
    expect(await failure(SETTINGS, { dataset: other })).toMatch(
      /^The recordings that are open are not those/,
    );
    expect(await failure({ ...SETTINGS, epochs: 3 })).toMatch(/^The run had 4 steps to do, .* it is 6/);
    const wider = { ...SETTINGS, model: { ...SETTINGS.model, baseChannels: 4 } };
    expect(await failure(wider)).toMatch(/^The checkpoint is that of another model: .* has \d+ values/);
    const deeper = { ...SETTINGS, model: { ...SETTINGS.model, layers: 2 } };
    expect(await failure(deeper)).toMatch(
      /^The checkpoint is that of another model: it lacks mamba\.layers\.1/,
    );
  });
});

describe('a lost GPU', () => {
  /** Loses it once, after the first checkpoint. The second device has what others compiled. */
  async function losing() {
    const { gpu, lose } = losable(await requestNodeGpu());
    const devices = [await Device.request(gpu), device()];
    const checkpoints = new MemoryCheckpoints();
    let lost = false;
    const result = await run(SHORT, {
      device: () => Promise.resolve(devices.shift() as Device),
      checkpoints: {
        save: async (slots, state) => {
          await checkpoints.save(slots, state);
          if (!lost) lose();
          lost = true;
        },
        latest: () => checkpoints.latest(),
      },
    });
    return { ...result, end: await checkpoints.latest() };
  }

  // A device of its own compiles all again. In a quick run tests/browser/resume.test.ts kills the GPU process in mid-run.
  fullTest('is recovered from the last checkpoint, and the end is the same to the bit', async () => {
    const expected = await whole(SHORT);
    const { of, end } = await losing();
    expect(of('failed')).toEqual([]);
    expect(of('recovering')).toMatchObject([{ attempt: 1, attempts: 5, step: 1 }]);
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 2 }]);
    expect({ ...end?.progress, config: '' }).toEqual({ ...expected.end?.progress, config: '' });
    expect(end?.parameters).toEqual(expected.end?.parameters);
    expect(end?.secondMoments).toEqual(expected.end?.secondMoments);
  });

  test('is recovered five times, then the run ends with the reason', async () => {
    const { of } = await run(SETTINGS, {
      device: async () => {
        const { gpu, lose } = losable(await requestNodeGpu());
        const lost = await Device.request(gpu);
        lose();
        return lost;
      },
    });
    expect(of('recovering')).toHaveLength(5);
    expect(of('failed').map(({ failure }) => failure.kind)).toEqual(['device-lost']);
    expect(of('failed')[0]?.failure.message).toContain('It was lost 6 times in this run');
  });

  fullTest('at one step again and again: given less at a time, then what would fit is said', async () => {
    let lose: () => void = () => undefined;
    const { of } = await run(
      { ...SHORT, stepsPerEpoch: 9, batch: 2 },
      {
        device: async () => {
          const other = losable(await requestNodeGpu());
          ({ lose } = other);
          return Device.request(other.gpu);
        },
      },
      (event) => {
        if (event.type === 'progress') lose();
      },
    );
    expect(of('recovering').map(({ shortSubmits }) => shortSubmits)).toEqual([false, true]);
    const [failed] = of('failed');
    expect(failed?.failure.message).toMatch(/It was lost 3 times at step \d, also with shorter submits/);
    expect(failed?.suggestions.map(({ label }) => label)).toContain('2 micro-batches');
  });
});

describe('a run that would not fit', () => {
  test('is rejected before it starts, with what would fit', async () => {
    const settings = { ...SHORT, batch: 2, stepsPerEpoch: 1 };
    // Whether a run takes what it planned is tested of the trainer.
    const plan = (planned: EegSettings) =>
      run(planned, {}, ({ type }, trainer) => {
        if (type === 'planned' && !FULL) trainer.stop();
      });
    const { of } = await plan(settings);
    const bytes = of('planned')[0]?.plan.memory.reduce((sum, use) => sum + use.bytes, 0) ?? 0;
    const limit = Math.floor(0.95 * bytes);
    const before = device().allocatedBytes;
    const rejected = await run({ ...settings, memoryLimit: limit });
    expect(device().allocatedBytes).toBe(before);
    expect(rejected.of('progress')).toEqual([]);
    const [failed] = rejected.of('failed');
    expect(failed?.failure.message).toMatch(
      /asks the GPU for .* GiB, and may have .* what would fit: 2 micro-b/,
    );
    expect(failed?.suggestions.map(({ label }) => label)).toEqual([
      '2 micro-batches',
      'gradient checkpointing',
      'a batch of 1',
    ]);
    const suggestions = failed?.suggestions ?? [];
    for (const { settings: suggested, bytes: promised } of suggestions) {
      const tried = await plan(suggested);
      expect(tried.of('failed')).toEqual([]);
      const [planned] = tried.of('planned');
      expect(planned?.plan.memory.reduce((sum, use) => sum + use.bytes, 0)).toBe(promised);
      expect(promised).toBeLessThanOrEqual(limit);
    }
  });

  test('is rejected before kernels are chosen for it', async () => {
    vi.spyOn(device(), 'capabilities', 'get').mockReturnValue({ ...device().capabilities, software: false });
    try {
      const { of } = await run({ ...SHORT, memoryLimit: 1e6 }, { tuning: new Map() });
      expect(of('failed')[0]?.failure.message).toMatch(/asks the GPU for/);
      expect(of('preparing').map(({ label }) => label)).not.toContain(CHOOSING.label);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('a checkpoint that cannot be kept', () => {
  test('is told, and training goes on', async () => {
    const settings = { ...SHORT, stepsPerEpoch: 1 };
    const { of } = await run(settings, {
      checkpoints: {
        save: () => Promise.reject(new Error('the disk is full')),
        latest: () => Promise.resolve(undefined),
      },
    });
    expect(of('unsaved')[0]).toMatchObject({ message: 'The disk is full.' });
    expect(of('finished')).toMatchObject([{ reason: 'completed', steps: 1 }]);
  });
});
