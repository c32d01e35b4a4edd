import { describe, expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { firstNotFinite } from '../../../src/engine/not_finite';
import { batchNorm, type BatchNormWeights } from '../../../src/engine/ops/batch_norm';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { dropout } from '../../../src/engine/ops/dropout';
import { linear } from '../../../src/engine/ops/linear';
import { silu } from './sample_ops';
import { microStep, trainingStep, optimizerStep } from '../../../src/engine/optimizer';
import { Parameters, type PackOptions } from '../../../src/engine/packs';
import { planProgram } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import type { SegmentOf } from '../../../src/engine/recompute';
import { Random } from '../../../src/base/random';
import { relativeError, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });
const UPDATE = { weightDecay: 0.05, clip: 1 };
const CHANNELS = 12;
const LENGTH = 37;

interface Net {
  readonly graph: Graph;
  readonly x: Tensor;
  readonly target: Tensor;
  readonly loss: Tensor;
}

/** Three blocks of a linear layer, SiLU, and dropout and BatchNorm where asked for; then a logit. */
function net(batch: number, { norm = false, rate = 0 } = {}): Net {
  const graph = new Graph();
  const x = graph.input('x', [batch, LENGTH, CHANNELS]);
  const target = graph.input('target', [batch, LENGTH, 1]);
  let y = x;
  for (const block of ['a', 'b', 'c'])
    y = graph.scope(block, () => {
      const hidden = linear(graph, y, graph.parameter(`${block}.weight`, [CHANNELS, CHANNELS]));
      const weights = (): BatchNormWeights => ({
        weight: graph.parameter(`${block}.scale`, [CHANNELS]),
        bias: graph.parameter(`${block}.bias`, [CHANNELS]),
        runningMean: graph.buffer(`${block}.mean`, [CHANNELS], 0),
        runningVar: graph.buffer(`${block}.variance`, [CHANNELS], 1),
      });
      const normed = norm ? batchNorm(graph, hidden, weights(), { training: true }) : hidden;
      return dropout(graph, silu(graph, normed), rate);
    });
  const logits = linear(graph, y, graph.parameter('head', [1, CHANNELS]));
  return { graph, x, target, loss: binaryLoss(graph, logits, target, { posWeight: 2 }) };
}

const random = new Random(11);
const draw = (name: string, count: number, scale = 1): Float32Array => {
  const stream = random.stream(name);
  return Float32Array.from({ length: count }, () => stream.normal(0, scale));
};
const batchOf = (index: number) => ({
  x: draw(`x ${index}`, LENGTH * CHANNELS),
  target: draw(`target ${index}`, LENGTH).map((value) => (value > 0 ? 1 : 0)),
});

async function weightsOf({ graph }: Net, options: PackOptions = { training: true }): Promise<Parameters> {
  const parameters = await Parameters.create(device(), graph, options);
  for (const { name, shape } of graph.parameters)
    parameters.write(
      name,
      draw(
        name,
        shape.reduce((a, b) => a * b),
        0.5,
      ),
    );
  return parameters;
}

describe('micro-batches', () => {
  test('give the gradient and the update of one batch of all of them', async () => {
    const whole = net(3);
    const norm = trainingStep(whole.graph, whole.loss, UPDATE);
    const wholeWeights = await weightsOf(whole);
    const step = await Program.compile(device(), whole.graph, {
      outputs: [whole.loss, norm],
      parameters: wholeWeights,
    });
    const batches = [0, 1, 2].map(batchOf);
    step.write(whole.x, Float32Array.from(batches.flatMap(({ x }) => [...x])));
    step.write(whole.target, Float32Array.from(batches.flatMap(({ target }) => [...target])));
    step.run({ step: 1, seed: 0, learningRate: 0.01 });

    const part = net(1);
    microStep(part.graph, part.loss);
    const updating = new Graph();
    const partNorm = optimizerStep(updating, part.graph, UPDATE);
    const parameters = await weightsOf(part, { training: true, accumulating: true });
    expect(parameters.bytes).toBe(Parameters.bytes(part.graph, { training: true, accumulating: true }));
    const micro = await Program.compile(device(), part.graph, { outputs: [part.loss], parameters });
    const update = await Program.compile(device(), updating, { outputs: [partNorm], parameters });
    let loss = 0;
    for (const [index, { x, target }] of batches.entries()) {
      micro.write(part.x, x);
      micro.write(part.target, target);
      micro.run({ step: 1, seed: 0, learningRate: 0, micro: { index, count: 3 } });
      loss += ((await micro.read()).get(part.loss)?.[0] ?? NaN) / 3;
    }
    update.run({ step: 1, seed: 0, learningRate: 0.01 });
    const [want, got] = [await wholeWeights.read('gradient'), await parameters.read('accumulated')];
    for (const [name, values] of want)
      expect(relativeError(got.get(name) ?? [], values), name).toBeLessThan(1e-6);
    expect(loss).toBeCloseTo((await step.read()).get(whole.loss)?.[0] ?? NaN, 6);
    const updated = await parameters.read();
    for (const [name, values] of await wholeWeights.read())
      expect(relativeError(updated.get(name) ?? [], values), name).toBeLessThan(1e-5);
    for (const held of [step, micro, update, parameters, wholeWeights]) held.destroy();
  });
});

describe('gradient checkpointing', () => {
  const segmentOf: SegmentOf = (label) => /^[abc](?=\/)/.exec(label)?.[0];

  /** Gradients, running statistics and loss after one step, and the plan. */
  async function step(segments?: SegmentOf) {
    const model = net(1, { norm: true, rate: 0.25 });
    const norm = trainingStep(model.graph, model.loss, { ...UPDATE, segmentOf: segments });
    const outputs = [model.loss, norm];
    const plan = planProgram(model.graph, device().capabilities, { outputs });
    const parameters = await weightsOf(model);
    const program = await Program.compile(device(), model.graph, { outputs, parameters, plan });
    const { x, target } = batchOf(0);
    program.write(model.x, x);
    program.write(model.target, target);
    program.run({ step: 3, seed: 5, learningRate: 0.01 });
    const state = {
      losses: await program.read(),
      weights: await parameters.read(),
      gradients: await parameters.read('gradient'),
      statistics: await parameters.read('buffer'),
    };
    program.destroy();
    parameters.destroy();
    return { plan, state: { ...state, losses: [...state.losses.values()] } };
  }

  test('gives the same bits, dropout and running statistics included, for more operations and less memory', async () => {
    const [kept, again] = [await step(), await step(segmentOf)];
    expect(again.state).toEqual(kept.state);
    expect(again.plan.cost.flops).toBeGreaterThan(kept.plan.cost.flops);
    expect(again.plan.bytes).toBeLessThan(kept.plan.bytes);
  });
});

describe('what is not finite', () => {
  async function poisoned(values: Partial<Record<'x' | 'a.weight', number>>) {
    const model = net(1, { norm: true });
    const norm = trainingStep(model.graph, model.loss, UPDATE);
    const parameters = await weightsOf(model);
    const outputs = [model.loss, norm];
    const program = await Program.compile(device(), model.graph, { outputs, parameters });
    const { x, target } = batchOf(0);
    if (values.x !== undefined) x[7] = values.x;
    program.write(model.x, x);
    program.write(model.target, target);
    if (values['a.weight'] !== undefined)
      parameters.write('a.weight', new Float32Array(CHANNELS * CHANNELS).fill(values['a.weight']));
    const state = async () => [
      await parameters.read(),
      await parameters.read('first_moment'),
      await parameters.read('second_moment'),
      await parameters.read('buffer'),
    ];
    const before = await state();
    const scalars = { step: 1, seed: 0, learningRate: 0.01 };
    program.run(scalars);
    const losses = [...(await program.read()).values()];
    const after = await state();
    const found = await firstNotFinite(program, scalars);
    program.destroy();
    parameters.destroy();
    return { before, after, losses, found };
  }

  test.each([NaN, Infinity])('in a batch (%d) leaves weights and statistics, and is found', async (value) => {
    const { before, after, losses, found } = await poisoned({ x: value });
    expect(losses.some(([loss]) => Number.isNaN(loss))).toBe(true);
    expect(after).toEqual(before);
    expect(found).toEqual({ tensor: 'x', index: 7, value });
  });

  test.each([
    [[0.5, NaN, 0.25], 1],
    [[0.5, 0.125, 0.25], 3],
  ])('stops all steps that were submitted after it: of %j %i count', async (values, steps) => {
    const model = net(1);
    const halted = model.graph.input('halted', [1], 'u32');
    const norm = trainingStep(model.graph, model.loss, { ...UPDATE, halted });
    const run = async (all: readonly number[]) => {
      const parameters = await weightsOf(model);
      const outputs = [model.loss, norm];
      const program = await Program.compile(device(), model.graph, { outputs, parameters });
      all.forEach((value, index) => {
        const { x, target } = batchOf(0);
        x[7] = value;
        program.write(model.x, x);
        program.write(model.target, target);
        program.run({ step: index + 1, seed: 0, learningRate: 0.01 });
      });
      const state = [await parameters.read(), await parameters.read('first_moment')];
      program.destroy();
      parameters.destroy();
      return state;
    };
    expect(await run(values)).toEqual(await run(values.slice(0, steps)));
    expect(await run(values.slice(0, 1))).not.toEqual(await run([]));
  });

  test('in an overflow names the op that overflowed', async () => {
    const { before, after, found } = await poisoned({ 'a.weight': 3e38 });
    expect(after[0]).toEqual(before[0]);
    expect(found?.tensor).toBe('a/linear.y');
    expect(found?.where).toBe('a/linear(x [1, 37, 12], weight [12, 12])');
  });

  test('is not found where all is well', async () => {
    expect((await poisoned({})).found).toBeUndefined();
  });
});
