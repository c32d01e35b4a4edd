import { expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { columnSumOp } from '../../../src/engine/ops/linear';
import { planProgram } from '../../../src/engine/plan';
import { chainOf } from '../../bench/static/chains';

/** The chain of a kernel with this body, whose uniform is `sizes`. */
function chain(body: string, sizes: number[] = [], functions = ''): number {
  const code = `fn read_x(i: u32) -> f32 { return x[i]; }\n${functions}\nfn main(@builtin(local_invocation_index) lane: u32) {\n${body}\n}`;
  return chainOf({ kernel: 'made_up', code, bindings: [], workgroups: 1, usesStep: false, sizes });
}

const sum = 'write_y(i, sum);';

test('each round of a sum is one, however many loads it has', () => {
  expect(chain(`for (var i = lane; i < 100; i++) { sum += read_x(i); } ${sum}`)).toBe(100);
  expect(
    chain(
      `for (var i = 0u; i < min(size.s0, 90u); i += 8u) { let a = read_x(i); sum = fma(a, read_x(i + 1), sum); } ${sum}`,
      [80],
    ),
  ).toBe(10);
  expect(
    chain(`for (var r = 0u; r < 3; r++) { for (var i = 0u; i < 5; i++) { sum += read_x(i); } } ${sum}`),
  ).toBe(15);
});

test('a sum in a function counts where it is called, loads by another function too', () => {
  const functions = `fn add(count: u32) -> f32 { var sum = 0.0; for (var i = 0u; i < count; i++) { sum += square(i); } return sum; }
fn square(i: u32) -> f32 { return read_x(i) * read_x(i); }`;
  expect(chain('let first = lane + 4; write_y(0, add(first * 3)); write_y(1, add(2));', [], functions)).toBe(
    14,
  );
});

test('loops that sum up nothing from memory do not count', () => {
  expect(chain('for (var i = lane; i < 64; i++) { let v = read_x(i); write_y(i, v); }')).toBe(0);
  expect(chain(`for (var i = 0u; i < 64; i++) { sum += staged[i]; } ${sum}`)).toBe(0);
});

test('a loop that cannot be read is an error with the name of the kernel', () => {
  expect(() => chain(`for (var i = 0u; i < unknown; i++) { sum += read_x(i); } ${sum}`)).toThrow(
    /^made_up: .*unknown/,
  );
});

test('of an op as it is lowered', () => {
  const graph = new Graph();
  const y = graph.apply(columnSumOp, { x: graph.input('x', [320, 3]) }, {}).y;
  const limits = {
    maxComputeWorkgroupStorageSize: 16_384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 2 ** 30,
  };
  const capabilities = { limits, subgroups: false, half: false, software: true };
  const { dispatches } = planProgram(graph, capabilities, { outputs: [y] });
  // 128 rows by eights, then three partial sums.
  expect(dispatches.map(chainOf)).toEqual([16, 3]);
});
