import { expect, test } from 'vitest';
import { Random } from '../../../src/base/random';
import { differentiate } from '../../../src/engine/gradient';
import { elements, Graph, type Tensor } from '../../../src/engine/graph';
import { conv1d } from '../../../src/engine/ops/conv1d';
import { convTranspose1d } from '../../../src/engine/ops/conv_transpose1d';
import { Parameters } from '../../../src/engine/packs';
import { frozenChoice, planProgram } from '../../../src/engine/plan';
import { Program } from '../../../src/engine/program';
import { testDevice } from './check-op';

const device = testDevice();

/** Sizes that neither fours nor sixty-fours divide, a stride with phases of their own, and one tap. */
const WEIGHTS = {
  first: [7, 5, 5],
  strided: [6, 7, 3],
  phases: [6, 6, 5],
  up: [6, 9, 2],
  last: [3, 9, 1],
} as const;
type Name = keyof typeof WEIGHTS;
const NAMES = Object.keys(WEIGHTS) as Name[];

function network(weightOf: (graph: Graph, name: Name) => Tensor) {
  const graph = new Graph();
  const x = graph.input('x', [2, 41, 5]);
  const weights = NAMES.map((name) => weightOf(graph, name));
  const [first, strided, phases, up, last] = weights as [Tensor, Tensor, Tensor, Tensor, Tensor];
  let y = conv1d(graph, x, first, undefined, { padding: 2 });
  y = conv1d(graph, y, strided, undefined, { stride: 2, padding: 1 });
  y = conv1d(graph, y, phases, undefined, { stride: 3, padding: 2 });
  y = convTranspose1d(graph, y, up, undefined, { stride: 2 });
  y = conv1d(graph, y, last);
  const dy = graph.input('dy', y.shape);
  const gradients = differentiate(graph, [{ of: y, cotangent: dy }], [x, ...weights]);
  return { graph, weights, outputs: [y, ...[x, ...weights].map((of) => gradients.get(of) as Tensor)] };
}

test('weights that are parameters are packed at once, to the bits that each has alone', async () => {
  const random = new Random(4);
  const data = new Map<string, Float32Array>();
  const valuesOf = ({ name, shape }: Tensor): Float32Array => {
    const values =
      data.get(name) ?? Float32Array.from({ length: elements(shape) }, () => random.uniform() - 0.5);
    data.set(name, values);
    return values;
  };
  const results: Float32Array[][] = [];
  for (const together of [true, false]) {
    const { graph, weights, outputs } = network((graph, name) =>
      together ? graph.parameter(name, WEIGHTS[name]) : graph.input(name, WEIGHTS[name]),
    );
    const parameters = await Parameters.create(device(), graph, { training: false });
    const program = await Program.compile(device(), graph, { outputs, parameters });
    for (const input of graph.inputs) program.write(input, valuesOf(input));
    if (together) for (const weight of weights) parameters.write(weight.name, valuesOf(weight));
    const kernels = program.plan.dispatches.filter(({ kernel }) => kernel === 'conv1d.weights');
    // Five for the outputs; for the gradients one for each phase of a stride.
    expect(kernels).toHaveLength(together ? 1 : 13);
    program.run();
    const read = await program.read();
    results.push(outputs.map((tensor) => read.get(tensor) as Float32Array));
    program.destroy();
    parameters.destroy();
  }
  expect(results[0]).toEqual(results[1]);
});

test('what is packed at once takes 16 MiB at most', () => {
  const graph = new Graph();
  let y = graph.input('x', [1, 64, 512]);
  for (let i = 0; i < 7; i++)
    y = conv1d(graph, y, graph.parameter(`${i}`, [512, 512, 5]), undefined, { padding: 2 });
  const plan = planProgram(graph, device().capabilities, { outputs: [y], choose: frozenChoice });
  const packs = plan.dispatches.filter(({ kernel }) => kernel === 'conv1d.weights');
  expect(packs.map(({ bindings }) => elements(bindings.at(-1)?.tensor.shape ?? []))).toEqual(
    [3, 3, 1].map((count) => count * 512 * 512 * 5),
  );
});
