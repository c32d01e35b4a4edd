/** A state as the checkpoint that the trainer's `--resume` loads. */
import { writeTorchCheckpoint } from '../checkpoints/torch_checkpoint';
import type { TrainingState } from '../checkpoints/state';
import { readLossScale } from './loss_scale';
import { learningRateAt } from './schedule';
import { toTrainer } from './config';
import type { EegSettings } from './settings';

/** Of the trainer's AdamW, which are the engine's too. */
const ADAMW = { betas: [0.9, 0.999], eps: 1e-8 } as const;

/** The parts of a .pt file, in order. `settings`: those of the run that the state is of. */
export function trainerCheckpoint(state: TrainingState, settings: EegSettings): Uint8Array<ArrayBuffer>[] {
  const { learningRate: peak, warmupRatio, weightDecay } = settings;
  const { schedule, step, epoch, bestScore, lossScale } = state.progress;
  const skipped = lossScale === null ? 0 : readLossScale(lossScale).skipped;
  const { steps } = schedule as { readonly steps: number };
  const currentRate = learningRateAt({ peak, steps, warmupRatio, firstStepFullRate: true }, step);
  return writeTorchCheckpoint(
    state,
    { learningRate: peak, currentRate, weightDecay, ...ADAMW },
    { epoch, bestMetric: bestScore ?? 0, skipped, config: toTrainer(settings) },
  );
}
