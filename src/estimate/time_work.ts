/** FLOPs and bytes of a training step, from the graph of PyTorch's model in the engine's ops. */
import { WINDOW_SAMPLES } from '../base/production';
import { SAVED_MIB } from '../config/facts';
import { Graph } from '../engine/graph';
import { binaryLoss } from '../engine/ops/binary_loss';
import { trainingStep } from '../engine/optimizer';
import type { Mixer } from '../models/bimamba';
import { detectorModel, PRODUCTION, segmentOf } from '../models/detector';
import type { Work } from './hardware';
import type { VramRun } from './vram/options';

export interface WorkModel {
  readonly layers: number;
  readonly mixer: Mixer;
  readonly kernelSizes: readonly number[];
  /** Only the convolution mixer's; Mamba-2 has its own, of 4. */
  readonly convKernel: number;
  /** Whether the backward pass computes again what it needs. */
  readonly checkpointing: boolean;
}

function measure(model: WorkModel, batch: number): Work {
  const graph = new Graph();
  const x = graph.input('eeg', [batch, WINDOW_SAMPLES, PRODUCTION.electrodes]);
  const target = graph.input('labels', [batch, WINDOW_SAMPLES, 1]);
  const mode = { training: true, apart: true };
  const { logits } = detectorModel(graph, x, { ...PRODUCTION, ...model }, mode);
  trainingStep(graph, binaryLoss(graph, logits, target, { posWeight: 1 }), {
    weightDecay: 0.05,
    clip: 1,
    segmentOf: model.checkpointing ? segmentOf : undefined,
  });
  return graph.nodes.reduce(
    (sum, node) => {
      const { flops, bytes } = node.op.cost(node);
      return { flops: sum.flops + flops, bytes: sum.bytes + bytes };
    },
    { flops: 0, bytes: 0 },
  );
}

const known = new Map<string, readonly [Work, Work]>();

/**
 * Of one step with `batch` windows in float32: forward, backward, AdamW. What does not grow with the batch (AdamW,
 * weights) is separated from what does by two graphs. Exported for its tests.
 */
export function workOf(model: WorkModel, batch: number): Work {
  const { layers, mixer, kernelSizes, convKernel, checkpointing } = model;
  const asked: WorkModel = { layers, mixer, kernelSizes, convKernel, checkpointing };
  const key = JSON.stringify(asked);
  const [one, two] = known.get(key) ?? [measure(asked, 1), measure(asked, 2)];
  known.set(key, [one, two]);
  return {
    flops: one.flops + (batch - 1) * (two.flops - one.flops),
    bytes: one.bytes + (batch - 1) * (two.bytes - one.bytes),
  };
}

/** Under autocast a window saves less, measured: what moves is assumed to shrink alike. */
const AUTOCAST_BYTES = (SAVED_MIB.autocast + SAVED_MIB.casts) / SAVED_MIB.fp32;

/** Of one window of a run, its share of the optimizer step included. */
export function windowWork(run: VramRun): Work {
  const { flops, bytes } = workOf(run, run.batch);
  const share = run.precision === 'fp32' ? 1 : AUTOCAST_BYTES;
  return { flops: flops / run.batch, bytes: (share * bytes) / run.batch };
}
