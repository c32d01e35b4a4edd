/** A run from a file: the trainer's checkpoint, a state as this page saves it, or weights alone. */
import { readState, readWeights } from '../checkpoints/state_file';
import type { TrainingState } from '../checkpoints/state';
import { readTorchCheckpoint } from '../checkpoints/torch_checkpoint';
import { formatOf } from '../detection/weights';

export interface RunFile {
  readonly state: TrainingState;
  /** Whether it is all that a run needs to resume, and not weights alone. */
  readonly whole: boolean;
}

/** Throws with a sentence where the file holds none. */
export const readRunFile = (bytes: Uint8Array<ArrayBuffer>): RunFile =>
  formatOf(bytes) === 'torch' ? { state: fromTorch(bytes), whole: false } : fromSafetensors(bytes);

const NOTHING = { schedule: null, lossScale: null, rng: null, sampler: null, earlyStopping: null } as const;

function fromTorch(bytes: Uint8Array<ArrayBuffer>): TrainingState {
  const { parameters, buffers, firstMoments, secondMoments, ...read } = readTorchCheckpoint(bytes);
  const { epoch, step, batches, bestMetric, config } = read;
  return {
    parameters,
    buffers,
    firstMoments,
    secondMoments,
    progress: { ...NOTHING, epoch, step, batches, bestScore: bestMetric, config: JSON.stringify(config) },
  };
}

function fromSafetensors(bytes: Uint8Array): RunFile {
  try {
    return { state: readState(bytes), whole: true };
  } catch (error) {
    // Weights alone are no state.
    if (!(error instanceof Error) || !error.message.includes('holds no training state')) throw error;
  }
  const moments = { firstMoments: new Map(), secondMoments: new Map() };
  const progress = { ...NOTHING, epoch: 0, step: 0, batches: 0, bestScore: null, config: '' };
  return { state: { ...readWeights(bytes), ...moments, progress }, whole: false };
}
