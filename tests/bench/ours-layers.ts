/** The engine at a convolution, LayerNorm and AdamW: the results and their gradients are the program's outputs. */

import type { Device } from '../../src/engine/device';
import { differentiate } from '../../src/engine/gradient';
import { Graph, type Shape, type Tensor } from '../../src/engine/graph';
import { adamw as update } from '../../src/engine/ops/adamw';
import { conv1d } from '../../src/engine/ops/conv1d';
import { layerNorm } from '../../src/engine/ops/layer_norm';
import { compile, prepare, type OurBenchCase } from './ours-program';
import {
  adamw,
  convName,
  layerNormEpsilon,
  normName,
  tensor,
  updateName,
  type ConvShape,
  type NormShape,
  type Results,
  type UpdateShape,
} from './rivals/types';

/** Forward from `primals`, backward from `dy`, which has the shape of y. */
function forwardBackward<Name extends string>(
  device: Device,
  name: string,
  primals: Readonly<Record<Name, Shape>>,
  build: (graph: Graph, primals: Readonly<Record<Name, Tensor>>) => Tensor,
): OurBenchCase {
  return {
    name,
    prepare: (inputs) => {
      const graph = new Graph();
      const feed = new Map<Tensor, Float32Array>();
      const input = (name: string, shape: Shape): Tensor => {
        const created = graph.input(name, shape);
        feed.set(created, tensor(inputs, name));
        return created;
      };
      const created = Object.fromEntries(
        Object.entries<Shape>(primals).map(([name, shape]) => [name, input(name, shape)]),
      ) as Record<Name, Tensor>;
      const y = build(graph, created);
      const dy = input('dy', y.shape);
      const gradients = differentiate(graph, [{ of: y, cotangent: dy }], Object.values<Tensor>(created));
      const outputs: Record<string, Tensor> = { y };
      for (const [name, primal] of Object.entries<Tensor>(created))
        outputs[`d${name}`] = gradients.get(primal) as Tensor;
      return prepare(device, graph, outputs, feed);
    },
  };
}

/** State and gradient are inputs that the update writes in place, as it does with packs. */
function adamwUpdate(device: Device, shape: UpdateShape): OurBenchCase {
  const { parameters } = shape;
  return {
    name: updateName(shape),
    prepare: async (inputs) => {
      const graph = new Graph();
      const vector = (name: string): Tensor => graph.input(name, [parameters]);
      const [p, g, m, v] = [vector('p'), vector('g'), vector('m'), vector('v')];
      const norm = graph.input('norm', [1]);
      update(
        graph,
        { value: p, gradient: g, first_moment: m, second_moment: v, norm },
        { weightDecay: adamw.weightDecay, clip: 0, decayed: parameters },
      );
      const { program, report } = await compile(device, graph, [p, m, v]);
      for (const input of [p, g, m, v]) program.write(input, tensor(inputs, input.name));
      program.write(norm, new Float32Array(1));
      let step = 0;
      return {
        report,
        run: () => {
          program.run({ step: ++step, seed: 0, learningRate: adamw.learningRate });
          return program.finish();
        },
        read: async () => {
          const values = await program.read();
          return Object.fromEntries([p, m, v].map((t) => [t.name, values.get(t)])) as Results;
        },
        dispose: () => program.destroy(),
      };
    },
  };
}

export const ourLayers = (device: Device) => ({
  conv1d: (shape: ConvShape): OurBenchCase => {
    const { batch, length, channels, outputs, kernel } = shape;
    return forwardBackward(
      device,
      convName(shape),
      { x: [batch, length, channels], weight: [outputs, channels, kernel] },
      (graph, { x, weight }) => conv1d(graph, x, weight, undefined, { padding: (kernel - 1) / 2 }),
    );
  },
  layerNorm: (shape: NormShape): OurBenchCase => {
    const { rows, channels } = shape;
    return forwardBackward(
      device,
      normName(shape),
      { x: [rows, channels], weight: [channels], bias: [channels] },
      (graph, { x, weight, bias }) => layerNorm(graph, x, weight, bias, layerNormEpsilon),
    );
  },
  adamw: (shape: UpdateShape): OurBenchCase => adamwUpdate(device, shape),
});
