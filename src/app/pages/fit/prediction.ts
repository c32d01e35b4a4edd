/** What the page shows of a run, as its worker answers: memory, time and cost, each with its verdict. */
import type { Quantity } from '../../../base/quantity';
import { GIB } from '../../../base/units';
import type { Machine } from '../../../config/targets';
import { judge, type Fit, type Judged } from '../../../config/verdict';
import { wholeRun } from '../../../estimate/forecast';
import type { RamEnsemble, OomOdds } from '../../../estimate/oom_odds';
import { predictRam } from '../../../estimate/ram_predict';
import type { RamRun } from '../../../estimate/ram_simulator';
import type { IncidentReplay } from '../../../estimate/incident';
import {
  costsOf,
  epochHours,
  givenTooShort,
  gpuHours,
  ramPlanOf,
  loadingOf,
  rateOf,
  scaledHours,
  startOf,
  statisticsOf,
  validationOf,
  type Plan,
  type StopCost,
} from '../../../estimate/scenario';
import type { ScaledHours } from '../../../estimate/time_run';
import type { Measurement } from '../../../estimate/vram/options';
import { gpuFit, predictVram, vramTimeline, type VramPrediction } from '../../../estimate/vram/predict';
import { stepPicture, type StepPicture } from './vram_view';

/** What a run may take. */
export interface Limits {
  readonly dollars: number;
  readonly hours: number;
}

/** GPU memory, time and cost of a run. */
export interface Prediction {
  readonly vram: VramPrediction;
  readonly gpuFit: Fit;
  /** GPU memory during one training step. */
  readonly step: StepPicture;
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours in which the recordings of an epoch's training are decompressed. */
  readonly loading: Quantity;
  /** Hours that the GPU takes for an epoch's training; undefined where the loader's are in the figure that is given. */
  readonly gpu: Quantity | undefined;
  /** Hours of an epoch's validation. */
  readonly validation: Quantity;
  /** Hours in which windows are read for statistics before each epoch's first batch. */
  readonly statistics: Quantity;
  /** Hours of a launch before its first epoch. */
  readonly start: Quantity;
  /** What the windows are, where they are not the whole corpus's with its manifest; a sentence. */
  readonly about: string | undefined;
  /** What is said of given hours that are shorter than their parts. */
  readonly given: string | undefined;
  /** Dollars an hour; undefined where the price list does not have the GPU. */
  readonly rate: Quantity | undefined;
  readonly costs: readonly StopCost[];
  /** Where the hours come from a short run. */
  readonly scaled: ScaledHours | undefined;
  readonly hours: Judged | undefined;
  readonly dollars: Judged | undefined;
}

/** System RAM of a run, after some of its simulations. */
export interface RamAnswer {
  readonly runs: number;
  readonly of: number;
  readonly odds: OomOdds;
  /** Peaks in bytes: in training, in validation, and the higher of both. */
  readonly training: Quantity;
  readonly validation: Quantity;
  readonly peak: Quantity;
  readonly fits: Fit;
  readonly validationFit: Fit;
  /** What to know about these numbers, in sentences; there when all runs are done. */
  readonly notes: readonly string[];
}

/** The search for a seed whose run is killed as the one of an incident was. */
export interface CrashSearch {
  /** Id of the incident, or of the crash that a person described. */
  readonly incident: string;
  readonly runs: number;
  readonly of: number;
  readonly killed: number;
  /** There when all seeds were tried and one was killed. */
  readonly replay: IncidentReplay | null;
}

export interface RamRuns {
  readonly training: RamRun;
  readonly validation: RamRun | undefined;
}

/** GPU memory, time and cost. Throws RangeError where no run can have these settings. */
export function predictionOf(plan: Plan, limits: Limits, measurement?: Measurement): Prediction {
  const options = { ...plan.settings.vram, measurement };
  const costs = costsOf(plan);
  const [hours, dollars] = [wholeRun(costs, 'hours'), wholeRun(costs, 'dollars')];
  return {
    vram: predictVram(options),
    gpuFit: gpuFit(options, plan.machine.gpu.memoryBytes),
    step: stepPicture(vramTimeline(plan.settings.vram)),
    epoch: epochHours(plan),
    loading: loadingOf(plan),
    validation: validationOf(plan),
    gpu: plan.machine.hoursPerEpoch || plan.run?.made === 'trainer' ? undefined : gpuHours(plan),
    statistics: statisticsOf(plan),
    start: startOf(plan),
    about: plan.settings.windows.about,
    given: givenTooShort(plan),
    rate: rateOf(plan),
    costs,
    scaled: scaledHours(plan),
    hours: hours && judge(hours, limits.hours),
    dollars: dollars && judge(dollars, limits.dollars),
  };
}

/** What a run needs beside what there is; each undefined until it is known, and a cost also where there is no price. */
export interface Needs {
  readonly gpu: Judged | undefined;
  readonly ram: Judged | undefined;
  readonly time: Judged | undefined;
  readonly cost: Judged | undefined;
}

export const needsOf = (
  { gpu, ramGiB }: Pick<Machine, 'gpu' | 'ramGiB'>,
  prediction: Prediction | undefined,
  ram: RamAnswer | undefined,
): Needs => ({
  gpu: prediction && { fit: prediction.gpuFit, need: prediction.vram.total, limit: gpu.memoryBytes },
  ram: ram && { fit: ram.fits, need: ram.peak, limit: ramGiB * GIB },
  time: prediction?.hours,
  cost: prediction?.dollars,
});

/** System RAM after the runs of an ensemble; validation is simulated when all of them are there. */
export function ramAnswer(plan: Plan, ensemble: RamEnsemble, of: number): RamAnswer {
  const runs = ensemble.runs.length;
  const ram = predictRam(ramPlanOf(plan), ensemble);
  return { ...ram, runs, of, notes: runs < of ? [] : ram.notes };
}
