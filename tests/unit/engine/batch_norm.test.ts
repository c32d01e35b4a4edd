import { describe, expect, test } from 'vitest';
import { Graph, GraphError, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { batchNorm, type BatchNormOptions } from '../../../src/engine/ops/batch_norm';
import { Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { checkOp, relativeError, testDevice, type InputSpec, type OpCase } from './check-op';

const device = testDevice({ defaultsOnly: true });

const norm = (
  [batch, length, channels]: readonly [number, number, number],
  options: BatchNormOptions,
  x: Partial<InputSpec> = {},
): OpCase<'x' | 'weight' | 'bias' | 'mean' | 'variance'> => ({
  inputs: {
    x: { shape: [batch, length, channels], ...x },
    weight: { shape: [channels] },
    bias: { shape: [channels] },
    mean: { shape: [channels], differentiable: false },
    variance: { shape: [channels], range: [0.5, 2], differentiable: false },
  },
  build: (graph, { mean, variance, ...inputs }) => ({
    y: batchNorm(
      graph,
      inputs.x,
      options.training ? inputs : { ...inputs, runningMean: mean, runningVar: variance },
      options,
    ),
  }),
});

describe.each([{ training: true }, { training: false }])('batch_norm with %o', ({ training }) => {
  // One channel, rows that no run divides, by fours and not.
  test.each([
    [1, 3, 1],
    [2, 3, 5],
    [3, 67, 8],
    [1, 33 * 32 + 1, 3],
    [2, 4099, 4],
  ] as const)('of [%i, %i, %i]', async (...shape) => {
    await checkOp(device(), norm(shape, { training }));
  });

  test('with ReLU in the same pass', async () => {
    await checkOp(device(), norm([2, 37, 6], { training, activation: 'relu' }, {}));
  });

  test('of a large common offset', async () => {
    const offset = training ? { range: [4095, 4097] as const } : {};
    await checkOp(device(), { ...norm([1, 131, 8], { training }, offset), differences: false });
  });
});

test.each([[2, 4099, 4] as const, [3, 8193, 3] as const])(
  'as a GPU gets it, of [%i, %i, %i], with more runs than the lanes of a team',
  async (...shape) => {
    const training = norm(shape, { training: true, activation: 'relu' });
    await checkOp(device(), { ...training, gpu: true, differences: false });
  },
);

test.each([true, false])('of x + shift, training %s', async (training) => {
  const { inputs } = norm([2, 37, 6], { training });
  await checkOp(device(), {
    inputs: { ...inputs, shift: { shape: [6] } },
    // Without running statistics nothing of training depends on the shift: its gradient is 0.
    build: (graph, { mean, variance, shift, ...others }) => ({
      y: batchNorm(
        graph,
        others.x,
        { ...others, shift, ...(!training && { runningMean: mean, runningVar: variance }) },
        { training, activation: 'relu' },
      ),
    }),
  });
});

test('the running mean with a shift is that of the sum', async () => {
  const graph = new Graph();
  const [x, shift] = [graph.input('x', [1, 9, 2]), graph.input('shift', [2])];
  const buffers = { runningMean: graph.buffer('mean', [2], 0), runningVar: graph.buffer('var', [2], 1) };
  const weights = { weight: graph.input('w', [2]), bias: graph.input('b', [2]), ...buffers, shift };
  const y = batchNorm(graph, x, weights, { training: true, momentum: 1 });
  const parameters = await Parameters.create(device(), graph, { training: true });
  const program = await Program.compile(device(), graph, { outputs: [y], parameters });
  program.write(
    x,
    Float32Array.from({ length: 18 }, (_, i) => i),
  );
  program.write(shift, Float32Array.of(100, -1));
  program.run();
  expect([...((await parameters.read('buffer')).get('mean') as Float32Array)]).toEqual([108, 8]);
  program.destroy();
  parameters.destroy();
});

// What flows back is a difference of equal numbers there: only the forward pass can be compared.
test.each([
  ['constant channels', norm([1, 70, 4], { training: true }, { values: [3, -1, 0, 7] })],
  ['two values a channel', norm([1, 2, 5], { training: true })],
])('of %s', async (_, opCase) => {
  await checkOp(device(), { ...opCase, differentiate: [] });
});

describe('running statistics', () => {
  const build = (training: boolean) => {
    const graph = new Graph();
    const x = graph.input('x', [2, 35, 6]);
    const y = batchNorm(
      graph,
      x,
      {
        weight: graph.parameter('bn.weight', [6]),
        bias: graph.parameter('bn.bias', [6]),
        runningMean: graph.buffer('bn.running_mean', [6], 0),
        runningVar: graph.buffer('bn.running_var', [6], 1),
      },
      { training, momentum: 0.25 },
    );
    return { graph, x, y };
  };
  const batch = (seed: number): Float32Array =>
    Float32Array.from({ length: 2 * 35 * 6 }, (_, i) => Math.sin(i * i + seed) + (i % 6));

  test('move in training, are shared with evaluation, and are read and written by name', async () => {
    const training = build(true);
    const evaluation = build(false);
    const before = device().allocatedBytes;
    const parameters = await Parameters.create(device(), training.graph, { training: true });
    expect(device().allocatedBytes - before).toBe(Parameters.bytes(training.graph, { training: true }));
    parameters.write('bn.weight', new Float32Array(6).fill(1.5));
    const [train, evaluate] = [
      await Program.compile(device(), training.graph, { outputs: [training.y], parameters }),
      await Program.compile(device(), evaluation.graph, { outputs: [evaluation.y], parameters }),
    ];
    expect([...(await parameters.read('buffer'))]).toEqual([
      ['bn.running_mean', new Float32Array(6)],
      ['bn.running_var', new Float32Array(6).fill(1)],
    ]);

    let buffers = new Map<string, ArrayLike<number>>();
    for (const seed of [1, 2]) {
      const feed = new Map<Tensor, ArrayLike<number>>([[training.x, batch(seed)]]);
      for (const buffer of training.graph.buffers)
        if (buffers.has(buffer.name)) feed.set(buffer, buffers.get(buffer.name) ?? []);
      for (const { name, ...parameter } of training.graph.parameters)
        feed.set({ name, ...parameter }, new Float32Array(6).fill(name === 'bn.weight' ? 1.5 : 0));
      const want = interpret(training.graph, feed);
      buffers = new Map(training.graph.buffers.map((buffer) => [buffer.name, want.get(buffer) ?? []]));
      train.write(training.x, batch(seed));
      train.run();
    }
    const got = await parameters.read('buffer');
    for (const [name, want] of buffers) expect(relativeError(got.get(name) ?? [], want)).toBeLessThan(1e-6);

    evaluate.write(evaluation.x, batch(3));
    evaluate.run();
    const [mean, variance] = [...got.values()] as [Float32Array, Float32Array];
    const want = batch(3).map(
      (value, i) => (1.5 * (value - (mean[i % 6] ?? 0))) / Math.sqrt((variance[i % 6] ?? 0) + 1e-5),
    );
    expect(relativeError((await evaluate.read()).get(evaluation.y) ?? [], want)).toBeLessThan(1e-6);
    expect(await parameters.read('buffer')).toEqual(got);

    parameters.write('bn.running_mean', new Float32Array(6).fill(7));
    expect((await parameters.read('buffer')).get('bn.running_mean')).toEqual(new Float32Array(6).fill(7));
    train.destroy();
    evaluate.destroy();
    parameters.destroy();
    expect(device().allocatedBytes).toBe(before);
  });

  test('as PyTorch computes them: momentum towards the mean and the unbiased variance', () => {
    const { graph, x } = build(true);
    const data = batch(1);
    const ones = new Float32Array(6).fill(1);
    const values = interpret(
      graph,
      new Map<Tensor, ArrayLike<number>>([[x, data], ...graph.parameters.map((p) => [p, ones] as const)]),
    );
    const channel = data.filter((_, i) => i % 6 === 2);
    const mean = channel.reduce((sum, value) => sum + value, 0) / 70;
    const unbiased = channel.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 69;
    const [runningMean, runningVar] = graph.buffers.map((buffer) => values.get(buffer)?.[2]);
    expect(runningMean).toBeCloseTo(0.25 * mean, 6);
    expect(runningVar).toBeCloseTo(0.75 + 0.25 * unbiased, 6);
  });

  test('a program without the packed buffers, or with others, is rejected', async () => {
    const { graph, y } = build(false);
    const compiled = Program.compile(device(), graph, { outputs: [y] });
    await expect(compiled).rejects.toThrow('has parameters or buffers, so the program needs them packed');
    const other = new Graph();
    for (const { name, shape } of graph.parameters) other.parameter(name, shape);
    const parameters = await Parameters.create(device(), other, { training: false });
    const mismatched = Program.compile(device(), graph, { outputs: [y], parameters });
    await expect(mismatched).rejects.toThrow('the buffer bn.running_mean is not among the packed buffers');
    expect(() => parameters.write('bn.running_mean', new Float32Array(6))).toThrow(RangeError);
    expect(await parameters.read('buffer')).toEqual(new Map());
    parameters.destroy();
  });
});

test('rejects what has no statistics or the wrong shapes', () => {
  const graph = new Graph();
  const weights = { weight: graph.input('weight', [4]), bias: graph.input('bias', [4]) };
  const [one, x] = [graph.input('one', [1, 1, 4]), graph.input('x', [1, 5, 3])];
  const y = (input: typeof x, options: BatchNormOptions) => () => batchNorm(graph, input, weights, options);
  expect(y(one, { training: true })).toThrow('one value a channel has no variance');
  expect(y(x, { training: true })).toThrow('weight must be [3], it is [4]');
  expect(y(one, { training: true, momentum: 2 })).toThrow(GraphError);
  expect(y(one, { training: false })).toThrow('evaluation needs running_mean and running_var');
});
