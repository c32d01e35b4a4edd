/** Host memory of a run as one answer: training by many seeds, validation, and whether a machine has it. */
import { quantity, type Quantity } from '../base/quantity';
import { GIB } from '../config/facts';
import { hostOptions, type HostPlan } from './from_config';
import { validationBytes } from './host_facts';
import { HostEnsemble, type KillOdds } from './host_odds';

export type HostFit = 'fits' | 'perhaps' | 'does not fit';

export interface HostPrediction {
  /** Highest in training, bytes. */
  readonly training: Quantity;
  readonly odds: KillOdds;
  /** Highest in validation, bytes. */
  readonly validation: Quantity;
  /** The higher of both. */
  readonly peak: Quantity;
  /** RAM and swap, bytes. */
  readonly limit: number;
  readonly fits: HostFit;
  /** What one should know about these numbers, in sentences. */
  readonly notes: readonly string[];
}

/** Share of runs that may be killed before a machine counts as too small. */
export const ACCEPTED_KILLS = 0.05;

export const HOST_RUNS = 40;
/** Of validation, which hardly varies. */
const VALIDATIONS = 5;

/** Highest of validation over some seeds, its lists as uncertain as `validationBytes` says. */
export function validationPeak({ simulator }: HostEnsemble, windows: number): Quantity {
  const lists = validationBytes(windows);
  const peaks = Array.from(
    { length: VALIDATIONS },
    (_, seed) => simulator.validate(seed + 1, windows).records.at(-1)?.bytes ?? 0,
  ).sort((a, b) => a - b);
  const [low = 0, likely = 0, high = 0] = [peaks[0], peaks[VALIDATIONS >> 1], peaks[VALIDATIONS - 1]];
  return quantity(
    [low + lists.low - lists.likely, likely, high + lists.high - lists.likely],
    'assumed',
    `processes and lists: ${lists.source}`,
  );
}

/** An ensemble that has been simulated already may be given, so that a page can do it in slices. */
export function predictHostRam(
  plan: HostPlan,
  ensemble = new HostEnsemble(hostOptions(plan)).advance(HOST_RUNS),
): HostPrediction {
  const { windows, platform, loader } = plan;
  const { machine } = ensemble.options;
  const odds = ensemble.odds();
  const training = ensemble.peak();
  const validation =
    windows.validation > 0
      ? validationPeak(ensemble, windows.validation)
      : { ...training, source: 'no window is held out' };
  const limit = machine.ramBytes + machine.swap.likely;
  const peak = quantity(
    [
      Math.max(training.low, validation.low),
      Math.max(training.likely, validation.likely),
      Math.max(training.high, validation.high),
    ],
    'assumed',
    'the higher of training and validation',
  );
  const killed = odds.killed.likely > ACCEPTED_KILLS || validation.likely > limit;
  const notes: string[] = [];
  if (platform === 'modal')
    notes.push(
      'On Modal the memory is what is asked for, not a cap: a run above it may live, and pays for it.',
    );
  if (platform === 'wsl2' && loader.workers > 0)
    notes.push(
      'Under WSL2 a worker was killed in a way that the loader’s source does not explain; half of the simulated runs are of that kind.',
    );
  if (validation.likely > limit)
    notes.push('Validation alone needs more than there is: hold fewer files out (data.validation_split).');
  return {
    training,
    odds,
    validation,
    peak,
    limit,
    fits: killed ? 'does not fit' : peak.high <= limit && odds.killed.likely === 0 ? 'fits' : 'perhaps',
    notes,
  };
}

/** Bytes of RAM and swap with which training and validation are as likely to be killed as is accepted; rounded up to GiB. */
export function smallestRam(
  plan: HostPlan,
  accepted = ACCEPTED_KILLS,
  ensemble = new HostEnsemble(hostOptions(plan)).advance(HOST_RUNS),
): number {
  const peaks = ensemble.runs.map(({ records }) => records.at(-1)?.bytes ?? 0).sort((a, b) => b - a);
  const spared = peaks[Math.floor(accepted * peaks.length)] ?? 0;
  const held = plan.windows.validation;
  const needed = Math.max(spared, held > 0 ? validationPeak(ensemble, held).likely : 0);
  return Math.ceil(needed / GIB) * GIB;
}
