import { expect, test } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { relu } from '../../../src/engine/ops/relu';
import { Program } from '../../../src/engine/program';
import { checkOp, testDevice } from './check-op';

const device = testDevice({ defaultsOnly: true });

// No value so near to the corner that a finite step crosses it.
const values = Array.from({ length: 1009 }, (_, i) => (i % 3 === 0 ? -1 : 1) * (0.1 + (i % 17)));

test.each([[[1]], [[2, 4]], [[3, 5, 7]], [[1009]]])('of %j', async (shape) => {
  await checkOp(device(), {
    inputs: { x: { shape, values } },
    build: (graph, { x }) => ({ y: relu(graph, x) }),
  });
});

test('0 and −0 have neither value nor slope', async () => {
  await checkOp(device(), {
    inputs: { x: { shape: [4], values: [0, -0, 1e-30, -1e-30] } },
    differences: false,
    build: (graph, { x }) => ({ y: relu(graph, x) }),
  });
});

test('what is not a number stays visible', async () => {
  const graph = new Graph();
  const x = graph.input('x', [4]);
  const program = await Program.compile(device(), graph, { outputs: [relu(graph, x)] });
  program.write(x, Float32Array.of(NaN, 1, -1, Infinity));
  program.run();
  const [y] = (await program.read()).values();
  expect(y).toEqual(Float32Array.of(NaN, 1, 0, Infinity));
  program.destroy();
});
