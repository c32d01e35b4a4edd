/** All that is predicted of a run, and the one verdict on whether it fits. */
import { GIB } from '../base/units';
import { several } from '../base/text';
import type { Quantity } from '../base/quantity';
import { inspect, inspectAll, type Inspection, type Subject } from '../config/issues';
import { readConfig, type Settings } from '../config/settings';
import type { Machine, Target } from '../config/targets';
import { judge, worstFit, type Judged, type Verdict } from '../config/verdict';
import type { Cache } from './epoch_windows';
import { settingsFrom } from './from_config';
import { ensembleOf, predictRam, type RamPrediction } from './ram_predict';
import { remediesOf } from './remedies';
import {
  costsOf,
  epochHours,
  givenTooShort,
  ramPlanOf,
  loadingOf,
  rateOf,
  reportedHours,
  startOf,
  statisticsOf,
  validationOf,
  type Plan,
  type StopCost,
} from './scenario';
import { checkRun } from './vram/options';
import { gpuFit, predictVram, type VramPrediction } from './vram/predict';

/** What a run may take; Infinity or left out: there is no limit. */
export interface Limits {
  readonly hours?: number;
  readonly dollars?: number;
}

export interface Forecast {
  readonly plan: Plan;
  readonly verdict: Verdict;
  readonly vram: VramPrediction;
  readonly ram: RamPrediction;
  /** Hours in which the recordings of an epoch's training are decompressed, whatever the GPU. */
  readonly loading: Quantity;
  /** Hours of an epoch's validation. */
  readonly validation: Quantity;
  /** Hours in which windows are read for statistics before each epoch's first batch. */
  readonly statistics: Quantity;
  /** Of each way to end, early or not. */
  readonly costs: readonly StopCost[];
  /** What to know about these numbers, in sentences. */
  readonly notes: readonly string[];
}

/** The plan of a configuration that the trainer accepts; `cache` as in `settingsFrom`. Throws RangeError for one that no run can be made of. */
export function planFor(given: Settings, path: string, machine: Machine, cache?: Cache): Plan {
  const settings = settingsFrom(given, path, machine.name, { cache });
  checkRun(settings.vram);
  return { settings, machine };
}

/** From the fastest run that stops early to the slowest of all epochs; likely is all epochs at their likely pace. */
export function wholeRun(costs: readonly StopCost[], what: 'hours' | 'dollars'): Quantity | undefined {
  const all = costs.at(-1)?.[what];
  const early = (costs.find(({ stop }) => stop.id === 'likely') ?? costs[0])?.[what];
  if (!all || !early) return undefined;
  return {
    ...all,
    low: Math.min(early.low, all.low),
    source: `${all.source}; the low end stops early, as the review expects`,
  };
}

const REMEMBERED = 64;
const remembered = new Map<string, Forecast>();

/**
 * The forecast of a plan. The same question is answered from memory, with the same object. Throws RangeError for what no run
 * can be.
 */
export function forecast(plan: Plan, limits: Limits = {}): Forecast {
  const key = JSON.stringify([plan, limits]);
  const known = remembered.get(key);
  if (known) return known;
  const found = forecastOf(plan, limits);
  const [oldest] = remembered.keys();
  if (remembered.size >= REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  remembered.set(key, found);
  return found;
}

function forecastOf(plan: Plan, limits: Limits): Forecast {
  const { settings, machine } = plan;
  const { gpu } = machine;
  const vram = predictVram(settings.vram);
  const ramPlan = ramPlanOf(plan);
  const ensemble = ensembleOf(ramPlan);
  const ram = predictRam(ramPlan, ensemble);
  const [loading, validation, statistics] = [loadingOf(plan), validationOf(plan), statisticsOf(plan)];
  const costs = costsOf(plan);
  const { about } = settings.windows;
  const notes = [...(about === undefined ? [] : [about]), ...vram.notes, ...ram.notes];
  const epoch = epochHours(plan);
  const reported = reportedHours(plan);
  if (!plan.run && !machine.hoursPerEpoch && epoch.likely > reported.high)
    notes.push(
      `Epochs were reported to take ${range(reported)} h, scaled to this card, precision and number of windows. By the trainer’s source each window decompresses its whole recording: ${settings.loader.workers === 0 ? 'in the main process' : `with ${several(settings.loader.workers, 'worker')}`} that takes ${range(loading)} h in training, the statistics before it ${range(statistics)} h and validation ${range(validation)} h. The low end is what was reported; enter the hours of an epoch of your own to replace both.`,
    );
  const given = givenTooShort(plan);
  if (given !== undefined) notes.push(given);
  const gpuJudged: Judged = {
    fit: gpuFit(settings.vram, gpu.memoryBytes),
    need: vram.total,
    limit: gpu.memoryBytes,
  };
  if (gpuJudged.fit === 'fits' && vram.total.high > gpu.memoryBytes)
    notes.push(
      `GPU memory fits although its high end is more than the card has: PyTorch’s allocator would keep up to ${(vram.total.high / GIB).toFixed(1)} GiB, but frees what it only caches before it gives up, and with that it stays within the card.`,
    );
  const time = judge(wholeRun(costs, 'hours') as Quantity, limits.hours);
  const dollars = wholeRun(costs, 'dollars');
  const cost = dollars && judge(dollars, limits.dollars);
  const remedies = remediesOf(plan, gpuJudged.fit, ram, ensemble);
  const verdict: Verdict = {
    fit: worstFit([gpuJudged.fit, ram.fits, time.fit, ...(cost ? [cost.fit] : [])]),
    gpu: gpuJudged,
    ram: ramJudged(ram),
    time,
    cost,
    epochs: settings.epochs,
    epoch,
    start: startOf(plan),
    rate: rateOf(plan),
    jobs: costs.at(-1)?.jobs,
    remedies,
  };
  return { plan, verdict, vram, ram, loading, validation, statistics, costs, notes };
}

const range = ({ low, high }: Quantity): string => `${low.toPrecision(2)}–${high.toPrecision(2)}`;

/** The verdict's part of a prediction of system RAM. */
function ramJudged(ram: RamPrediction): Verdict['ram'] {
  const { limit, fits, peak, odds } = ram;
  return {
    fit: fits,
    need: peak,
    limit,
    training: { fit: ram.trainingFit, need: ram.training, limit },
    validation: { fit: ram.validationFit, need: ram.validation, limit },
    oomShare: odds.killed.likely,
    runs: odds.runs,
  };
}

/**
 * The verdict on a configuration's text. Undefined where the trainer does not accept the file, where no model can be made of
 * it, and for this browser, whose runs are planned exactly elsewhere.
 */
export function verdictFor(text: string, path: string, target: Target): Verdict | undefined {
  if (target.name === 'browser') return undefined;
  const { errors, settings } = readConfig(text);
  if (errors.length > 0 || settings.rejected.length > 0) return undefined;
  try {
    return forecast(planFor(settings, path, target)).verdict;
  } catch (error) {
    // The rules say of such a file what is wrong with it.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Reads, validates and checks files that belong together, each with the verdict on its run. In their order; never throws. */
export const inspectRuns = (
  files: readonly { readonly text: string; readonly subject: Omit<Subject, 'verdict'> }[],
): Inspection[] =>
  inspectAll(
    files.map(({ text, subject }) => ({
      text,
      subject: { ...subject, verdict: verdictFor(text, subject.name, subject.target) },
    })),
  );

/** The same for one file. */
export const inspectRun = (text: string, subject: Omit<Subject, 'verdict'>): Inspection =>
  inspect(text, { ...subject, verdict: verdictFor(text, subject.name, subject.target) });
