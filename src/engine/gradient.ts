/** Reverse-mode differentiation: adds the backward nodes of a graph to the same graph. */
import { elements, formatShape, GraphError, type Graph, type Node, type Tensor } from './graph';
import { add } from './ops/add';

export interface Seed {
  readonly of: Tensor;
  /** Same shape as `of`: the scalar that is differentiated is Σ of · cotangent over all seeds. */
  readonly cotangent: Tensor;
}

/** The seed of a scalar loss: `scale` [1], or 1. */
export function lossSeed(graph: Graph, loss: Tensor, scale?: Tensor): Seed {
  if (elements(loss.shape) !== 1)
    throw new GraphError(`a loss has one value; ${loss.name} has shape ${formatShape(loss.shape)}`);
  return {
    of: loss,
    cotangent: scale ?? graph.constant('loss.cotangent', loss.shape, new Float32Array([1])),
  };
}

/**
 * ∂(Σ seeds)/∂t for each t of `wrt`, as tensors of the graph. Contributions are added in the order of the forward
 * nodes, so the sum has one order. Throws GraphError for a t that does not influence any seed.
 */
export function differentiate(
  graph: Graph,
  seeds: readonly Seed[],
  wrt: readonly Tensor[],
): ReadonlyMap<Tensor, Tensor> {
  const forward = [...graph.nodes];
  const active = tensorsBetween(forward, wrt);
  const cotangents = new Map<number, Tensor>();
  const accumulate = (tensor: Tensor, contribution: Tensor): void => {
    const known = cotangents.get(tensor.id);
    cotangents.set(tensor.id, known ? add(graph, known, contribution) : contribution);
  };
  for (const { of, cotangent } of seeds) {
    if (formatShape(of.shape) !== formatShape(cotangent.shape))
      throw new GraphError(
        `the cotangent of ${of.name} has shape ${formatShape(cotangent.shape)}, it needs ${formatShape(of.shape)}`,
      );
    accumulate(of, cotangent);
  }
  for (const node of forward.reverse()) {
    const wanted = Object.entries(node.inputs).filter(([, tensor]) => active.has(tensor.id));
    const known = Object.entries(node.outputs).filter(([, tensor]) => cotangents.has(tensor.id));
    if (wanted.length === 0 || known.length === 0) continue;
    const { gradient } = node.op;
    if (!gradient) throw new GraphError(`${node.label} cannot be differentiated`);
    const names = new Set(wanted.map(([name]) => name));
    const contributions = graph.scope(`${node.label}.backward`, () =>
      gradient({
        ...node,
        graph,
        cotangents: Object.fromEntries(known.map(([name, tensor]) => [name, cotangents.get(tensor.id)])),
        needs: (name) => names.has(name),
      }),
    );
    for (const [name, tensor] of wanted) {
      const contribution = contributions[name];
      if (contribution) accumulate(tensor, contribution);
    }
  }
  return new Map(
    wrt.map((tensor) => {
      const gradient = cotangents.get(tensor.id);
      if (!gradient)
        throw new GraphError(`${tensor.name} does not influence the loss, so it has no gradient`);
      return [tensor, gradient];
    }),
  );
}

/** Ids of the tensors that depend on `wrt`, themselves included: the others need no gradient. */
function tensorsBetween(nodes: readonly Node[], wrt: readonly Tensor[]): ReadonlySet<number> {
  const active = new Set(wrt.map((tensor) => tensor.id));
  for (const node of nodes)
    if (Object.values(node.inputs).some((tensor) => active.has(tensor.id)))
      for (const output of Object.values(node.outputs)) active.add(output.id);
  return active;
}
