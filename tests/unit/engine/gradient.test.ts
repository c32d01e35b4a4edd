import { expect, test } from 'vitest';
import { differentiate, lossSeed } from '../../../src/engine/gradient';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { add } from '../../../src/engine/ops/add';
import { globalNorm } from '../../../src/engine/ops/global_norm';
import { multiply } from '../../../src/engine/ops/multiply';
import { sigmoid } from '../../../src/engine/ops/sigmoid';
import { silu } from './sample_ops';
import { splitChannels } from '../../../src/engine/ops/split_concat';
import { checkGradient, checkOp, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });

test('a tensor that fans out gets the sum of what comes back', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [11] } },
    build: (graph, { x }) => {
      const a = silu(graph, x);
      const b = multiply(graph, a, sigmoid(graph, a));
      return { y: add(graph, add(graph, multiply(graph, b, x), a), x) };
    },
  });
});

test('contributions add up in one order, that of the forward nodes from the last', () => {
  const graph = new Graph();
  const x = graph.input('x', [3]);
  const parts = [silu(graph, x), sigmoid(graph, x), multiply(graph, x, x)];
  const y = parts.reduce((sum, part) => add(graph, sum, part));
  const dy = graph.input('dy', [3]);
  const forward = graph.nodes.length;
  differentiate(graph, [{ of: y, cotangent: dy }], [x]);
  const backward = graph.nodes.slice(forward).map(({ label }) => label);
  expect(backward).toEqual([
    'multiply.backward/multiply',
    'multiply.backward/multiply',
    'add',
    'sigmoid.backward/sigmoid_backward',
    'add',
    'silu.backward/silu_backward',
    'add',
  ]);
});

test('several seeds: outputs of one graph, one output twice, and a tensor between', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [2, 9] }, w: { shape: [2, 5] } },
    build: (graph, { x, w }) => {
      const [a, b] = splitChannels(graph, x, [5, 4]);
      const between = multiply(graph, a, w);
      return { last: silu(graph, between), between, again: between, b };
    },
  });
});

test('backward nodes of unwanted inputs are not built', () => {
  const graph = new Graph();
  const x = graph.input('x', [3]);
  const w = graph.parameter('w', [3]);
  const y = multiply(graph, silu(graph, x), w);
  const dy = graph.input('dy', [3]);
  const forward = graph.nodes.length;
  differentiate(graph, [{ of: y, cotangent: dy }], [w]);
  expect(graph.nodes.slice(forward).map(({ label }) => label)).toEqual(['multiply.backward/multiply']);
});

test('a tensor that is itself a seed has its cotangent as gradient', () => {
  const graph = new Graph();
  const x = graph.input('x', [3]);
  const dx = graph.input('dx', [3]);
  expect(differentiate(graph, [{ of: x, cotangent: dx }], [x]).get(x)).toBe(dx);
});

test('a loss of one value has the cotangent 1', () => {
  const graph = new Graph();
  const x = graph.input('x', [1]);
  const loss = multiply(graph, x, multiply(graph, x, x));
  const dx = differentiate(graph, [lossSeed(graph, loss)], [x]).get(x) as Tensor;
  expect(interpret(graph, new Map([[x, [2]]])).get(dx)).toEqual(Float64Array.of(12));
  expect(() => lossSeed(graph, graph.input('losses', [2]))).toThrow(
    'a loss has one value; losses has shape [2]',
  );
});

test('mistakes are rejected with a sentence', () => {
  const graph = new Graph();
  const x = graph.input('x', [4]);
  const unused = graph.parameter('layers.0.weight', [2, 2]);
  const y = silu(graph, x);
  const dy = graph.input('dy', [4]);
  expect(() => differentiate(graph, [{ of: y, cotangent: dy }], [x, unused])).toThrow(
    'layers.0.weight does not influence the loss, so it has no gradient',
  );
  expect(() => differentiate(graph, [{ of: y, cotangent: graph.input('short', [3]) }], [x])).toThrow(
    'the cotangent of silu.y has shape [3], it needs [4]',
  );
  const norm = graph.scope('head', () => globalNorm(graph, y));
  const one = graph.input('one', [1]);
  expect(() => differentiate(graph, [{ of: norm, cotangent: one }], [x])).toThrow(
    'head/global_norm cannot be differentiated',
  );
});

test('an op without a gradient does not matter off the way to what is wanted', () => {
  const graph = new Graph();
  const x = graph.input('x', [4]);
  const w = graph.parameter('w', [1]);
  const y = multiply(graph, globalNorm(graph, x), w);
  const dy = graph.input('dy', [1]);
  expect(differentiate(graph, [{ of: y, cotangent: dy }], [w]).get(w)?.shape).toEqual([1]);
});

test('the gradient of a gradient-free composition is exact in float64', () => {
  const errors = checkGradient({
    inputs: { x: { shape: [31] }, y: { shape: [31] } },
    build: (graph, { x, y }) => ({ z: multiply(graph, silu(graph, x), sigmoid(graph, add(graph, x, y))) }),
  });
  expect(errors.differences).toBeLessThan(1e-9);
});
