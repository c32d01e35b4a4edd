/**
 * The dynamic loss scale of mixed precision (Micikevicius et al. 2018, arXiv:1710.03740), by the rules and numbers of
 * PyTorch's torch.amp.GradScaler. The gradients are those of scale · loss, so that small ones stay above what float16 can
 * hold; a step whose gradient overflowed is skipped, and the next one has a smaller scale.
 */
import type { Json } from '../checkpoints/state';
import { SettingsError } from '../run/failure';

export interface LossScale {
  readonly scale: number;
  /** Steps since the scale changed last, or since one was skipped. */
  readonly good: number;
  /** Steps skipped in all: AdamW does not count them, the schedule does. */
  readonly skipped: number;
}

export const FIRST_SCALE: LossScale = { scale: 65536, good: 0, skipped: 0 };

const GROWTH = 2;
const BACKOFF = 0.5;
const GROWTH_INTERVAL = 2000;
/** Gradients that overflow unscaled are not made finite by a smaller scale. PyTorch continues, and skips everything. */
const MIN_SCALE = 1;
/** As far as float32 has an inverse of it that is no subnormal; PyTorch's bound is infinity. */
const MAX_SCALE = 2 ** 126;

/** The scale after a step; null where it overflowed and no scale is left to try. */
export function afterStep({ scale, good, skipped }: LossScale, overflowed: boolean): LossScale | null {
  if (overflowed)
    return scale * BACKOFF < MIN_SCALE ? null : { scale: scale * BACKOFF, good: 0, skipped: skipped + 1 };
  if (good + 1 < GROWTH_INTERVAL) return { scale, good: good + 1, skipped };
  return { scale: Math.min(scale * GROWTH, MAX_SCALE), good: 0, skipped };
}

/** As a checkpoint has it. Throws SettingsError for what is no loss scale. */
export function readLossScale(json: Json): LossScale {
  if (typeof json === 'object' && json !== null && 'scale' in json && 'good' in json && 'skipped' in json) {
    const { scale, good, skipped } = json;
    const count = (value: Json | undefined): value is number =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    if (
      typeof scale === 'number' &&
      scale >= MIN_SCALE &&
      scale <= MAX_SCALE &&
      count(good) &&
      count(skipped)
    )
      return { scale, good, skipped };
  }
  throw new SettingsError(`the checkpoint's loss scale is ${JSON.stringify(json)}, which is none`);
}
