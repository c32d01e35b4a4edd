/** What the page shows of a run, as its worker answers: memory, time and cost, each with its verdict. */
import { sum, type Quantity } from '../../../base/quantity';
import { MAIN_BYTES, OTHER_BYTES, validationBytes } from '../../../estimate/host_facts';
import type { HostEnsemble, KillOdds } from '../../../estimate/host_odds';
import { predictHostRam } from '../../../estimate/host_predict';
import type { HostRun } from '../../../estimate/host_ram';
import type { IncidentReplay } from '../../../estimate/incident';
import {
  costsOf,
  epochHours,
  hostPlanOf,
  loadingOf,
  rateOf,
  scaledHours,
  type Plan,
  type StopCost,
} from '../../../estimate/scenario';
import type { ScaledHours } from '../../../estimate/time_run';
import type { Measurement } from '../../../estimate/vram/options';
import {
  fitsCard,
  predictVram,
  vramTimeline,
  type Fit,
  type VramPrediction,
} from '../../../estimate/vram/predict';
import { stepPicture, type StepPicture } from './vram_view';

/** What a run may take. */
export interface Limits {
  readonly dollars: number;
  readonly hours: number;
}

/** A predicted range, and whether it is within its limit. */
export interface Judged extends Quantity {
  readonly fits: Fit;
}

/** GPU memory, time and cost of a run. */
export interface Prediction {
  readonly vram: VramPrediction;
  readonly vramFits: Fit;
  /** GPU memory during one training step. */
  readonly step: StepPicture;
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours in which the recordings of an epoch are decompressed. */
  readonly loading: Quantity;
  /** Dollars an hour; undefined where the price list does not have the GPU. */
  readonly rate: Quantity | undefined;
  readonly costs: readonly StopCost[];
  /** Where the hours come from a short run. */
  readonly scaled: ScaledHours | undefined;
  readonly hours: Judged | undefined;
  readonly dollars: Judged | undefined;
}

/** Host memory of a run, after some of its simulations. */
export interface HostAnswer {
  readonly runs: number;
  readonly of: number;
  readonly odds: KillOdds;
  /** Peaks in bytes: in training, in validation, and the higher of both. */
  readonly training: Quantity;
  readonly validation: Quantity;
  readonly peak: Quantity;
  readonly fits: Fit;
  /** What to know about these numbers, in sentences; there when all runs are done. */
  readonly notes: readonly string[];
}

/** The search for a seed whose run is killed as the one of an incident was. */
export interface CrashSearch {
  readonly runs: number;
  readonly of: number;
  readonly killed: number;
  /** There when all seeds were tried and one was killed. */
  readonly replay: IncidentReplay | null;
}

export interface HostRuns {
  readonly training: HostRun;
  readonly validation: HostRun | undefined;
}

/** GPU memory, time and cost. Throws RangeError where no run can have these settings. */
export function predictionOf(plan: Plan, limits: Limits, measurement?: Measurement): Prediction {
  const options = { ...plan.settings.vram, measurement };
  const costs = costsOf(plan);
  return {
    vram: predictVram(options),
    vramFits: fitsCard(options, plan.machine.gpu.memoryBytes),
    step: stepPicture(vramTimeline(plan.settings.vram)),
    epoch: epochHours(plan),
    loading: loadingOf(plan),
    rate: rateOf(plan),
    costs,
    scaled: scaledHours(plan),
    hours: wholeRun(costs, 'hours', limits),
    dollars: wholeRun(costs, 'dollars', limits),
  };
}

export const verdictOf = ({ low, high }: Pick<Quantity, 'low' | 'high'>, limit: number): Fit =>
  high <= limit ? 'fits' : low > limit ? 'does not fit' : 'perhaps';

const ORDER: readonly Fit[] = ['fits', 'perhaps', 'does not fit'];

/** All have to fit. */
export const worst = (verdicts: readonly Fit[]): Fit =>
  ORDER[Math.max(0, ...verdicts.map((verdict) => ORDER.indexOf(verdict)))] ?? 'fits';

/** From the fastest run that stops early to the slowest of all epochs; likely is all epochs at their likely pace. */
export function wholeRun(
  costs: readonly StopCost[],
  what: 'hours' | 'dollars',
  limits: Readonly<Record<'hours' | 'dollars', number>>,
): Judged | undefined {
  const all = costs.at(-1)?.[what];
  const early = (costs.find(({ stop }) => stop.id === 'likely') ?? costs[0])?.[what];
  if (!all || !early) return undefined;
  const low = Math.min(early.low, all.low);
  return {
    ...all,
    low,
    source: `${all.source}; the low end stops early, as the review expects`,
    fits: verdictOf({ low, high: all.high }, limits[what]),
  };
}

/** Host memory after the runs of an ensemble; validation is simulated when all of them are there. */
export function hostAnswer(plan: Plan, ensemble: HostEnsemble, of: number): HostAnswer {
  const runs = ensemble.runs.length;
  const odds = ensemble.odds();
  if (runs >= of) {
    const { training, validation, peak, fits, notes } = predictHostRam(hostPlanOf(plan), ensemble);
    return { runs, of, odds, training, validation, peak, fits, notes };
  }
  const training = ensemble.peak();
  const validation = sum(
    [validationBytes(plan.settings.windows.validation), MAIN_BYTES, OTHER_BYTES[plan.machine.name]],
    'outputs of validation, the main process and other programs',
  );
  const max = (bound: 'low' | 'likely' | 'high'): number => Math.max(training[bound], validation[bound]);
  const peak = {
    ...(validation.likely >= training.likely ? validation : training),
    low: max('low'),
    likely: max('likely'),
    high: max('high'),
  };
  const { low, high } = odds.killed;
  const risk = high <= 0.05 ? 'fits' : low >= 0.5 ? 'does not fit' : 'perhaps';
  const { ramBytes } = ensemble.options.machine;
  return {
    runs,
    of,
    odds,
    training,
    validation,
    peak,
    fits: worst([verdictOf(peak, ramBytes), risk]),
    notes: [],
  };
}
