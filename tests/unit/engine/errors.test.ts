import { expect, test } from 'vitest';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { Device, EngineError } from '../../../src/engine/device';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { defineOp, type Dispatch } from '../../../src/engine/ops/definition';
import { kernel, read, write } from '../../../src/engine/ops/kernel';
import { silu } from './sample_ops';
import { Program } from '../../../src/engine/program';
import { testDevice } from './check-op';

const device = testDevice();

/** An op of one kernel with the given shader. */
const opOf = (name: string, kernels: (x: Tensor, y: Tensor) => Dispatch[]) =>
  defineOp({
    name,
    inputs: ['x'],
    optional: [],
    outputs: ['y'],
    shape: ({ x }) => ({ y: { shape: x.shape, dtype: 'f32' } }),
    kernels: ({ inputs, outputs }) => kernels(inputs.x, outputs.y),
    gradient: null,
    reference: ({ x }) => ({ y: x.data }),
    cost: () => ({ flops: 0, bytes: 0 }),
  });

async function compileAlone(op: ReturnType<typeof opOf>, size = 6): Promise<unknown> {
  const graph = new Graph();
  const { y } = graph.apply(op, { x: graph.input('x', [2, size]) }, {});
  return Program.compile(device(), graph, { outputs: [y] }).catch((error: unknown) => error);
}

test('a shader that does not compile names the op, its shapes and the line', async () => {
  const before = device().allocatedBytes;
  const broken = opOf('broken', (x, y) => [
    kernel({
      name: 'broken',
      source: '@compute @workgroup_size(1) fn main() { y[0] = nonsense; }',
      bindings: [read('x', x), write('y', y)],
      workgroups: 1,
    }),
  ]);
  const error = await compileAlone(broken);
  expect(error).toBeInstanceOf(EngineError);
  expect(error).toMatchObject({ kind: 'compilation', where: 'broken of broken(x [2, 6])' });
  expect((error as Error).message).toContain('nonsense');
  expect(device().allocatedBytes).toBe(before);
});

test('a workgroup the device does not allow is rejected with the op and its shapes', async () => {
  const crowded = opOf('crowded', (x, y) => [
    kernel({
      name: 'crowded',
      source: '@compute @workgroup_size(1024, 4) fn main() { y[0] = x[0]; }',
      bindings: [read('x', x), write('y', y)],
      workgroups: 1,
    }),
  ]);
  const error = await compileAlone(crowded);
  expect(error).toBeInstanceOf(EngineError);
  expect((error as EngineError).where).toBe('crowded of crowded(x [2, 6])');
});

test('a buffer bound for reading and writing at once is a validation error of its op', async () => {
  const aliased = opOf('aliased', (x, y) => [
    kernel({
      name: 'aliased',
      source: '@compute @workgroup_size(1) fn main() { y[0] = x[0] + again[0]; }',
      bindings: [read('x', x), write('y', y), read('again', y)],
      workgroups: 1,
    }),
  ]);
  expect(await compileAlone(aliased)).toMatchObject({
    kind: 'validation',
    where: 'aliased of aliased(x [2, 6])',
  });
});

test('a tensor larger than the device binds is rejected before anything is allocated', async () => {
  const before = device().allocatedBytes;
  const graph = new Graph();
  const y = silu(graph, graph.input('x', [2 ** 29]));
  await expect(Program.compile(device(), graph, { outputs: [y] })).rejects.toThrow(
    /silu\(x \[536870912\]\): x takes 2147483648 bytes, this device binds at most/,
  );
  expect(device().allocatedBytes).toBe(before);
});

test('a lost device rejects a waiting read and every later run, and says so', async () => {
  const gpu = await requestNodeGpu();
  let raw: GPUDevice | undefined;
  const watched = {
    requestAdapter: async (options?: GPURequestAdapterOptions) => {
      const adapter = await gpu.requestAdapter(options);
      if (!adapter) return null;
      const { features, limits, info } = adapter;
      const requestDevice = async (descriptor?: GPUDeviceDescriptor) =>
        (raw = await adapter.requestDevice(descriptor));
      return { features, limits, info, requestDevice };
    },
  };
  const lost = await Device.request(watched as unknown as GPU);
  const graph = new Graph();
  const y = silu(graph, graph.input('x', [4]));
  const program = await Program.compile(lost, graph, { outputs: [y] });
  program.run();
  const reading = program.read();
  raw?.destroy();
  await reading.catch(() => undefined);
  await expect(program.read()).rejects.toMatchObject({ kind: 'device-lost' });
  expect(() => program.run()).toThrow(/GPU was lost/);
});

test('no WebGPU and no adapter are sentences', async () => {
  await expect(Device.request(undefined)).rejects.toThrow(/it has no WebGPU/);
  const none = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  await expect(Device.request(none)).rejects.toMatchObject({ kind: 'unsupported' });
});
