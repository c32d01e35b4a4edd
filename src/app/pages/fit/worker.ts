/** The predictions, away from the page's thread. Several of these run: long simulations must not hold sliders up. */
import { expose } from 'comlink';
import { INCIDENTS, type Crash } from '../../../config/incidents';
import type { Platform } from '../../../config/targets';
import { ramOptions } from '../../../estimate/from_config';
import { MEASURED, rowsOf, type MeasuredRow } from '../../../estimate/measured';
import { MechanismFits, type Evidence } from '../../../estimate/mechanism_fit';
import { RamEnsemble } from '../../../estimate/oom_odds';
import { RAM_RUNS } from '../../../estimate/ram_predict';
import { RamSimulator, type RamOptions } from '../../../estimate/ram_simulator';
import { replayedRun, replayIncident } from '../../../estimate/incident';
import { ramPlanOf, type Plan } from '../../../estimate/scenario';
import { scenarioTable, withRam, type RowWithRam, type ScenarioRow } from '../../../estimate/scenario_table';
import { predictedSnapshot } from '../../../estimate/snapshot/predicted';
import { writeSnapshot } from '../../../estimate/snapshot/write';
import { claimTable, type ClaimTable } from '../../../estimate/vram/claims';
import type { Measurement, VramRun } from '../../../estimate/vram/options';
import { vramTimeline } from '../../../estimate/vram/predict';
import { timelineEvents } from '../../../estimate/vram/timeline_events';
import { answer, type Answer } from '../../ui/answer';
import type { Fitted } from './host_logs.svelte';
import { withScores } from './ram_view';
import { answerTo, type QuestionName } from './inverse';
import {
  ramAnswer,
  predictionOf,
  type CrashSearch,
  type RamAnswer,
  type RamRuns,
  type Limits,
  type Prediction,
} from './prediction';
import { readFile, type ConfigFile } from './settings';

/** Bytes that no run fills. */
const ENOUGH = 2 ** 50;
/** Frames of a picture. */
const FRAMES = 400;

/** The last simulations of this worker: the next question about the same run continues them. */
let last: { readonly about: string; readonly ensemble: RamEnsemble } | undefined;

/** The mechanisms that are laid beside a log now. */
let fits: MechanismFits | undefined;

/** A run simulated with the seeds 1 … `runs`. */
function simulated(options: RamOptions, runs: number): RamEnsemble {
  const about = RamEnsemble.about(options);
  const ensemble = last?.about === about ? last.ensemble.on(options) : new RamEnsemble(options);
  last = { about, ensemble };
  return ensemble.advance(Math.max(0, runs - ensemble.runs.length));
}

export type PredictionFormat = 'pickle' | 'json';

const predictions = {
  read: (text: string, path: string, platform: Platform): Answer<ConfigFile> =>
    answer(() => readFile(text, path, platform)),

  predict: (plan: Plan, limits: Limits, measurement?: Measurement): Answer<Prediction> =>
    answer(() => predictionOf(plan, limits, measurement)),

  /** A table for each incident whose document claims memory. */
  claims: (run: VramRun): Answer<ClaimTable[]> =>
    answer(() => INCIDENTS.map((one) => claimTable(one, run)).filter(({ rows }) => rows.length > 0)),

  /** The predicted run as a file of other tools. */
  file: (run: VramRun, format: PredictionFormat): Answer<Uint8Array<ArrayBuffer>> =>
    answer(() =>
      format === 'pickle'
        ? writeSnapshot(predictedSnapshot(run))
        : new TextEncoder().encode(timelineEvents(vramTimeline(run))),
    ),

  measured: (): Answer<MeasuredRow[]> => answer(() => MEASURED.flatMap(rowsOf)),

  scenarios: (plan: Plan): Answer<ScenarioRow[]> => answer(() => scenarioTable(plan)),

  simulated: (row: ScenarioRow): Answer<RowWithRam> => answer(() => withRam(row)),

  inverse: (name: QuestionName, plan: Plan, hours: number): Answer<string> =>
    answer(() => answerTo(name, plan, hours)),

  /** System RAM after so many of the simulated runs; asked for one more each time, the answer comes in slices. */
  ram: (plan: Plan, runs: number): Answer<RamAnswer> =>
    answer(() => ramAnswer(plan, simulated(ramOptions(ramPlanOf(plan)), runs), RAM_RUNS)),

  /**
   * A run of training with its picture, and the validation after it as if there were memory enough: its picture shows how
   * much it takes.
   */
  pictures: (plan: Plan, seed: number): Answer<RamRuns> =>
    answer(() => {
      const options = ramOptions(ramPlanOf(plan));
      const training = new RamSimulator(options).train(seed, FRAMES);
      const windows = plan.settings.windows.validation;
      if (windows === 0) return { training, validation: undefined };
      const roomy = { ...options, machine: { ...options.machine, ramBytes: ENOUGH, shmBytes: ENOUGH } };
      const run = new RamSimulator(roomy).validate(seed, windows, Infinity);
      return { training, validation: { ...run, frames: withScores(run.frames, FRAMES) } };
    }),

  /** The search after so many of `of` seeds; after the last the replay of the run that is killed most like the incident's. */
  crash: (incident: Crash, runs: number, of: number): Answer<CrashSearch> =>
    answer(() => {
      const ensemble = simulated(replayedRun(incident), runs);
      const replay = runs < of ? null : replayIncident(incident, ensemble, FRAMES);
      return { incident: incident.id, runs, of, killed: ensemble.odds().batches.length, replay };
    }),

  /** The mechanisms after so many of `of` runs each; after the last with the run that is nearest to the evidence. */
  fit: (crash: Crash, evidence: Evidence, runs: number, of: number): Answer<Fitted> =>
    answer(() => {
      if (runs === 1 || !fits) fits = new MechanismFits(crash, evidence);
      while (fits.runs < runs) fits.advance();
      const all = fits.fits();
      const best = all.reduce((high, fit) => (fit.likelihood > high.likelihood ? fit : high));
      const run = runs < of || best.seed === undefined ? undefined : fits.run(best.id, best.seed, FRAMES);
      return { id: crash.id, runs, of, fits: all, nearest: run && { fit: best, run } };
    }),
};
export type Predictions = typeof predictions;

expose(predictions);
