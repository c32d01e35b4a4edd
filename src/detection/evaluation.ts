/** The detector's forward pass over the windows of whole recordings, as after an epoch of training so with finished weights. */
import { Stitcher } from '../eeg/events/stitch';
import { WINDOW } from '../eeg/windows/windows';
import { Graph, type Tensor } from '../engine/graph';
import { storeActivationsInHalf } from '../engine/mixed_precision';
import { sigmoid } from '../engine/ops/sigmoid';
import type { Program } from '../engine/program';
import { detectorModel, type DetectorConfig } from '../models/detector';
import type { Declared } from '../models/initialise';

export interface EvaluationGraph {
  readonly graph: Graph;
  /** [batch, samples, electrodes] */
  readonly x: Tensor;
  /** [batch, samples, 1] */
  readonly logits: Tensor;
  /** [batch, samples, 1] */
  readonly probabilities: Tensor;
  readonly declared: readonly Declared[];
  /** Parameters of the published model without influence on this one. */
  readonly unused: readonly Declared[];
}

/** Activations are stored as in training; the probabilities are float32. `samples`: of a window. */
export function evaluationGraph(
  config: DetectorConfig,
  batch: number,
  precision: 'float32' | 'float16' = 'float32',
  samples = WINDOW,
): EvaluationGraph {
  const graph = new Graph();
  const x = graph.input('eeg', [batch, samples, config.electrodes]);
  const { logits, declared, unused } = detectorModel(graph, x, config, { training: false });
  if (precision === 'float16') storeActivationsInHalf(graph);
  return { graph, x, logits, probabilities: sigmoid(graph, logits), declared, unused };
}

/** A detector whose weights are on the device. */
export interface Evaluator {
  readonly evaluating: Program;
  readonly evaluation: Pick<EvaluationGraph, 'x' | 'probabilities'>;
}

/**
 * The probabilities of the windows that start at `starts`, in rising order, into `stitcher`. `fill` writes a window
 * [WINDOW, 19] into its second argument; `turn` is called before each batch with the windows that are done, and may wait or
 * throw, which ends it.
 */
export async function stitchWindows(
  { evaluating: program, evaluation: { x, probabilities } }: Evaluator,
  starts: readonly number[],
  fill: (start: number, x: Float32Array) => Promise<void>,
  stitcher: Stitcher,
  turn: (done: number) => Promise<void> | void,
): Promise<void> {
  const [batch = 1, , electrodes = 1] = x.shape;
  const perWindow = WINDOW * electrodes;
  const eeg = new Float32Array(batch * perWindow);
  for (let first = 0; first < starts.length; first += batch) {
    await turn(first);
    const chosen = starts.slice(first, first + batch);
    for (const [i, start] of chosen.entries())
      await fill(start, eeg.subarray(i * perWindow, (i + 1) * perWindow));
    program.write(x, eeg);
    program.run();
    const values = (await program.read()).get(probabilities) as Float32Array;
    for (const [i, start] of chosen.entries())
      stitcher.add(start, values.subarray(i * WINDOW, (i + 1) * WINDOW));
  }
}
