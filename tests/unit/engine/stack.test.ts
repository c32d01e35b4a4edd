import { expect, test } from 'vitest';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { concatChannels } from '../../../src/engine/ops/split_concat';
import { linear } from '../../../src/engine/ops/linear';
import { parameterGradients } from '../../../src/engine/optimizer';
import { packLayout, Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { testDevice } from './check-op';

const device = testDevice();

/** Two layers on one input, their weights read as one tensor or each for itself; 15 values fill no whole slice. */
async function run(stacked: boolean) {
  const graph = new Graph();
  const x = graph.input('x', [7, 3]);
  const first = graph.parameter('first', [5, 3]);
  const between = graph.parameter('between', [10]);
  const second = graph.parameter('second', [5, 3], stacked ? { after: first } : {});
  const y = stacked
    ? linear(graph, x, graph.stack([first, second]), between)
    : linear(
        graph,
        concatChannels(graph, [linear(graph, x, first), linear(graph, x, second)]),
        identity(graph),
        between,
      );
  const cotangent = graph.input('dy', y.shape);
  const gradients = parameterGradients(graph, [{ of: y, cotangent }]);
  const outputs = [y, ...['first', 'between', 'second'].map((name) => gradients.get(name) as Tensor)];
  const parameters = await Parameters.create(device(), graph, { training: true });
  const program = await Program.compile(device(), graph, { outputs, parameters });
  const ramp = (length: number, speed: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(speed * i));
  program.write(x, ramp(21, 3));
  program.write(cotangent, ramp(70, 5));
  for (const [i, { name, shape }] of graph.parameters.entries())
    parameters.write(
      name,
      ramp(
        shape.reduce((a, b) => a * b),
        i + 1,
      ),
    );
  program.run();
  const read = await program.read();
  const values = outputs.map((tensor) => read.get(tensor) as Float32Array);
  const packed = await parameters.read('gradient');
  program.destroy();
  parameters.destroy();
  return { values, packed, layout: packLayout(graph.parameters) };
}

const identity = (graph: Graph): Tensor =>
  graph.constant(
    'identity',
    [10, 10],
    Float32Array.from({ length: 100 }, (_, i) => (i % 11 === 0 ? 1 : 0)),
  );

test('stacked parameters are one tensor to a graph, and two to whoever reads and writes them', async () => {
  const [stacked, apart] = [await run(true), await run(false)];
  for (const [i, values] of stacked.values.entries())
    for (const [j, value] of values.entries()) expect(value).toBeCloseTo(apart.values[i]?.[j] as number, 5);
  // As outputs of the program, and in the pack.
  for (const [i, name] of ['first', 'between', 'second'].entries())
    expect(stacked.packed.get(name)).toEqual(stacked.values[i + 1]);
  const offsets = ({ layout }: typeof stacked) =>
    [...layout.slices].map(([name, { offset }]) => [name, offset]);
  expect(offsets(stacked)).toEqual([
    ['first', 0],
    ['second', 15],
    ['between', 64],
  ]);
  expect(offsets(apart)).toEqual([
    ['first', 0],
    ['between', 64],
    ['second', 128],
  ]);
});

test('only what lies side by side and is alike is stacked', () => {
  const graph = new Graph();
  const first = graph.parameter('first', [2, 3]);
  const wider = graph.parameter('wider', [2, 4], { after: first });
  const other = graph.parameter('other', [2, 3]);
  for (const second of [wider, other])
    expect(() => graph.stack([first, second])).toThrow(
      `${second.name} [2, ${second.shape[1]}] cannot be stacked on first [2, 3]: both must have one shape and decay, and be declared one after the other`,
    );
});
