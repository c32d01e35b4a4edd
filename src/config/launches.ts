/** The jobs that a run takes where the platform ends each of them after some hours, as Modal does. */
import { MODAL } from './facts';
import type { TargetName } from './targets';

/** Hours after which a job ends there; Infinity on a machine of one's own. */
export const jobLimit = (target: TargetName): number => (target === 'modal' ? MODAL.jobHours : Infinity);

/** Epochs of one job, counted from 1; after the first job, the first epoch is the saved one again. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

export interface Jobs {
  readonly count: number;
  readonly spans: readonly Span[];
  /** Paid for, all jobs together. */
  readonly hours: number;
  /** Hours of epochs that are trained a second time, because a resumed run repeats the saved epoch. */
  readonly repeated: number;
  /** Hours of epochs that the end of a job interrupts. */
  readonly lost: number;
  /** Hours of all jobs before their first epochs. */
  readonly starting: number;
}

/** No run has more: the trainer takes 200. */
const MAX_EPOCHS = 10_000;

/**
 * Plans jobs of at most `limit` hours for `epochs` epochs, each of which starts with `start` hours of reading: an epoch that the end of a job interrupts is lost, and a resumed run
 * repeats the saved epoch (the trainer's source at 2025-09-21). Undefined where no number of jobs completes the run, because
 * fewer than two epochs fit a job; also for hours that are not above 0, and for fewer epochs than one or more than MAX_EPOCHS.
 */
export function planJobs(
  epochs: number,
  hoursPerEpoch: number,
  limit: number = MODAL.jobHours,
  start = 0,
): Jobs | undefined {
  const fit = Math.floor((limit - start) / hoursPerEpoch + 1e-9);
  if (!(epochs >= 1) || !(epochs <= MAX_EPOCHS) || !(hoursPerEpoch > 0) || (epochs > fit && fit < 2))
    return undefined;
  const spans: Span[] = [];
  for (let first = 1; ;) {
    const last = Math.min(epochs, first + fit - 1);
    spans.push({ first, last });
    if (last === epochs) break;
    first = last;
  }
  const resumed = spans.length - 1;
  const lost = resumed === 0 ? 0 : resumed * Math.max(0, limit - start - fit * hoursPerEpoch);
  return {
    count: spans.length,
    spans,
    hours: (epochs + resumed) * hoursPerEpoch + lost + spans.length * start,
    repeated: resumed * hoursPerEpoch,
    lost,
    starting: spans.length * start,
  };
}
