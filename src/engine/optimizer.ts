/** Gradients, clipping and AdamW added to a graph that ends in a loss; mixed precision, where it is asked for. */
import { elements, GraphError, type Graph, type Parameter, type Tensor } from './graph';
import { differentiate, lossSeed, type Seed } from './gradient';
import { accumulate } from './ops/accumulate';
import { adamw } from './ops/adamw';
import { copy } from './ops/copy';
import { globalNorm } from './ops/global_norm';
import { packLayout, type Model } from './packs';
import { storeActivationsInHalf } from './mixed_precision';
import { recompute, type SegmentOf } from './recompute';

/**
 * Differentiates by all parameters and gives each gradient its slice of the gradient pack.
 * Throws GraphError for a parameter that does not influence the seeds.
 */
export function parameterGradients(graph: Graph, seeds: readonly Seed[]): ReadonlyMap<string, Tensor> {
  const stacked = [...graph.stacks.values()];
  const inStacks = new Set(stacked.flatMap(({ parts }) => parts));
  const leaves = [
    ...graph.parameters
      .filter((parameter) => !inStacks.has(parameter))
      .map((tensor) => ({ tensor, parts: [tensor] })),
    ...stacked,
  ];
  const wrt = leaves.map(({ tensor }) => tensor);
  const gradients = differentiate(graph, seeds, wrt);
  const read = new Set(graph.nodes.flatMap((node) => Object.values(node.inputs).map(({ id }) => id)));
  const placed = new Map<string, Tensor>();
  for (const { tensor, parts } of leaves) {
    const [parameter] = parts as [Parameter];
    let gradient = gradients.get(tensor);
    if (!gradient) throw new GraphError(`${tensor.name} has no gradient`);
    const place = (whole: Tensor): void =>
      parts.forEach(({ name, shape }, i) =>
        placed.set(name, parts.length === 1 ? whole : graph.view(whole, i * elements(shape), shape)),
      );
    // Its slice of the pack is 0 as it is.
    if (isZero(graph, gradient)) {
      place(gradient);
      continue;
    }
    // A kernel must not read one slice of the pack while it writes another, and a slice belongs to one tensor.
    if (gradient.role !== 'value' || read.has(gradient.id) || graph.gradientOf.has(gradient.id))
      gradient = copy(graph, gradient);
    graph.gradientOf.set(gradient.id, parameter);
    place(gradient);
  }
  return placed;
}

const isZero = (graph: Graph, { id }: Tensor): boolean =>
  graph.constants.some((constant) => constant.id === id && constant.data.every((value) => value === 0));

export interface OptimizerOptions {
  readonly weightDecay: number;
  /** Largest global norm of the gradient; 0 does not clip. */
  readonly clip: number;
  /** [1], the inverse of the loss scale: norm and optimizer step are those of the gradient times it. */
  readonly unscale?: Tensor | undefined;
  /**
   * [1], u32, an input that the host leaves alone: 1 after a loss (of a graph that has it) or norm that was not finite, and from then
   * on no step changes a weight. So a step may be submitted before the result of the one before is read.
   */
  readonly halted?: Tensor | undefined;
}

export interface BackwardOptions {
  /** Gradient checkpointing: which stretch of the forward pass is computed again for the backward pass; see recompute.ts. */
  readonly segmentOf?: SegmentOf | undefined;
  /**
   * [1], by which the gradients are multiplied, so that small ones stay above float16's smallest value. Where it is given,
   * activations are stored in float16; see mixed_precision.ts.
   */
  readonly lossScale?: Tensor | undefined;
}

export type StepOptions = OptimizerOptions & BackwardOptions;

/** Completes a training step. Returns the gradient's global norm before clipping, [1]. */
export function trainingStep(graph: Graph, loss: Tensor, options: StepOptions): Tensor {
  backward(graph, loss, options);
  return optimize(graph, graph, 'gradient', options, loss);
}

/**
 * Completes the graph of one micro-batch: its gradient is added to the pack `accumulated`, from which
 * `optimizerStep` makes the step. A run's scalars say which of how many micro-batches it is.
 */
export function microStep(graph: Graph, loss: Tensor, options: BackwardOptions = {}): void {
  backward(graph, loss, options);
  const { length } = packLayout(graph.parameters);
  accumulate(graph, {
    accumulated: graph.pack('accumulated', length),
    gradient: graph.pack('gradient', length),
  });
}

/** In a graph of its own, the optimizer step that follows the micro-batches of `model`. Returns the norm before clipping, [1]. */
export const optimizerStep = (graph: Graph, model: Model, options: OptimizerOptions): Tensor =>
  optimize(graph, model, 'accumulated', options);

function backward(graph: Graph, loss: Tensor, { segmentOf, lossScale }: BackwardOptions): void {
  const forward = graph.nodes.length;
  parameterGradients(graph, [lossSeed(graph, loss, lossScale)]);
  if (segmentOf) recompute(graph, forward, segmentOf);
  if (lossScale) storeActivationsInHalf(graph);
}

function optimize(
  graph: Graph,
  model: Model,
  pack: 'gradient' | 'accumulated',
  { weightDecay, clip, unscale, halted }: OptimizerOptions,
  loss?: Tensor,
): Tensor {
  const layout = packLayout(model.parameters);
  const gradient = graph.pack(pack, layout.length);
  const norm = globalNorm(graph, gradient, { factor: unscale, halted, loss: halted && loss });
  adamw(
    graph,
    {
      value: graph.pack('value', layout.length),
      gradient,
      first_moment: graph.pack('first_moment', layout.length),
      second_moment: graph.pack('second_moment', layout.length),
      norm,
      factor: unscale,
      halted,
    },
    { weightDecay, clip, decayed: layout.decayed },
  );
  return norm;
}
