import { expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { silu } from './sample_ops';
import { trainingStep } from '../../../src/engine/optimizer';
import { Parameters } from '../../../src/engine/packs';
import { softmaxCrossEntropy } from '../../../src/engine/ops/softmax_cross_entropy';
import type { ChooseVariant } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { tune, tuneKey } from '../../../src/engine/tune';
import { Random } from '../../../src/base/random';
import { testDevice } from './check-op';

const device = testDevice();

function classifier() {
  const graph = new Graph();
  const x = graph.input('x', [48, 12]);
  const target = graph.input('target', [48], 'u32');
  const hidden = silu(
    graph,
    linear(graph, x, graph.parameter('hidden.weight', [20, 12]), graph.parameter('hidden.bias', [20])),
  );
  const { loss } = softmaxCrossEntropy(
    graph,
    linear(graph, hidden, graph.parameter('head.weight', [5, 20])),
    target,
  );
  const norm = trainingStep(graph, loss, { weightDecay: 0.1, clip: 1 });
  return { graph, x, target, loss, norm };
}

/** Losses and final parameters of ten steps, as bits. */
async function train(choose?: ChooseVariant): Promise<{ losses: number[]; weights: number[] }> {
  const { graph, x, target, loss } = classifier();
  const parameters = await Parameters.create(device(), graph, { training: true });
  const program = await Program.compile(device(), graph, {
    outputs: [loss],
    parameters,
    ...(choose ? { choose } : {}),
  });
  const random = new Random(7);
  const values = (tensor: Tensor) =>
    Float32Array.from({ length: tensor.shape.reduce((a, b) => a * b) }, () => random.uniform() - 0.5);
  for (const parameter of graph.parameters) parameters.write(parameter.name, values(parameter));
  program.write(x, values(x));
  program.write(
    target,
    Uint32Array.from({ length: 48 }, (_, i) => i % 5),
  );
  const losses: number[] = [];
  for (let step = 1; step <= 10; step++) {
    program.run({ step, seed: 1, learningRate: 0.05 });
    losses.push((await program.read()).get(loss)?.[0] ?? NaN);
  }
  const weights = [...(await parameters.read()).values()].flatMap((array) => [...array]);
  program.destroy();
  parameters.destroy();
  return { losses, weights };
}

test('training repeats bit for bit, also when the program is built anew', async () => {
  const first = await train();
  expect(first.losses[9]).toBeLessThan((first.losses[0] as number) * 0.7);
  expect(await train()).toEqual(first);
});

test('every hot kernel is timed once, remembered, and the choice repeats bit for bit', async () => {
  const memory = new Map<string, string>();
  const { graph } = classifier();
  const before = device().allocatedBytes;
  const labels: string[] = [];
  const tuned = await tune(device(), graph, memory, (label) => labels.push(label));
  expect(device().allocatedBytes).toBe(before);
  expect(tuned.rejected).toEqual([]);
  expect(labels.length).toBeGreaterThan(0);
  for (const [key, times] of tuned.timings) {
    const fastest = [...times].sort(([, a], [, b]) => a - b)[0]?.[0];
    expect(memory.get(key)).toBe(fastest);
    for (const ms of times.values()) expect(ms).toBeGreaterThan(0);
  }
  for (const op of ['linear', 'linear_input_gradient', 'linear_weight_gradient']) {
    const nodes = graph.nodes.filter((node) => node.op.name === op);
    expect(nodes.length).toBeGreaterThan(0);
    for (const node of nodes) expect(memory.has(tuneKey(device(), node)), node.label).toBe(true);
  }
  const again = await tune(device(), graph, memory);
  expect(again.timings.size).toBe(0);
  expect(await train(tuned.choose)).toEqual(await train(again.choose));
});

test('the plan, the packs and what the device is asked for agree', async () => {
  const { graph, loss } = classifier();
  const before = device().allocatedBytes;
  const parameters = await Parameters.create(device(), graph, { training: true });
  expect(device().allocatedBytes - before).toBe(Parameters.bytes(graph, { training: true }));
  const program = await Program.compile(device(), graph, { outputs: [loss], parameters });
  expect(device().allocatedBytes - before).toBe(parameters.bytes + program.plan.bytes);
  const values = program.plan.buffers
    .filter(({ role }) => role === 'values')
    .reduce((sum, { bytes }) => sum + bytes, 0);
  expect(values).toBeLessThan(program.plan.unsharedBytes);
  program.destroy();
  parameters.destroy();
  expect(device().allocatedBytes).toBe(before);
});
