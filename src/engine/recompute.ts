/**
 * Gradient checkpointing (Chen et al. 2016, arXiv:1604.06174) as a rewrite of a differentiated graph: what a segment of
 * the forward pass computes on its way is not kept for the backward pass but computed again, from what enters the segment,
 * right before it is needed. The kernels and their inputs are the same, so the gradients are too, bit for bit; the plan
 * shows the bytes that are saved and the operations that are done twice.
 */
import type { Graph, Node, Tensor } from './graph';

/** The segment of a forward node by its label; undefined for nodes whose outputs are kept. */
export type SegmentOf = (label: string) => string | undefined;

/** `forward`: how many of the graph's first nodes are the forward pass; all others come after differentiation. */
export function recompute(graph: Graph, forward: number, segmentOf: SegmentOf): void {
  const before = graph.nodes.slice(0, forward);
  const segments = before.map(({ label }) => segmentOf(label));
  /** Which forward node makes a tensor, unless another segment uses it: then it is kept. */
  const makers = new Map<number, number>();
  before.forEach((node, index) => {
    if (segments[index] === undefined) return;
    for (const output of Object.values(node.outputs)) makers.set(output.id, index);
  });
  before.forEach((node, index) => {
    for (const { id } of Object.values(node.inputs)) {
      const maker = makers.get(id);
      if (maker !== undefined && segments[maker] !== segments[index]) makers.delete(id);
    }
  });

  const again = new Map<number, Tensor>();
  const repeated = new Set<number>();
  const result: Node[] = [...before];
  /** Adds the node that makes a tensor once more, and before it those that make its inputs. */
  const restored = (tensor: Tensor): Tensor => {
    const maker = makers.get(tensor.id);
    if (maker === undefined) return tensor;
    if (!repeated.has(maker)) {
      repeated.add(maker);
      const node = before[maker] as Node;
      const copy = graph.repeat(node, mapValues(node.inputs, restored));
      result.push(copy);
      for (const [name, { id }] of Object.entries(node.outputs)) again.set(id, copy.outputs[name] as Tensor);
    }
    return again.get(tensor.id) as Tensor;
  };
  for (const node of graph.nodes.slice(forward))
    result.push({ ...node, inputs: mapValues(node.inputs, restored) });
  graph.nodes.splice(0, graph.nodes.length, ...result);
}

const mapValues = (
  tensors: Readonly<Record<string, Tensor>>,
  change: (tensor: Tensor) => Tensor,
): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor)]));
