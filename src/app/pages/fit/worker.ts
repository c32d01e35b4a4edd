/** The predictions, away from the page's thread. Several of these run: long simulations must not hold sliders up. */
import { expose } from 'comlink';
import { INCIDENTS, type Incident } from '../../../config/incidents';
import { hostOptions } from '../../../estimate/from_config';
import { HOST_RUNS, predictHostRam, type HostPrediction } from '../../../estimate/host_predict';
import { HostEnsemble, type KillOdds } from '../../../estimate/host_odds';
import { HostSimulator, type HostRun } from '../../../estimate/host_ram';
import type { Quantity } from '../../../base/quantity';
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
import { scenarioTable, withHost, type HostedRow, type ScenarioRow } from '../../../estimate/scenario_table';
import { replayedRun, replayIncident, type IncidentReplay } from '../../../estimate/incident';
import type { ScaledHours } from '../../../estimate/time_run';
import type { Measurement, VramRun } from '../../../estimate/vram/options';
import {
  fitsCard,
  predictVram,
  vramTimeline,
  type Fit,
  type VramPrediction,
} from '../../../estimate/vram/predict';
import type { Timeline } from '../../../estimate/vram/replay';
import { claimTable, type ClaimTable } from '../../../estimate/vram/claims';
import { withScores } from './host_picture';
import { answerTo } from './inverse';
import type { Asked } from './questions';
import { setupOf, type Place, type Setup } from './setup';

/** What was asked for, or a sentence that says why it cannot be. */
export interface Answer<T> {
  readonly value?: T;
  readonly problem?: string;
}

export interface VramAnswer {
  readonly prediction: VramPrediction;
  readonly fit: Fit;
}

export interface Times {
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours in which an epoch's recordings are inflated alone. */
  readonly loading: Quantity;
  /** Dollars an hour; undefined where nobody knows it. */
  readonly rate: Quantity | undefined;
  readonly costs: readonly StopCost[];
  /** Where the hours come from a short run. */
  readonly scaled: ScaledHours | undefined;
}

/** Of a simulation that goes on. */
export interface Progress {
  readonly runs: number;
  readonly of: number;
  readonly odds: KillOdds;
  readonly peak: Quantity;
  /** With validation, when all runs are done. */
  readonly whole?: HostPrediction;
}

export interface HostRuns {
  readonly training: HostRun;
  readonly validation: HostRun | undefined;
}

/** Bytes that no run fills. */
const ENOUGH = 2 ** 50;
/** Frames of a picture. */
const FRAMES = 400;
/** Milliseconds without another question after which the long part is computed too. */
const SETTLED = 400;

function answer<T>(make: () => T): Answer<T> {
  try {
    return { value: make() };
  } catch (error) {
    // These are sentences for the person who asked.
    if (error instanceof RangeError) return { problem: error.message };
    throw error;
  }
}

/** Lets messages in, so that a question that nobody needs any more can be dropped. */
const breathe = (milliseconds = 0): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Of each kind of simulation, the last that was asked for; others end. */
const asked = new Map<string, number>();

function begin(kind: string): () => boolean {
  const number = (asked.get(kind) ?? 0) + 1;
  asked.set(kind, number);
  return () => asked.get(kind) === number;
}

/** Simulates runs one by one as long as somebody waits for them; false where another question came. */
async function simulate(
  ensemble: HostEnsemble,
  of: number,
  port: MessagePort,
  current: () => boolean,
): Promise<boolean> {
  for (let runs = 1; runs <= of; runs++) {
    ensemble.advance(1);
    await breathe();
    if (!current()) return false;
    port.postMessage({ runs, of, odds: ensemble.odds(), peak: ensemble.peak() } satisfies Progress);
  }
  return true;
}

const predictions = {
  setup: (text: string, path: string, place: Place): Answer<Setup> =>
    answer(() => setupOf(text, path, place)),

  vram: (run: VramRun, cardBytes: number, measurement?: Measurement): Answer<VramAnswer> =>
    answer(() => {
      const options = { ...run, measurement };
      const prediction = predictVram(options);
      // Where even the high end fits there is nothing to simulate.
      const fit = prediction.total.high <= cardBytes ? 'fits' : fitsCard(options, cardBytes);
      return { prediction, fit };
    }),

  timeline: (run: VramRun): Answer<Timeline> => answer(() => vramTimeline(run)),

  /** A table for each incident whose document claims memory. */
  claims: (run: VramRun): Answer<ClaimTable[]> =>
    answer(() => INCIDENTS.map((one) => claimTable(one, run)).filter(({ rows }) => rows.length > 0)),

  times: (plan: Plan): Answer<Times> =>
    answer(() => ({
      epoch: epochHours(plan),
      loading: loadingOf(plan),
      rate: rateOf(plan),
      costs: costsOf(plan),
      scaled: scaledHours(plan),
    })),

  scenarios: (plan: Plan): Answer<ScenarioRow[]> => answer(() => scenarioTable(plan)),

  hosted: (row: ScenarioRow): Answer<HostedRow> => answer(() => withHost(row)),

  inverse: (question: Asked, plan: Plan): Answer<string> => answer(() => answerTo(question, plan)),

  /** Many seeded runs; their odds so far go to `port` after each. Ends early where another is asked for. */
  async odds(plan: Plan, port: MessagePort): Promise<Answer<true>> {
    const current = begin('odds');
    await breathe();
    try {
      if (!current()) return {};
      const hostPlan = hostPlanOf(plan);
      const ensemble = new HostEnsemble(hostOptions(hostPlan));
      if (!(await simulate(ensemble, HOST_RUNS, port, current))) return {};
      await breathe(SETTLED);
      if (!current()) return {};
      const whole = predictHostRam(hostPlan, ensemble);
      const { odds, training: peak } = whole;
      port.postMessage({ runs: HOST_RUNS, of: HOST_RUNS, odds, peak, whole } satisfies Progress);
      return { value: true };
    } catch (error) {
      if (error instanceof RangeError) return { problem: error.message };
      throw error;
    } finally {
      port.close();
    }
  },

  /**
   * A run of training with its picture, and the validation after it as if there were memory enough: its picture shows how
   * much it takes.
   */
  pictures: (plan: Plan, seed: number): Answer<HostRuns> =>
    answer(() => {
      const options = hostOptions(hostPlanOf(plan));
      const training = new HostSimulator(options).train(seed, FRAMES);
      const windows = plan.settings.windows.validation;
      if (windows === 0) return { training, validation: undefined };
      const roomy = { ...options, machine: { ...options.machine, ramBytes: ENOUGH, shmBytes: ENOUGH } };
      const run = new HostSimulator(roomy).validate(seed, windows, Infinity);
      return { training, validation: { ...run, frames: withScores(run.frames, FRAMES) } };
    }),

  /** Looks for the seed whose run is killed most like the incident's, then runs it again for its picture. */
  async incident(incident: Incident, seeds: number, port: MessagePort): Promise<IncidentReplay | null> {
    const current = begin('incident');
    const ensemble = new HostEnsemble(replayedRun(incident));
    const done = await simulate(ensemble, seeds, port, current);
    port.close();
    return done ? replayIncident(incident, ensemble, FRAMES) : null;
  },
};
export type Predictions = typeof predictions;

expose(predictions);
