/** The trainer's learning rate: linear warm-up, then half a cosine (the `cosine` of training.scheduler). */

export interface Schedule {
  /** training.learning_rate */
  readonly peak: number;
  /** T, steps of the whole run. */
  readonly steps: number;
  /** Share of all steps that warm up. */
  readonly warmupRatio: number;
  /**
   * The trainer's first step runs at the full rate, because building its scheduler restores what the warm-up had set.
   * True does the same.
   */
  readonly firstStepFullRate: boolean;
}

/** W = max(1, ⌊ratio · T⌋). */
const warmupSteps = ({ steps, warmupRatio }: Schedule): number =>
  Math.max(1, Math.floor(warmupRatio * steps));

/**
 * The rate of step `step`, counted from 0: peak · (i + 1) / W in the warm-up, then
 * peak · ½ (1 + cos(π (i − W) / (T − W))), which reaches 0 at i = T.
 */
export function learningRateAt(schedule: Schedule, step: number): number {
  const { peak, steps, firstStepFullRate } = schedule;
  if (step === 0 && firstStepFullRate) return peak;
  const warmup = warmupSteps(schedule);
  if (step < warmup) return (peak * (step + 1)) / warmup;
  const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
  return (peak * (1 + Math.cos(Math.PI * progress))) / 2;
}
