import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { trainingStep } from '../../../src/engine/optimizer';
import { planProgram } from '../../../src/engine/plan';
import { detectorModel, PRODUCTION, type DetectorConfig } from '../../../src/models/detector';
import { countParameters, initialise } from '../../../src/models/initialise';
import { tuneKey } from '../../../src/engine/tune';
import { testDevice } from '../engine/check-op';
import { chainOf } from '../../bench/static/chains';

const SMALL: DetectorConfig = { ...PRODUCTION, baseChannels: 4, headdim: 16, layers: 2 };

function detector(config: DetectorConfig, length = 256, training = true) {
  const graph = new Graph();
  const x = graph.input('x', [1, length, config.electrodes]);
  return { graph, ...detectorModel(graph, x, config, { training }) };
}

describe('at full size', () => {
  const fallback = detector({ ...PRODUCTION, mixer: 'conv' }, 15_360);
  const mamba2 = detector(PRODUCTION, 15_360);
  const countOf = (part: string): number =>
    countParameters(fallback.declared.filter(({ parameter }) => parameter.name.startsWith(part)));

  test('has the entries and the parameters of the trainer’s model with its fallback', () => {
    expect(countParameters(fallback.declared)).toBe(13_397_799);
    // Of each BatchNorm also num_batches_tracked.
    expect(fallback.declared.length + (fallback.graph.buffers.length * 3) / 2).toBe(271);
    expect(['encoder', 'rescnn', 'mamba', 'decoder'].map(countOf)).toEqual([
      3_333_184, 4_733_952, 3_191_808, 2_138_835,
    ]);
    expect(countOf('detection_head')).toBe(20);
  });

  test('gives a logit for every sample', () => {
    expect(fallback.logits.shape).toEqual([1, 15_360, 1]);
  });

  test('with Mamba-2 keeps the parameters of the fallback that a checkpoint has', () => {
    expect(mamba2.unused.map(({ parameter }) => parameter.name)).toEqual(
      fallback.declared.map(({ parameter }) => parameter.name).filter((name) => name.includes('fallback')),
    );
    const inProj = mamba2.declared.find(({ parameter }) =>
      parameter.name.endsWith('layers.5.backward_mamba_real.in_proj.weight'),
    );
    expect(inProj?.publishedShape).toEqual([2096, 512]);
  });

  test('is initialised as the trainer does it', () => {
    const values = initialise(fallback.declared, 1);
    const deviation = (name: string): number => {
      const all = values.get(name) as Float32Array;
      return Math.sqrt(all.reduce((sum, value) => sum + value ** 2, 0) / all.length);
    };
    // Kaiming, fan_out: √(2 / (o k)), of a transposed convolution √(2 / (i k)); Xavier: √(2 / (i + o)).
    expect(deviation('rescnn.blocks.0.branches.1.0.weight')).toBeCloseTo(Math.sqrt(2 / (170 * 5)), 3);
    expect(deviation('decoder.upsample.0.weight')).toBeCloseTo(Math.sqrt(2 / (512 * 2)), 3);
    expect(deviation('mamba.layers.0.output_proj.weight')).toBeCloseTo(Math.sqrt(2 / (1024 + 512)), 3);
    expect(deviation('encoder.input_conv.conv.bias')).toBe(0);
    expect(deviation('encoder.input_conv.bn.weight')).toBe(1);
  });
});

const device = testDevice();

describe.each([1, 8])('a training step at full size on a GPU, batch %i', (batch) => {
  const graph = new Graph();
  const x = graph.input('x', [batch, 15_360, PRODUCTION.electrodes]);
  const { logits } = detectorModel(graph, x, PRODUCTION, { training: true });
  const loss = binaryLoss(graph, logits, graph.input('labels', logits.shape), { posWeight: 2 });
  const norm = trainingStep(graph, loss, { weightDecay: 0.05, clip: 1 });
  const limits = {
    maxComputeWorkgroupStorageSize: 32_768,
    maxComputeInvocationsPerWorkgroup: 256,
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 2 ** 30,
  };
  const gpu = { limits, subgroups: false, half: false, software: false };
  const { dispatches } = planProgram(graph, gpu, { outputs: [loss, norm] });

  test('takes at most 700 dispatches', () => {
    expect(dispatches.length).toBeLessThanOrEqual(700);
  });

  test('has at most 400 variants of kernels to time, those of validation with them', () => {
    const evaluation = new Graph();
    detectorModel(evaluation, evaluation.input('x', x.shape), PRODUCTION, { training: false });
    const scratch = (): never => expect.fail('a list of variants asks for scratch memory');
    const kinds = new Map<string, number>();
    for (const node of [...graph.nodes, ...evaluation.nodes]) {
      const variants =
        node.op.variants?.(node, { ...gpu, subgroups: true, isUsed: () => true, scratch }) ?? [];
      if (variants.length > 1) kinds.set(tuneKey(device(), node), variants.length);
    }
    const count = [...kinds.values()].reduce((sum, one) => sum + one, 0);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(400);
  });

  test('offers no tiles of 8 × 8 to a GPU of Intel, where they spill', () => {
    const scratch = (): never => expect.fail('a list of variants asks for scratch memory');
    const offered = (vendor: string): string[] =>
      graph.nodes
        .flatMap((node) => node.op.variants?.(node, { ...gpu, vendor, isUsed: () => true, scratch }) ?? [])
        .map(({ name }) => name);
    expect(offered('amd').filter((name) => name.includes('8x8'))).not.toEqual([]);
    expect(offered('intel').filter((name) => name.includes('8x8'))).toEqual([]);
  });

  test('waits in its sums for less than 1,000 loads one after the other', () => {
    const chain = dispatches.reduce((sum, dispatch) => sum + chainOf(dispatch), 0);
    // As many sums there are, and each waits once.
    expect(chain).toBeGreaterThan(200);
    expect(chain).toBeLessThan(1000);
  });
});

test('Mamba-2 is initialised with Δ in [0.0001, 0.1], A in [−16, −1] and D of 1', () => {
  const { declared } = detector(SMALL);
  const values = initialise(declared, 3);
  const part = 'mamba.layers.0.forward_mamba_real';
  for (const bias of values.get(`${part}.dt_bias`) as Float32Array) {
    const delta = Math.log1p(Math.exp(bias));
    expect(delta).toBeGreaterThanOrEqual(0.99e-4);
    expect(delta).toBeLessThanOrEqual(0.1001);
  }
  for (const log of values.get(`${part}.A_log`) as Float32Array) {
    expect(log).toBeGreaterThanOrEqual(0);
    expect(log).toBeLessThanOrEqual(Math.log(16) + 1e-6);
  }
  expect([...(values.get(`${part}.D`) as Float32Array)]).toEqual([1, 1, 1, 1]);
});

test('both directions in one and apart are the same model', () => {
  const evaluated = (apart: boolean) => {
    const graph = new Graph();
    const x = graph.input('x', [1, 64, SMALL.electrodes]);
    const model = detectorModel(graph, x, SMALL, { training: false, apart });
    const values = initialise(model.declared, 5);
    const feed = new Map<Tensor, ArrayLike<number>>([
      [x, Array.from({ length: 64 * SMALL.electrodes }, (_, i) => Math.sin(7 * i))],
      ...graph.parameters.map((parameter) => [parameter, values.get(parameter.name) ?? []] as const),
    ]);
    return {
      names: graph.parameters.map(({ name }) => name),
      logits: interpret(graph, feed).get(model.logits) as Float64Array,
    };
  };
  const [together, apart] = [evaluated(false), evaluated(true)];
  expect(together.names).toEqual(apart.names);
  for (const [i, logit] of together.logits.entries())
    expect(logit).toBeCloseTo(apart.logits[i] as number, 10);
});

test('the graphs that train and evaluate have the same parameters and buffers', () => {
  const names = (training: boolean): string[] => {
    const { graph } = detector(SMALL, 256, training);
    return [...graph.parameters, ...graph.buffers].map(({ name }) => name);
  };
  expect(names(false)).toEqual(names(true));
});

test('the fallback alone cannot have even kernels, and says so', () => {
  expect(() => detector({ ...SMALL, mixer: 'conv', convKernel: 4 })).toThrow(/conv_kernel 4/);
});

test('a length that the stages cannot halve is rejected with a sentence', () => {
  expect(() => detector(SMALL, 100)).toThrow(
    'EEG must be [batch, a multiple of 16 samples, 19 electrodes], it is [1, 100, 19]',
  );
});
