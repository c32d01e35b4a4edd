/** Evaluates a graph in float64 with the ops' references: what every kernel is checked against. */
import { elements, type Graph, type Tensor } from './graph';
import type { StepScalars, Value64 } from './ops/definition';

/**
 * Values of all tensors of `graph`, by tensor. `feed` holds inputs, parameters and packs; constants are known, and so are
 * buffers, which hold their initial values unless `feed` has others. An op that mutates an input changes that input's entry.
 */
export function interpret(
  graph: Graph,
  feed: ReadonlyMap<Tensor, ArrayLike<number>>,
  step: StepScalars = { step: 1, seed: 0, learningRate: 0 },
): ReadonlyMap<Tensor, Float64Array> {
  const values = new Map<number, Float64Array>();
  const tensors = new Map<number, Tensor>();
  const set = (tensor: Tensor, data: Float64Array): void => {
    if (data.length !== elements(tensor.shape))
      throw new RangeError(`${tensor.name} has ${data.length} values instead of ${elements(tensor.shape)}`);
    values.set(tensor.id, data);
    tensors.set(tensor.id, tensor);
  };
  for (const constant of graph.constants) set(constant, Float64Array.from(constant.data));
  for (const buffer of graph.buffers)
    set(buffer, new Float64Array(elements(buffer.shape)).fill(buffer.initial));
  for (const [tensor, data] of feed) set(tensor, Float64Array.from(data));
  for (const { tensor, parts } of graph.stacks.values())
    set(tensor, Float64Array.from(parts.flatMap(({ id }) => [...(values.get(id) ?? [])])));
  for (const node of graph.nodes) {
    const inputs: Record<string, Value64> = {};
    for (const [name, tensor] of Object.entries(node.inputs)) {
      const data = values.get(tensor.id);
      if (!data) throw new RangeError(`${node.label}: ${tensor.name} has no value`);
      inputs[name] = { shape: tensor.shape, data };
    }
    const results = node.op.reference(inputs, node.attrs, step);
    for (const [name, tensor] of Object.entries(node.outputs)) set(tensor, results[name] as Float64Array);
    for (const name of node.op.mutates ?? []) {
      const tensor = node.inputs[name];
      if (tensor) set(tensor, results[name] as Float64Array);
    }
  }
  for (const { tensor, whole, offset } of graph.views.values()) {
    const data = values.get(whole.id);
    if (data) set(tensor, data.slice(offset, offset + elements(tensor.shape)));
  }
  return new Map([...tensors].map(([id, tensor]) => [tensor, values.get(id) as Float64Array]));
}
