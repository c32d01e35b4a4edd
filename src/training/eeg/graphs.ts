/** The graphs of a training on EEG: an update's forward and backward pass, the update itself, and the evaluation. */
import { Graph, type Tensor } from '../../engine/graph';
import { binaryLoss, type BinaryLossAttrs } from '../../engine/ops/binary_loss';
import { sigmoid } from '../../engine/ops/sigmoid';
import { microStep, trainingStep, updateStep } from '../../engine/optimizer';
import { detectorModel, segmentOf, type DetectorConfig } from '../../models/detector';
import type { Declared } from '../../models/initialise';
import { WINDOW } from '../../data/windows';
import type { EegSettings } from './settings';

export interface StepGraph {
  readonly graph: Graph;
  /** [micro-batch, WINDOW, electrodes] */
  readonly x: Tensor;
  /** [micro-batch, WINDOW, 1] */
  readonly target: Tensor;
  readonly loss: Tensor;
  readonly declared: readonly Declared[];
  /** Of the published model, without influence on this one. */
  readonly idle: readonly Declared[];
  /** The gradient's norm, and the graph that computes it: the step's own where there is one micro-batch. */
  readonly norm: Tensor;
  readonly update: Graph | null;
}

export function stepGraph(settings: EegSettings, config: DetectorConfig, posWeight: number): StepGraph {
  const { batch, microBatches, weightDecay, clip, checkpointing } = settings;
  const graph = new Graph();
  const size = batch / microBatches;
  const x = graph.input('eeg', [size, WINDOW, config.electrodes]);
  const target = graph.input('labels', [size, WINDOW, 1]);
  const { logits, declared, idle } = detectorModel(graph, x, config, { training: true });
  const loss = binaryLoss(graph, logits, target, lossOptions(settings, posWeight));
  const segments = checkpointing ? segmentOf : undefined;
  if (microBatches === 1) {
    const norm = trainingStep(graph, loss, { weightDecay, clip, segmentOf: segments });
    return { graph, x, target, loss, declared, idle, norm, update: null };
  }
  microStep(graph, loss, { segmentOf: segments });
  const update = new Graph();
  const norm = updateStep(update, graph, { weightDecay, clip });
  return { graph, x, target, loss, declared, idle, norm, update };
}

/** Production leaves pos_weight out where alpha weights the classes already. */
export function lossOptions(
  { loss, focalAlpha, focalGamma }: EegSettings,
  posWeight: number,
): BinaryLossAttrs {
  if (loss === 'bce') return { posWeight };
  return { posWeight: focalAlpha === 0.5 ? posWeight : 1, focal: { alpha: focalAlpha, gamma: focalGamma } };
}

export interface EvaluationGraph {
  readonly graph: Graph;
  readonly x: Tensor;
  /** [batch, WINDOW, 1] */
  readonly probabilities: Tensor;
}

export function evaluationGraph(config: DetectorConfig, batch: number): EvaluationGraph {
  const graph = new Graph();
  const x = graph.input('eeg', [batch, WINDOW, config.electrodes]);
  const { logits } = detectorModel(graph, x, config, { training: false });
  return { graph, x, probabilities: sigmoid(graph, logits) };
}
