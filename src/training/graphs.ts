/** The graphs of a training on EEG: a step's forward and backward pass, and the optimizer step after micro-batches. */
import { Graph, type Tensor } from '../engine/graph';
import { binaryLoss, type BinaryLossAttrs } from '../engine/ops/binary_loss';
import { microStep, trainingStep, optimizerStep } from '../engine/optimizer';
import { detectorModel, segmentOf, type DetectorConfig } from '../models/detector';
import type { Declared } from '../models/initialise';
import { WINDOW } from '../eeg/windows/windows';
import type { EegSettings } from './settings';

export interface StepGraph {
  readonly graph: Graph;
  /** [micro-batch, WINDOW, electrodes] */
  readonly x: Tensor;
  /** [micro-batch, WINDOW, 1] */
  readonly target: Tensor;
  readonly loss: Tensor;
  readonly declared: readonly Declared[];
  /** Parameters of the published model that this one does not use. */
  readonly unused: readonly Declared[];
  /** The gradient's norm. */
  readonly norm: Tensor;
  /** The optimizer step, which computes the norm; null where it is part of `graph`, because there is one micro-batch. */
  readonly optimizerGraph: Graph | null;
  /** Where activations are float16: inputs [1], the loss scale of the step and its inverse, read by norm and optimizer step. */
  readonly scaling: { readonly scale: Tensor; readonly inverse: Tensor } | null;
}

/**
 * The graphs of a step on `batch / microBatches` windows of float32 EEG. With one micro-batch the optimizer step is in the same
 * graph; with more it is a graph of its own over the summed gradients. `posWeight`: weight of seizure samples in the loss.
 */
export function stepGraph(settings: EegSettings, config: DetectorConfig, posWeight: number): StepGraph {
  const { batch, microBatches, weightDecay, clip, checkpointing, precision } = settings;
  const graph = new Graph();
  const size = batch / microBatches;
  const x = graph.input('eeg', [size, WINDOW, config.electrodes]);
  const target = graph.input('labels', [size, WINDOW, 1]);
  const { logits, declared, unused } = detectorModel(graph, x, config, { training: true });
  const loss = binaryLoss(graph, logits, target, lossOptions(settings, posWeight));
  const optimizerGraph = microBatches === 1 ? null : new Graph();
  const scaling =
    precision === 'float16'
      ? {
          scale: graph.input('loss scale', [1]),
          inverse: (optimizerGraph ?? graph).input('inverse loss scale', [1]),
        }
      : null;
  const backward = { segmentOf: checkpointing ? segmentOf : undefined, lossScale: scaling?.scale };
  // A loss scale follows from the norm of the step before, so that nothing is submitted ahead of it.
  const halted = scaling ? undefined : (optimizerGraph ?? graph).input('halted', [1], 'u32');
  const optimizer = { weightDecay, clip, unscale: scaling?.inverse, halted };
  if (!optimizerGraph) {
    const norm = trainingStep(graph, loss, { ...backward, ...optimizer });
    return { graph, x, target, loss, declared, unused, norm, optimizerGraph, scaling };
  }
  microStep(graph, loss, backward);
  const norm = optimizerStep(optimizerGraph, graph, optimizer);
  return { graph, x, target, loss, declared, unused, norm, optimizerGraph, scaling };
}

/** The trainer leaves pos_weight out where alpha weights the classes already. */
function lossOptions({ loss, focalAlpha, focalGamma }: EegSettings, posWeight: number): BinaryLossAttrs {
  if (loss === 'bce') return { posWeight };
  return { posWeight: focalAlpha === 0.5 ? posWeight : 1, focal: { alpha: focalAlpha, gamma: focalGamma } };
}
