import { afterAll, beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { Device } from '../../../src/engine/device';
import { bytesOf, Graph } from '../../../src/engine/graph';
import { fromHalf, toHalf } from '../../../src/engine/half';
import { storeActivationsInHalf } from '../../../src/engine/mixed_precision';
import { copy } from '../../../src/engine/ops/copy';
import { silu } from './sample_ops';
import { planProgram } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { tuneKey } from '../../../src/engine/tune';
import { addGradients, buildCase, checkOp, HALF_TOLERANCE, testDevice } from './check-op';
import { requestNullGpu } from './null_gpu';
import { OP_CASES } from './op_cases';

const device = testDevice();

/** Skips, and says so, where the adapter has no float16. */
const needsHalf = ({ skip }: TestContext): void => {
  if (!device().capabilities.half) skip('this adapter has no shader-f16');
};

describe('float16', () => {
  const all = Uint16Array.from({ length: 1 << 16 }, (_, bits) => bits);

  test('all bits come back, and NaN stays NaN', () => {
    const values = fromHalf(all);
    const back = toHalf(values);
    const wrong = all.filter((bits) =>
      Number.isNaN(values[bits]) ? ((back[bits] as number) & 0x7fff) <= 0x7c00 : back[bits] !== bits,
    );
    expect([...wrong]).toEqual([]);
    expect([0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0xfc00].map((bits) => values[bits])).toEqual([
      1,
      -2,
      65504,
      2 ** -24,
      2 ** -14,
      -Infinity,
    ]);
  });

  test('what lies between goes to the nearer one, halfway to the even one', () => {
    const values = fromHalf(all);
    for (let bits = 0; bits < 0x7bff; bits++) {
      const [below, above] = [values[bits] as number, values[bits + 1] as number];
      const half = (below + above) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const nearHalf = (above - below) / 1024;
      const rounded = toHalf([half - nearHalf, half, half + nearHalf, -half]);
      if (rounded.join() !== [bits, even, bits + 1, even | 0x8000].join())
        expect.fail(`${half} becomes ${rounded.join()}`);
    }
    expect([...toHalf([65519.99, 65520, 1e30, -1e30])]).toEqual([0x7bff, 0x7c00, 0x7c00, 0xfc00]);
  });
});

describe('storage', () => {
  const graph = new Graph();
  const x = graph.input('x', [3, 5]);
  const y = silu(graph, x);
  const z = copy(graph, silu(graph, y));
  const capabilities = () => ({ ...device().capabilities, half: true });

  test('takes half the bytes, to the next four', () => {
    const before = planProgram(graph, capabilities(), { outputs: [z] });
    const key = tuneKey(device(), graph.nodes[1]!);
    storeActivationsInHalf(graph);
    const after = planProgram(graph, capabilities(), { outputs: [z] });
    expect([x, y, z].map(bytesOf)).toEqual([60, 32, 32]);
    expect(before.unsharedBytes / after.unsharedBytes).toBe(2);
    expect(after.bytes).toBeLessThan(before.bytes);
    expect(tuneKey(device(), graph.nodes[1]!)).toBe(`${key}|x:f16|y:f16`);
  });

  test('is rejected where the device has no float16, and of what is no activation', () => {
    expect(() => planProgram(graph, { ...capabilities(), half: false }, { outputs: [z] })).toThrow(
      'silu(x [3, 5]): silu.y is stored in float16, and this device has no shader-f16',
    );
    expect(() => graph.storeHalf(graph.parameter('w', [3]))).toThrow('w cannot be stored in float16');
  });

  test('rounds what is written, to infinity beyond the largest, and keeps what is no number', async (context) => {
    needsHalf(context);
    const graph = new Graph();
    const values = [1 + 2 ** -12, 65519, 65520, -1e9, 3e38, NaN, 2 ** -25 * 1.01, -0, 1e-9];
    const x = graph.input('x', [values.length]);
    const four = graph.input('four', [4]);
    const outputs = [copy(graph, x), copy(graph, four)];
    storeActivationsInHalf(graph);
    const program = await Program.compile(device(), graph, { outputs });
    program.write(x, Float32Array.from(values));
    program.write(four, Float32Array.of(65520, NaN, -Infinity, 0.1));
    program.run();
    const read = await program.read();
    const finite = (list: ArrayLike<number>) =>
      Array.from(list, (value) => (Number.isFinite(value) ? value : 'not'));
    expect(finite(read.get(outputs[0]!)!)).toEqual([1, 65504, 'not', 'not', 'not', 'not', 2 ** -24, -0, 0]);
    expect(finite(read.get(outputs[1]!)!)).toEqual(['not', 'not', 'not', fromHalf(toHalf([0.1]))[0]]);
    program.destroy();
  });
});

/** Cases of ops that store something in float16, or whose gradients do; ops.test.ts holds that every op has a case. */
const HALF_CASES = Object.entries(OP_CASES).filter(([, opCase]) => {
  const built = buildCase(opCase);
  addGradients(built);
  return built.graph.nodes.some(({ op }) => op.half);
});

describe('against float64', () => {
  test.for(HALF_CASES)('%s', async ([, opCase], context) => {
    needsHalf(context);
    await checkOp(device(), { ...opCase, half: true, differences: false, tolerance: HALF_TOLERANCE });
  });
});

/** Dawn without a GPU behind it has float16, and checks shaders: where the adapter has none, they are checked at least. */
describe('shaders are valid', () => {
  let checking: Device;
  beforeAll(async () => {
    checking = await Device.request(await requestNullGpu());
  });
  afterAll(() => checking.destroy());

  test.each(HALF_CASES)('%s', async (_, opCase) => {
    // Nothing is computed, so the values are wrong, but they are there.
    const opHalf = { ...opCase, half: true, differences: false, variants: 'frozen' } as const;
    await expect(checkOp(checking, opHalf)).rejects.toThrow(/is off by/);
    expect(checking.failure).toBeUndefined();
  });
});
