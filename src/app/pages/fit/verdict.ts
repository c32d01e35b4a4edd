/** Whether a predicted range stays below a limit. */
import type { Quantity } from '../../../base/quantity';
import type { Fit } from '../../../estimate/vram/predict';

export type Verdict = Fit;

export const verdictOf = ({ low, high }: Pick<Quantity, 'low' | 'high'>, limit: number): Verdict =>
  high <= limit ? 'fits' : low > limit ? 'does not fit' : 'perhaps';

const ORDER: readonly Verdict[] = ['fits', 'perhaps', 'does not fit'];

/** All have to fit. */
export const worst = (verdicts: readonly Verdict[]): Verdict =>
  ORDER[Math.max(0, ...verdicts.map((verdict) => ORDER.indexOf(verdict)))] ?? 'fits';

/** Seen through a chance of a kill and its interval: below one in twenty is called fitting. */
export const verdictOfOdds = ({ low, high }: { readonly low: number; readonly high: number }): Verdict =>
  high <= 0.05 ? 'fits' : low >= 0.5 ? 'does not fit' : 'perhaps';
