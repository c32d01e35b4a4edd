/** System RAM of a run as one answer: training by many seeds, validation, and whether a machine has it. */
import { GIB } from '../base/units';
import { quantity, sum, type Quantity } from '../base/quantity';
import { fitOf, fitOfRequest, worstFit, type Fit } from '../config/verdict';
import { ramOptions, type RamPlan } from './from_config';
import { MAIN_BYTES, OTHER_BYTES, validationBytes } from './ram_facts';
import { RamEnsemble, type OomOdds } from './oom_odds';
import type { RamOptions, RamRun } from './ram_simulator';

export interface RamPrediction {
  /** Peak in training, bytes. */
  readonly training: Quantity;
  readonly odds: OomOdds;
  /** Peak in validation, bytes. */
  readonly validation: Quantity;
  /** The higher of both. */
  readonly peak: Quantity;
  /** RAM and swap, bytes. */
  readonly limit: number;
  readonly trainingFit: Fit;
  readonly validationFit: Fit;
  /** The worse of both. */
  readonly fits: Fit;
  /** What to know about these numbers, in sentences. */
  readonly notes: readonly string[];
}

/** Share of runs that may be killed before a machine counts as too small. */
export const ACCEPTED_OOM_SHARE = 0.05;

export const RAM_RUNS = 40;
/** Of validation, which hardly varies. */
const VALIDATIONS = 5;

/** The ensembles of the latest plans by what they follow from, the oldest first. */
const ensembles = new Map<string, RamEnsemble>();
const MAX_ENSEMBLES = 32;

/**
 * RAM_RUNS simulated runs of a plan; not to be advanced. They take about a second, and one configuration is asked about many
 * times: by the rules, the estimate and the page, after each change that does not touch its loader.
 */
export function ensembleOf(plan: RamPlan): RamEnsemble {
  const ensemble = rememberedEnsemble(ramOptions(plan));
  return ensemble.advance(Math.max(0, RAM_RUNS - ensemble.runs.length));
}

/** With as many runs as were simulated so far. */
function rememberedEnsemble(options: RamOptions): RamEnsemble {
  const about = RamEnsemble.about(options);
  const known = ensembles.get(about)?.on(options) ?? new RamEnsemble(options);
  ensembles.delete(about);
  ensembles.set(about, known);
  if (ensembles.size > MAX_ENSEMBLES) ensembles.delete(ensembles.keys().next().value ?? '');
  return known;
}

const peakOf = ({ records }: RamRun): number => records.at(-1)?.bytes ?? 0;

/** Runs of RAM_RUNS that may be above a limit, so that no more than an accepted share is. */
const SPARED = Math.floor(ACCEPTED_OOM_SHARE * RAM_RUNS);

/**
 * Whether training fits by a share of the windows that are simulated for a plan; with 1 the answer is that of `trainingFitOf`.
 * `killed`: only runs that are OOM-killed count. Simulates until it is known.
 */
export function trainingFits(plan: RamPlan, share = 1, { killed = false } = {}): boolean {
  const options = ramOptions(plan);
  const batches = Math.ceil(share * options.batches);
  const ensemble = share === 1 ? rememberedEnsemble(options) : new RamEnsemble({ ...options, batches });
  const limit = limitOf(ensemble);
  let [kills, above] = [0, 0];
  for (let i = 0; i < RAM_RUNS && kills <= SPARED && above <= SPARED; i++) {
    if (i >= ensemble.runs.length) ensemble.advance(1);
    const run = ensemble.runs[i] as RamRun;
    if (run.kill) kills++;
    if (!killed && peakOf(run) > limit) above++;
  }
  return kills <= SPARED && above <= SPARED;
}

/** Highest of validation over some seeds, its lists as uncertain as `validationBytes` says. */
export function validationPeak(ensemble: RamEnsemble, windows: number): Quantity {
  const peak = ensemble.validations.get(windows) ?? simulatedValidation(ensemble, windows);
  ensemble.validations.set(windows, peak);
  return peak;
}

/** Whether the high end of a validation of so many windows fits the machine of a plan. */
export function validationFits(plan: RamPlan, windows: number): boolean {
  const ensemble = rememberedEnsemble(ramOptions(plan));
  return windows === 0 || validationPeak(ensemble, windows).high <= limitOf(ensemble);
}

function simulatedValidation({ simulator }: RamEnsemble, windows: number): Quantity {
  const lists = validationBytes(windows);
  const peaks = Array.from(
    { length: VALIDATIONS },
    (_, seed) => simulator.validate(seed + 1, windows).records.at(-1)?.bytes ?? 0,
  ).sort((a, b) => a - b);
  const [min = 0, likely = 0, max = 0] = [peaks[0], peaks[VALIDATIONS >> 1], peaks[VALIDATIONS - 1]];
  const [low, high] = [min + lists.low - lists.likely, max + lists.high - lists.likely];
  const percent = (bytes: number): string => Math.abs(100 * (bytes / likely - 1)).toFixed(0);
  return quantity(
    [low, likely, high],
    'assumed',
    `lists: ${lists.source}; with the processes −${percent(low)} to +${percent(high)} %`,
  );
}

/** A likely run is the median one, a high one that of 5 %: so is the share of runs that are OOM-killed judged. */
const fitOfShare = (killed: number): Fit =>
  killed <= ACCEPTED_OOM_SHARE ? 'fits' : killed <= 0.5 ? 'borderline' : "won't fit";

/** RAM and swap of the machine, bytes. */
const limitOf = ({ options: { machine } }: RamEnsemble): number => machine.ramBytes + machine.swap.likely;

/** Whether training stays within the machine’s memory, by the simulated peaks and the share of runs that are OOM-killed. */
const trainingFitOf = (ensemble: RamEnsemble): Fit =>
  worstFit([fitOf(ensemble.peak(), limitOf(ensemble)), fitOfShare(ensemble.odds().killed.likely)]);

/**
 * `ensemble`: simulated runs, so that a page can simulate them in slices. With fewer than RAM_RUNS of them validation is not
 * simulated yet, but summed from its outputs, the main process and other programs.
 */
export function predictRam(plan: RamPlan, ensemble = ensembleOf(plan)): RamPrediction {
  const { windows, platform, loader } = plan;
  const odds = ensemble.odds();
  const training = ensemble.peak();
  const validation = validationOf(plan, ensemble, training);
  const limit = limitOf(ensemble);
  const peak = quantity(
    [
      Math.max(training.low, validation.low),
      Math.max(training.likely, validation.likely),
      Math.max(training.high, validation.high),
    ],
    'assumed',
    'the higher of training and validation',
  );
  const notes: string[] = [];
  if (platform === 'modal')
    notes.push(
      'On Modal the memory is what is asked for and no limit: a run that needs more is billed for it, and ends only where its host has no more.',
    );
  if (platform === 'wsl2' && loader.workers > 0)
    notes.push(
      'Under WSL2 a worker was OOM-killed in a way that the loader’s source does not explain; half of the simulated runs are of that kind.',
    );
  if (windows.validation > 0 && validation.likely > limit)
    notes.push(
      `Validation alone needs more than ${platform === 'modal' ? 'is asked for' : 'there is'}: hold fewer files out (data.validation_split).`,
    );
  // The launcher asks Modal for memory and sets no limit (its source at 2025-09-21).
  const asked = (fit: Fit): Fit => (platform === 'modal' ? fitOfRequest(fit) : fit);
  const trainingFit = asked(trainingFitOf(ensemble));
  const validationFit = asked(fitOf(validation, limit));
  const fits = worstFit([trainingFit, validationFit]);
  return { training, odds, validation, peak, limit, trainingFit, validationFit, fits, notes };
}

function validationOf({ windows, platform }: RamPlan, ensemble: RamEnsemble, training: Quantity): Quantity {
  if (windows.validation === 0) return { ...training, source: 'there are no validation windows' };
  if (ensemble.runs.length >= RAM_RUNS) return validationPeak(ensemble, windows.validation);
  return sum(
    [validationBytes(windows.validation), MAIN_BYTES, OTHER_BYTES[platform]],
    'outputs of validation, the main process and other programs',
  );
}

/** Bytes of RAM and swap with which training and the likely or high validation fit; rounded up to GiB. */
export function smallestRam(
  plan: RamPlan,
  bound: 'likely' | 'high' = 'likely',
  ensemble = ensembleOf(plan),
): number {
  const peaks = ensemble.runs.map(peakOf).sort((a, b) => b - a);
  const spared = peaks[Math.floor(ACCEPTED_OOM_SHARE * peaks.length)] ?? 0;
  const validated = plan.windows.validation;
  const needed = Math.max(spared, validated > 0 ? validationPeak(ensemble, validated)[bound] : 0);
  return Math.ceil(needed / GIB) * GIB;
}
