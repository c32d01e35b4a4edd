/** FLOPs and bytes of a training step, from the same graph that the engine trains. */
import { Graph } from '../engine/graph';
import { binaryLoss } from '../engine/ops/binary_loss';
import { trainingStep } from '../engine/optimizer';
import type { Mixer } from '../models/bimamba';
import { detectorModel, PRODUCTION } from '../models/detector';
import type { Work } from './hardware';
import { WINDOW_SAMPLES } from './host_facts';

export interface WorkModel {
  readonly layers: number;
  readonly mixer: Mixer;
  readonly kernelSizes: readonly number[];
  /** Only the convolution mixer's; Mamba-2 has its own, of 4. */
  readonly convKernel: number;
}

function measure(model: WorkModel, batch: number): Work {
  const graph = new Graph();
  const x = graph.input('eeg', [batch, WINDOW_SAMPLES, PRODUCTION.electrodes]);
  const target = graph.input('labels', [batch, WINDOW_SAMPLES, 1]);
  const { logits } = detectorModel(graph, x, { ...PRODUCTION, ...model }, { training: true });
  trainingStep(graph, binaryLoss(graph, logits, target, { posWeight: 1 }), { weightDecay: 0.05, clip: 1 });
  return graph.nodes.reduce(
    (sum, node) => {
      const { flops, bytes } = node.op.cost(node);
      return { flops: sum.flops + flops, bytes: sum.bytes + bytes };
    },
    { flops: 0, bytes: 0 },
  );
}

/**
 * Of one update with `batch` windows in float32: forward, backward, AdamW. What does not grow with the batch (AdamW,
 * weights) is told from what does by two graphs.
 */
export function workOf(model: WorkModel, batch: number): Work {
  const [one, two] = [measure(model, 1), measure(model, 2)];
  return {
    flops: one.flops + (batch - 1) * (two.flops - one.flops),
    bytes: one.bytes + (batch - 1) * (two.bytes - one.bytes),
  };
}
