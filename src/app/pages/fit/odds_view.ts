/** The curve of a kill's odds as a picture. */
import type { KillOdds } from '../../../estimate/host_odds';
import { count, percent } from '../../ui/format';

export interface Curve {
  readonly xs: Float64Array;
  readonly low: Float64Array;
  readonly likely: Float64Array;
  readonly high: Float64Array;
  /** Of all that is simulated. */
  readonly batches: number;
}

export const curveOf = ({ curve }: KillOdds): Curve => ({
  xs: Float64Array.from(curve, ({ batch }) => batch),
  low: Float64Array.from(curve, ({ low }) => low),
  likely: Float64Array.from(curve, ({ likely }) => likely),
  high: Float64Array.from(curve, ({ high }) => high),
  batches: Math.max(1, curve.at(-1)?.batch ?? 1),
});

export function describeOdds({ curve, runs }: KillOdds, at: number): string {
  const point = curve[at];
  if (!point) return '';
  const { batch, low, likely, high } = point;
  return `Killed within ${count(batch)} batches: ${percent(likely)} of ${runs} runs, ${percent(low)} to ${percent(high)} at 95 %.`;
}
