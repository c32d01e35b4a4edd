/** What a trained model's scan is given for some sequences, so that it can be run again with other values. */
import { elements, Graph, type Tensor } from '../../engine/graph';
import { selectiveScan } from '../../engine/ops/selective_scan';
import { sequenceGraph, type Run } from '../loop/sequence';
import type { Batch } from '../tasks/task';
import type { Both, Lab, Weights } from './lab';

/** u, delta (after bias and softplus) [b, l, d]; A [d, n]; B, C [b, l, n], float32. */
export interface ScanValues {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly states: number;
  readonly u: Float32Array;
  readonly delta: Float32Array;
  readonly A: Float32Array;
  readonly B: Float32Array;
  readonly C: Float32Array;
}

/** The values of the only layer of a model: as the kernels computed them, or in float64 and rounded once. */
export async function scanValues(
  run: Run,
  weights: Weights,
  lab: Lab,
  sequences: Batch,
  of: keyof Both = 'want',
): Promise<ScanValues> {
  const { length } = run.preset.sizes;
  const batch = sequences.tokens.length / length;
  const view = sequenceGraph(run, batch);
  const { u, delta, A, B, C, deltaBias } = (view.layers[0] as (typeof view.layers)[number]).scan;
  const feed = new Map([
    [view.tokens, sequences.tokens],
    [view.targets, sequences.targets],
  ]);
  const valueOf = await lab.evaluate(view.graph, feed, weights, [
    u,
    B,
    C,
    A,
    ...(delta.role === 'constant' ? [] : [delta]),
  ]);
  const channels = u.shape[2] as number;
  const bias = deltaBias && weights.get(deltaBias.name);
  const raw = delta.role === 'constant' ? new Float32Array(elements(delta.shape)) : valueOf(delta)[of];
  return {
    batch,
    length,
    channels,
    states: A.shape[1] as number,
    u: Float32Array.from(valueOf(u)[of]),
    delta: Float32Array.from(raw, (value, i) => Math.log1p(Math.exp(value + (bias?.[i % channels] ?? 0)))),
    A: Float32Array.from(valueOf(A)[of]),
    B: Float32Array.from(valueOf(B)[of]),
    C: Float32Array.from(valueOf(C)[of]),
  };
}

/** Inputs of a graph for a scan's values: u and delta [b, l, d], A [d, n], B and C [b, l, n]. */
export function scanInputs(
  graph: Graph,
  {
    batch = 1,
    length,
    channels,
    states,
  }: { batch?: number; length: number; channels: number; states: number },
) {
  const wide = [batch, length, channels];
  const narrow = [batch, length, states];
  return {
    u: graph.input('u', wide),
    delta: graph.input('delta', wide),
    A: graph.input('A', [channels, states]),
    B: graph.input('B', narrow),
    C: graph.input('C', narrow),
  };
}

/** y [b, l, d] of the scan alone, without D and gate. */
export async function scanAgain(lab: Lab, values: ScanValues): Promise<Both> {
  const graph = new Graph();
  const inputs = scanInputs(graph, values);
  const y = selectiveScan(graph, inputs, { deltaSoftplus: false });
  const feed = new Map<Tensor, Float32Array>(
    (Object.keys(inputs) as (keyof typeof inputs)[]).map((name) => [inputs[name], values[name]]),
  );
  return (await lab.evaluate(graph, feed, new Map(), [y]))(y);
}
