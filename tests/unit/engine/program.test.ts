import { beforeAll, expect, test, vi } from 'vitest';
import type { Device } from '../../../src/engine/device';
import { differentiate } from '../../../src/engine/gradient';
import { elements, Graph } from '../../../src/engine/graph';
import { add } from '../../../src/engine/ops/add';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { linear } from '../../../src/engine/ops/linear';
import { silu } from './sample_ops';
import { STAGING_SLOTS } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { testDevice } from './check-op';

const shared = testDevice();
let device: Device;
beforeAll(() => {
  device = shared();
});

const range = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => Math.sin(i));

test('a chain of ops asks the device for exactly the planned bytes, below the sum of its tensors', async () => {
  const graph = new Graph();
  const x = graph.input('x', [1000]);
  let y = x;
  for (let i = 0; i < 6; i++) y = add(graph, silu(graph, y), y);
  const before = device.allocatedBytes;
  const program = await Program.compile(device, graph, { outputs: [y] });
  expect(device.allocatedBytes - before).toBe(program.plan.bytes);
  const values = program.plan.buffers.filter(({ role }) => role === 'values');
  const peak = values.reduce((sum, { bytes }) => sum + bytes, 0);
  expect(program.plan.unsharedBytes).toBe(12 * 4000);
  expect(peak).toBe(3 * 4000);
  program.write(x, range(1000));
  program.run();
  const once = (await program.read()).get(y);
  program.run();
  expect((await program.read()).get(y)).toEqual(once);
  program.destroy();
  expect(device.allocatedBytes).toBe(before);
});

test('a grid above 65,535 workgroups is folded and reaches the last element', async () => {
  const graph = new Graph();
  // One channel: this op then gives every element a thread, on every adapter.
  const count = 65_535 * 64 + 129;
  const x = graph.input('x', [1, count, 1]);
  const y = flipTime(graph, x);
  const program = await Program.compile(device, graph, { outputs: [y] });
  expect(program.commands[0]?.grid).toEqual([65_535, 2]);
  const data = new Float32Array(count).map((_, i) => i % 1013);
  program.write(x, data);
  program.run();
  const got = (await program.read()).get(y) as Float32Array;
  expect(got.findIndex((value, i) => value !== data[count - 1 - i])).toBe(-1);
  program.destroy();
});

test('gradients go through shared tensors', async () => {
  const graph = new Graph();
  const x = graph.input('x', [7]);
  const y = add(graph, silu(graph, x), x);
  const cotangent = graph.input('cotangent', [7]);
  const dx = differentiate(graph, [{ of: y, cotangent }], [x]).get(x);
  if (!dx) throw new Error('no gradient');
  const program = await Program.compile(device, graph, { outputs: [dx] });
  const data = range(7);
  program.write(x, data);
  program.write(cotangent, new Float32Array(7).fill(1));
  program.run();
  const got = (await program.read()).get(dx) as Float32Array;
  data.forEach((value, i) => {
    const s = 1 / (1 + Math.exp(-value));
    expect(got[i]).toBeCloseTo(1 + s * (1 + value * (1 - s)), 5);
  });
  program.destroy();
});

test('where a run takes long it is submitted in parts, and gives the same bits', async () => {
  const graph = new Graph();
  const x = graph.input('x', [129, 64]);
  let y = x;
  for (let i = 0; i < 12; i++) y = silu(graph, linear(graph, y, graph.input(`w${i}`, [64, 64])));
  const run = async (...milliseconds: number[]) => {
    const program = await Program.compile(device, graph, { outputs: [y] });
    for (const input of graph.inputs) program.write(input, range(elements(input.shape)));
    const time = vi.spyOn(device, 'elapsed');
    for (const each of milliseconds) time.mockResolvedValueOnce(each);
    const submits: number[] = [];
    const results: unknown[] = [];
    for (let i = 0; i < 3; i++) {
      const submit = vi.spyOn(device.queue, 'submit');
      program.run();
      submits.push(submit.mock.calls.length);
      submit.mockRestore();
      results.push((await program.read()).get(y));
    }
    time.mockRestore();
    program.destroy();
    return { submits, results };
  };
  const fast = await run(1, 1, 1);
  const slow = await run(900, 900, 900);
  expect(fast.submits).toEqual([1, 1, 1]);
  // The first is not measured yet.
  expect(slow.submits[0]).toBe(1);
  expect(slow.submits[1]).toBeGreaterThanOrEqual(6);
  expect(slow.submits[2]).toBe(slow.submits[1]);
  expect(slow.results).toEqual(fast.results);
  // A run that was heard of with the one before it has no time of its own.
  const twoAtOnce = await run(900, 0, 900);
  expect(twoAtOnce.submits).toEqual(slow.submits);
});

test('a read sees no later run', async () => {
  const graph = new Graph();
  const x = graph.input('x', [3]);
  const y = add(graph, x, x);
  const program = await Program.compile(device, graph, { outputs: [y] });
  const reads = [1, 2, 3].slice(0, STAGING_SLOTS).map((value) => {
    program.write(x, new Float32Array(3).fill(value));
    program.run();
    return program.read();
  });
  for (const [i, read] of reads.entries())
    expect((await read).get(y)).toEqual(new Float32Array(3).fill(2 * (i + 1)));
  program.destroy();
});

test('kernels of one program that differ in sizes alone are one shader, and each computes its own size', async () => {
  const graph = new Graph();
  const sizes = [
    [64, 12, 128],
    [96, 20, 64],
    [32, 16, 192],
  ] as const;
  const products = sizes.map(([rows, inputs, outputs], i) => {
    const x = graph.input(`x${i}`, [rows, inputs]);
    const w = graph.input(`w${i}`, [outputs, inputs]);
    return { x, w, y: linear(graph, x, w) };
  });
  const program = await Program.compile(device, graph, { outputs: products.map(({ y }) => y) });
  const { dispatches } = program.plan;
  expect(new Set(dispatches.map(({ code }) => code)).size).toBe(1);
  expect(new Set(dispatches.map(({ sizesAt }) => sizesAt)).size).toBe(3);
  for (const { x, w } of products) {
    program.write(x, range(x.shape[0]! * x.shape[1]!));
    program.write(w, range(w.shape[0]! * w.shape[1]!));
  }
  // Twice: the step's scalars, written by every run, lie in the same buffer.
  program.run();
  program.run();
  const results = await program.read();
  products.forEach(({ y }, i) => {
    const [rows, inputs, outputs] = sizes[i]!;
    const got = results.get(y) as Float32Array;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < outputs; column++) {
        let sum = 0;
        for (let k = 0; k < inputs; k++) sum += Math.sin(row * inputs + k) * Math.sin(column * inputs + k);
        expect(got[row * outputs + column]).toBeCloseTo(sum, 5);
      }
  });
  program.destroy();
});
