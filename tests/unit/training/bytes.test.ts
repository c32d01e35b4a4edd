/** What a run asks the GPU for is known to the byte before it is started. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Device } from '../../../src/engine/device';
import type { Graph, Tensor } from '../../../src/engine/graph';
import { Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { Random } from '../../../src/base/random';
import { bytesOf, costOf, suggest } from '../../../src/training/fits';
import { evaluationGraph } from '../../../src/detection/evaluation';
import { stepGraph } from '../../../src/training/graphs';
import { FULL } from '../../full';
import { requestNullGpu } from '../engine/null_gpu';
import { checkSettings, detectorConfigOf, SMOKE_RUN, type EegSettings } from '../../../src/training/settings';

/** Without machine code, which for fifty detectors would take the better part of an hour on a software driver. */
let device: Device;
beforeAll(async () => {
  device = await Device.request(await requestNullGpu());
});
afterAll(() => device.destroy());

/**
 * Small enough for the host's memory: a window of 60 s takes 17 MB at a width of 2. Few lengths of the batch and kernels, so
 * that most shaders of a case are known from another: checking them takes the time.
 */
function randomSettings(random: Random): EegSettings {
  const oneOf = <T>(choices: readonly T[]): T => choices[random.integer(choices.length)] as T;
  const mixer = oneOf(['conv', 'mamba2'] as const);
  const batch = oneOf([1, 2]);
  const settings: EegSettings = {
    ...SMOKE_RUN,
    model: {
      ...SMOKE_RUN.model,
      baseChannels: oneOf([2, 4]),
      mixer,
      layers: oneOf([1, 1, 2]),
      convKernel: oneOf(mixer === 'conv' ? [3, 5] : [3, 4]),
      dropout: oneOf([0, 0.1]),
    },
    batch,
    microBatches: oneOf([1, batch]),
    checkpointing: oneOf([false, true]),
    precision: oneOf(['float32', 'float16']),
    loss: oneOf(['bce', 'focal']),
    clip: oneOf([0, 1]),
  };
  checkSettings(settings);
  return settings;
}

/** Those that have a mixer, a precision, micro-batches or checkpointing that none before them has. */
function covering(cases: readonly EegSettings[]): EegSettings[] {
  const seen = new Set<string>();
  return cases.filter(({ model, microBatches, checkpointing, precision }) => {
    const before = seen.size;
    for (const value of [model.mixer, precision, `parts ${microBatches > 1}`, `again ${checkpointing}`])
      seen.add(value);
    return seen.size > before;
  });
}

/** What the trainer allocates for them. */
async function allocatedBytes(settings: EegSettings): Promise<number> {
  const config = detectorConfigOf(settings.model, Number(settings.model.baseChannels));
  const { graph, loss, norm, optimizerGraph } = stepGraph(settings, config, 1);
  const evaluation = evaluationGraph(config, settings.batch / settings.microBatches, settings.precision);
  const before = device.allocatedBytes;
  const parameters = await Parameters.create(device, graph, {
    training: true,
    accumulating: optimizerGraph !== null,
  });
  const programs: Program[] = [];
  const compile = async (compiled: Graph, ...outputs: Tensor[]) =>
    programs.push(await Program.compile(device, compiled, { outputs, parameters }));
  await compile(graph, ...(optimizerGraph ? [loss] : [loss, norm]));
  if (optimizerGraph) await compile(optimizerGraph, norm);
  await compile(evaluation.graph, evaluation.probabilities);
  const allocated = device.allocatedBytes - before;
  for (const held of [...programs, parameters]) held.destroy();
  expect(device.allocatedBytes).toBe(before);
  return allocated;
}

describe('predicted bytes are those that the device is asked for', () => {
  const random = new Random(50);
  const predicted: number[] = [];
  const all = Array.from({ length: 50 }, () => randomSettings(random));
  const cases = FULL ? all : covering(all);

  test.each(cases.map((settings, index) => [index + 1, settings] as const))(
    'of random settings %i',
    async (_, settings) => {
      const bytes = bytesOf(settings, device.capabilities);
      predicted.push(bytes);
      expect(await allocatedBytes(settings)).toBe(bytes);
    },
    300_000,
  );

  test('and the settings are not all alike', () => {
    expect(new Set(predicted).size).toBeGreaterThan(0.4 * cases.length);
  });
});

test('float16 is suggested where it would fit and the device has it', () => {
  const settings = { ...SMOKE_RUN, model: { ...SMOKE_RUN.model, baseChannels: 4, layers: 1 }, batch: 1 };
  const [whole, half] = (['float32', 'float16'] as const).map((precision) =>
    bytesOf({ ...settings, precision }, device.capabilities),
  ) as [number, number];
  expect(half / whole).toBeLessThan(0.65);
  const suggested = (capabilities = device.capabilities) =>
    suggest(settings, capabilities, half).find(({ label }) => label === 'activations in float16');
  expect(suggested()).toMatchObject({ bytes: half, settings: { precision: 'float16' } });
  expect(suggested({ ...device.capabilities, half: false })).toBeUndefined();
});

test('a step in parts computes what it does as a whole, in more dispatches', () => {
  const settings = {
    ...SMOKE_RUN,
    model: { ...SMOKE_RUN.model, baseChannels: 2, layers: 1, mixer: 'conv' as const },
    batch: 2,
  };
  const whole = costOf(settings, device.capabilities).step;
  const parts = costOf({ ...settings, microBatches: 2 }, device.capabilities).step;
  expect(parts.flops / whole.flops).toBeCloseTo(1, 1);
  expect(parts.bytes / whole.bytes).toBeCloseTo(1, 1);
  expect(parts.dispatches).toBeGreaterThan(1.9 * whole.dispatches);
}, 300_000);
