import { expect, test, vi } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { linear } from '../../../src/engine/ops/linear';
import { frozenChoice } from '../../../src/engine/plan';
import {
  caseGraph,
  CASES,
  rightOnes,
  selfCheck,
  withoutWrong,
  type SelfCheckCase,
} from '../../../src/engine/self_check';
import { choiceFor, tune } from '../../../src/engine/tune';
import { fullTest } from '../../full';
import { testDevice } from './check-op';
import { doubleOp } from './double';

const device = testDevice();

/** y = 2 x, by kernels that multiply by these. */
const doubleBy = (factors: Readonly<Record<string, string>>): SelfCheckCase => ({
  inputs: { x: { shape: [129] } },
  build: (graph: Graph, tensor: (name: string) => Tensor) =>
    graph.apply(doubleOp(factors), { x: tensor('x') }, {}).y,
  backward: false,
});

test('this device computes the detector’s ops as float64 does', async () => {
  const seen: number[] = [];
  const { cases, wrong, broken } = await selfCheck(device(), (done) => seen.push(done));
  expect([wrong, broken]).toEqual([[], []]);
  expect(cases.length).toBeGreaterThanOrEqual(12);
  expect(seen).toEqual(cases.map((_, i) => i));
});

test('a kernel that computes wrongly is named and not chosen, however little of it is wrong', async () => {
  const { wrong, broken } = await selfCheck(device(), undefined, {
    doubling: doubleBy({ 'last workgroup': 'select(2.0, 3.0, i >= 128u)', more: '2.001', right: '2.0' }),
  });
  expect(wrong.map(({ op, variant }) => [op, variant])).toEqual([
    ['double', 'last workgroup'],
    ['double', 'more'],
  ]);
  expect(broken).toEqual([]);
  const variants = [{ name: 'last workgroup' }, { name: 'more' }, { name: 'right' }] as const;
  const graph = new Graph();
  graph.apply(doubleOp({ right: '2.0' }), { x: graph.input('x', [129]) }, {});
  const node = graph.nodes[0]!;
  expect(withoutWrong(frozenChoice, wrong)(node, variants).name).toBe('right');
  // Another shape may have none but those: nothing is computed with them.
  expect(() => rightOnes(node, [variants[0]], wrong)).toThrow(
    /double.*: this GPU computes it wrongly by every kernel for these sizes \(last workgroup\)/,
  );
  // In how many parts a kernel cuts its sums changes nothing of it.
  const parts = [{ name: 'more split 8' }, { name: 'right split 8' }] as const;
  expect(rightOnes(node, parts, wrong)).toEqual([parts[1]]);
});

test('an op that no kernel computes right is broken, also where what it gives is not finite', async () => {
  const { wrong, broken } = await selfCheck(device(), undefined, {
    doubling: doubleBy({ one: '3.0', other: 'bitcast<f32>(0x7f800000u + u32(i & 0u))' }),
  });
  expect(wrong).toHaveLength(2);
  expect(broken).toEqual(['double']);
});

test('an op is broken where all kernels of a case were wrong in the ones before, or differ in nothing but parts', async () => {
  const before = doubleBy({ one: '3.0', other: '4.0', third: '2.0' });
  const { broken } = await selfCheck(device(), undefined, {
    before,
    now: doubleBy({ one: '3.0', other: '4.0' }),
  });
  expect(broken).toEqual(['double']);
  const parts = await selfCheck(device(), undefined, {
    parts: doubleBy({ one: '3.0', 'one split 4': '3.0' }),
  });
  expect([parts.wrong.length, parts.broken]).toEqual([1, ['double']]);
});

test('a kernel that does not compile is wrong, with what the driver says of it', async () => {
  const { wrong, broken } = await selfCheck(device(), undefined, {
    doubling: doubleBy({ 'no WGSL': '2.0 +', right: '2.0' }),
  });
  expect(wrong.map(({ op, variant, error }) => [op, variant, error])).toEqual([['double', 'no WGSL', NaN]]);
  expect(wrong[0]?.message).toMatch(/line \d+/);
  expect(broken).toEqual([]);
  const none = await selfCheck(device(), undefined, { doubling: doubleBy({ 'no WGSL': '2.0 +' }) });
  expect(none.broken).toEqual(['double']);
});

test('a model with a node that only wrong kernels compute is not tuned, and the op is named', async () => {
  const graph = new Graph();
  graph.apply(doubleOp({ one: '3.0', other: '4.0' }), { x: graph.input('x', [129]) }, {});
  const wrong = ['one', 'other'].map((variant) => ({ case: 'doubling', op: 'double', variant, error: 1 }));
  const memory = new Map<string, string>();
  await expect(tune(device(), [graph], memory, { wrong })).rejects.toThrow(/double.*computes it wrongly/);
  expect(memory.size).toBe(0);
});

test.each(['intel', 'amd', 'nvidia', ''])(
  'where a GPU of “%s” computes a product or convolution wrongly by one kernel, there is another',
  (vendor) => {
    for (const name of ['matrix product', 'convolution']) {
      const { graph } = caseGraph(name, CASES[name]!);
      for (const node of graph.nodes) {
        const variants = node.op.variants?.(node, {
          ...{ limits: device().limits, subgroups: true, half: true, software: false, vendor },
          isUsed: () => true,
          scratch: () => node.outputs['y']!,
        });
        if (variants) expect(variants.length, `${name}: ${node.label}`).toBeGreaterThan(1);
      }
    }
  },
);

fullTest('a GPU is checked before kernels are chosen for it', async () => {
  const capabilities = { ...device().capabilities, software: false };
  const spy = vi.spyOn(device(), 'capabilities', 'get').mockReturnValue(capabilities);
  const graph = new Graph();
  linear(graph, graph.input('x', [256, 128]), graph.input('weight', [128, 128]));
  const memory = new Map<string, string>();
  const { choose, remark } = await choiceFor(device(), [graph], memory, {});
  spy.mockRestore();
  expect(remark).toBe(undefined);
  expect(memory.size).toBe(1);
  const [node] = graph.nodes;
  const [first, ...others] = node!.op.variants!(node!, {
    ...capabilities,
    isUsed: () => true,
    scratch: () => node!.outputs['y']!,
  });
  expect([...memory.values()]).toContain(choose(node!, [first, ...others]).name);
});
