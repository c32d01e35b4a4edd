/**
 * Mixed precision (Micikevicius et al. 2018, arXiv:1710.03740) as a choice of storage: what is as large as an activation is
 * kept in float16 between dispatches, activations and their cotangents alike. Kernels compute and sum in float32, and
 * parameters, their gradients, moments, statistics and the states of scans are stored in it.
 */
import { formatShape, type Graph } from './graph';

/**
 * Stores the outputs that ops name in `half` in float16. For a whole graph, backward pass included: what is added to it later
 * stays float32. What has the shape of a parameter is taken for one, or for its gradient.
 */
export function storeActivationsInHalf(graph: Graph): void {
  const parameters = new Set(graph.parameters.map(({ shape }) => formatShape(shape)));
  for (const { op, outputs } of graph.nodes)
    for (const name of op.half ?? []) {
      const tensor = outputs[name];
      if (tensor && !graph.gradientOf.has(tensor.id) && !parameters.has(formatShape(tensor.shape)))
        graph.storeHalf(tensor);
    }
}
