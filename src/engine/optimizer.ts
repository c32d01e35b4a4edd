/** Gradients, clipping and AdamW added to a graph that ends in a loss. */
import { GraphError, type Graph, type Tensor } from './graph';
import { differentiate, lossSeed, type Seed } from './gradient';
import { accumulate } from './ops/accumulate';
import { adamw } from './ops/adamw';
import { copy } from './ops/copy';
import { globalNorm } from './ops/global_norm';
import { packLayout, type Model } from './packs';
import { recompute, type SegmentOf } from './recompute';

/**
 * Differentiates by all parameters and gives each gradient its slice of the gradient pack.
 * Throws GraphError for a parameter that does not influence the seeds.
 */
export function parameterGradients(graph: Graph, seeds: readonly Seed[]): ReadonlyMap<string, Tensor> {
  const gradients = differentiate(graph, seeds, graph.parameters);
  const read = new Set(graph.nodes.flatMap((node) => Object.values(node.inputs).map(({ id }) => id)));
  const placed = new Map<string, Tensor>();
  for (const parameter of graph.parameters) {
    let gradient = gradients.get(parameter);
    if (!gradient) throw new GraphError(`${parameter.name} has no gradient`);
    // A kernel must not read one slice of the pack while it writes another, and a slice belongs to one tensor.
    if (gradient.role !== 'value' || read.has(gradient.id) || graph.gradientOf.has(gradient.id))
      gradient = copy(graph, gradient);
    graph.gradientOf.set(gradient.id, parameter);
    placed.set(parameter.name, gradient);
  }
  return placed;
}

export interface OptimizerOptions {
  readonly weightDecay: number;
  /** Largest global norm of the gradient; 0 does not clip. */
  readonly clip: number;
}

export interface StepOptions extends OptimizerOptions {
  /** Gradient checkpointing: which stretch of the forward pass is computed again for the backward pass; see recompute.ts. */
  readonly segmentOf?: SegmentOf | undefined;
}

/** Completes a training step. Returns the gradient's global norm before clipping, [1]. */
export function trainingStep(graph: Graph, loss: Tensor, options: StepOptions): Tensor {
  backward(graph, loss, options.segmentOf);
  return update(graph, graph, 'gradient', options);
}

/**
 * Completes the graph of one micro-batch: its gradient is added to the pack `accumulated`, from which `updateStep` makes
 * the update. A run's scalars say which of how many micro-batches it is.
 */
export function microStep(graph: Graph, loss: Tensor, segmentOf?: SegmentOf): void {
  backward(graph, loss, segmentOf);
  const { length } = packLayout(graph.parameters);
  accumulate(graph, {
    accumulated: graph.pack('accumulated', length),
    gradient: graph.pack('gradient', length),
  });
}

/** In a graph of its own, the update that follows the micro-batches of `model`. Returns the norm before clipping, [1]. */
export const updateStep = (graph: Graph, model: Model, options: OptimizerOptions): Tensor =>
  update(graph, model, 'accumulated', options);

function backward(graph: Graph, loss: Tensor, segmentOf: SegmentOf | undefined): void {
  const forward = graph.nodes.length;
  parameterGradients(graph, [lossSeed(graph, loss)]);
  if (segmentOf) recompute(graph, forward, segmentOf);
}

function update(
  graph: Graph,
  model: Model,
  pack: 'gradient' | 'accumulated',
  { weightDecay, clip }: OptimizerOptions,
): Tensor {
  const layout = packLayout(model.parameters);
  const gradient = graph.pack(pack, layout.length);
  const norm = globalNorm(graph, gradient);
  adamw(
    graph,
    {
      value: graph.pack('value', layout.length),
      gradient,
      first_moment: graph.pack('first_moment', layout.length),
      second_moment: graph.pack('second_moment', layout.length),
      norm,
    },
    { weightDecay, clip, decayed: layout.decayed },
  );
  return norm;
}
