/** The scalars that change from step to step: one uniform buffer, the only thing besides the batch written per step. */
import type { StepScalars } from './ops/definition';

/** Bytes of the step's scalars at the start of the program's uniform buffer. */
export const STEP_BYTES = 32;

/** The WGSL type of the step's scalars, in the layout of `packStep`. */
export const STEP_WGSL = `struct Step {
  step: u32,
  seed: u32,
  learning_rate: f32,
  correction1: f32,
  correction2: f32,
  micro: u32,
  micro_share: f32,
}`;

/** AdamW's decay rates of the two moments; PyTorch's defaults, fixed because the trainer has no key for them. */
export const BETA1 = 0.9;
export const BETA2 = 0.999;

/**
 * The uniform's bytes. `step` counts from 1; the corrections are 1 − βᵗ of Adam (Kingma & Ba 2015), t its steps, computed here in
 * float64 because 1 − 0.999ᵗ loses half its digits in float32.
 */
export function packStep({
  step,
  optimizerStep = step,
  seed,
  learningRate,
  micro,
}: StepScalars): ArrayBuffer {
  const bytes = new ArrayBuffer(STEP_BYTES);
  const view = new DataView(bytes);
  view.setUint32(0, step, true);
  view.setUint32(4, seed, true);
  view.setFloat32(8, learningRate, true);
  view.setFloat32(12, 1 - BETA1 ** optimizerStep, true);
  view.setFloat32(16, 1 - BETA2 ** optimizerStep, true);
  view.setUint32(20, micro?.index ?? 0, true);
  view.setFloat32(24, 1 / (micro?.count ?? 1), true);
  return bytes;
}
