import { expect, test, vi } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device } from '../../../src/engine/device';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { silu } from './sample_ops';
import { trainingStep } from '../../../src/engine/optimizer';
import { Parameters } from '../../../src/engine/packs';
import { softmaxCrossEntropy } from '../../../src/engine/ops/softmax_cross_entropy';
import type { ChooseVariant } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { rejectedText, tune, tuneKey } from '../../../src/engine/tune';
import { Random } from '../../../src/base/random';
import { testDevice } from './check-op';
import { doubleOp } from './double';

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
  const left: (number | undefined)[] = [];
  const tuned = await tune(device(), [graph], memory, {
    onProgress: ({ label, secondsLeft }) => (labels.push(label), left.push(secondsLeft)),
  });
  expect(device().allocatedBytes).toBe(before);
  expect(tuned.rejected).toEqual([]);
  expect(labels.length).toBeGreaterThan(0);
  expect(left[0]).toBe(undefined);
  expect(left.at(-1)).toBeGreaterThan(0);
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
  const again = await tune(device(), [graph], memory);
  expect(again.timings.size).toBe(0);
  expect(await train(tuned.choose)).toEqual(await train(again.choose));
});

test('a kernel that computes something else, or does not compile, is never chosen, however fast it is', async () => {
  const graph = new Graph();
  // One takes the wrong number in its last workgroup, one is no WGSL.
  const op = doubleOp({ plain: '2.0', wrong: 'select(2.0, 3.0, i >= 128u)', broken: '2.0 +' });
  graph.apply(op, { x: graph.input('x', [129]) }, {});
  const memory = new Map<string, string>();
  const seen: number[] = [];
  const { tried, rejected, choose } = await tune(device(), [graph], memory, {
    onProgress: ({ rejected }) => seen.push(rejected),
  });
  expect([...memory.values()]).toEqual(['plain']);
  expect(rejected.map(({ message }) => message)).toEqual([
    expect.stringMatching(/wrong of double.*: element 128 of y is .* with the default kernel /),
    expect.stringMatching(/double/),
  ]);
  expect(seen).toEqual([0, 0, 1]);
  expect(rejectedText({ tried, rejected })).toMatch(
    /^2 of 3 kernels that were tried compute something else .* the first: wrong of double/,
  );
  expect(rejectedText({ tried, rejected: [] })).toBe(undefined);
  const [node] = graph.nodes;
  const variants = node?.op.variants?.(node, {} as never);
  expect(node && variants && choose(node, variants).name).toBe('plain');
});

test('where the winner of a kind of shape is none of a node’s variants, the node is timed itself', async () => {
  const { graph } = classifier();
  const memory = new Map<string, string>();
  await tune(device(), [graph], memory);
  const [key] = [...memory.keys()];
  memory.set(key as string, 'a variant that other shapes of this kind have');
  const { timings } = await tune(device(), [graph], memory);
  expect(timings.size).toBe(1);
  const [exact] = [...timings.keys()];
  expect(exact).not.toBe(key);
  expect(exact).toContain('=');
  expect((await tune(device(), [graph], memory)).timings.size).toBe(0);
});

test('what is skipped takes the defaults, and stays so', async () => {
  const { graph } = classifier();
  const memory = new Map<string, string>();
  let asked = 0;
  const { timings, choose } = await tune(device(), [graph], memory, { skipped: () => asked++ >= 0 });
  expect(timings.size).toBe(0);
  expect(memory.size).toBeGreaterThan(0);
  expect(await train(choose)).toEqual(await train());
  expect((await tune(device(), [graph], memory)).timings.size).toBe(0);
});

test('what a stop leaves untimed takes the defaults, and is timed another time', async () => {
  const { graph } = classifier();
  const memory = new Map<string, string>();
  let done = -1;
  const { timings, choose } = await tune(device(), [graph], memory, {
    onProgress: (progress) => (done = progress.done),
    stopped: () => done === 1,
  });
  expect([timings.size, memory.size]).toEqual([0, 0]);
  expect(await train(choose)).toEqual(await train());
});

test('with a clock that cannot tell kernels apart nothing is timed, and it is said', async () => {
  // Without timestamps.
  const coarse = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
  vi.spyOn(coarse, 'elapsed').mockResolvedValue(100);
  const { graph } = classifier();
  const memory = new Map<string, string>();
  const { untimed, timings } = await tune(coarse, [graph], memory);
  expect(untimed).toMatch(/only every 100 ms whether the GPU is done/);
  expect([timings.size, memory.size]).toEqual([0, 0]);
  coarse.destroy();
});

test('where even thousands of runs are too short for the clock the default stays, and it is said', async () => {
  // Without timestamps, and on a GPU for which nothing takes a time.
  const quick = await Device.request(await requestNodeGpu(), { defaultsOnly: true });
  vi.spyOn(quick, 'elapsed').mockResolvedValue(0.01);
  const graph = new Graph();
  const op = doubleOp({ broken: '2.0 +', plain: '2.0', other: '1.0 + 1.0' });
  graph.apply(op, { x: graph.input('x', [129]) }, {});
  const memory = new Map<string, string>();
  const { untimed, timings } = await tune(quick, [graph], memory);
  expect(untimed).toMatch(/^for 1 kind of kernels the clock cannot tell how long they take/);
  expect(timings.size).toBe(0);
  expect([...memory.values()]).toEqual(['plain']);
  quick.destroy();
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
