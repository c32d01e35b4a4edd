/** The predictions, away from the page's thread. Several of these run: long simulations must not hold sliders up. */
import { expose } from 'comlink';
import { GPUS, type GpuId } from '../../../estimate/hardware';
import { HostEnsemble, type KillOdds } from '../../../estimate/host_odds';
import { HostSimulator, type HostRamOptions, type HostRun } from '../../../estimate/host_ram';
import type { Quantity } from '../../../estimate/quantity';
import { CRASH, replaySeed, WSL2_SAFE } from '../../../estimate/scenario_crash';
import type { Measurement, VramRun } from '../../../estimate/vram/options';
import {
  fitsCard,
  predictVram,
  vramTimeline,
  type Fit,
  type VramPrediction,
} from '../../../estimate/vram/predict';
import type { Timeline } from '../../../estimate/vram/replay';
import type { Change } from '../../../production/change';
import { applyChanges, EditError } from '../../../production/edit';
import { withScores } from './host_picture';
import { setupOf, SetupError, type Place, type Setup } from './setup';

/** What was asked for, or a sentence that says why it cannot be. */
export interface Answer<T> {
  readonly value?: T;
  readonly problem?: string;
}

export interface VramAnswer {
  readonly prediction: VramPrediction;
  readonly fit: Fit;
}

/** Of a simulation that goes on. */
export interface Progress {
  readonly runs: number;
  readonly of: number;
  readonly odds: KillOdds;
  readonly peak: Quantity;
}

export interface CrashReplay {
  readonly seed: number;
  /** Seeds that were tried. */
  readonly of: number;
  readonly killed: number;
  readonly crash: HostRun;
  /** The review's WSL2-safe settings on the same seed, for as many windows. */
  readonly safe: HostRun;
}

/** Bytes that no run fills. */
const ENOUGH = 2 ** 50;

/** Frames of a picture. */
const FRAMES = 400;

/** Errors that are sentences for the person who asked. */
const ASKED = [SetupError, RangeError, EditError];

function answer<T>(make: () => T): Answer<T> {
  try {
    return { value: make() };
  } catch (error) {
    if (ASKED.some((kind) => error instanceof kind)) return { problem: (error as Error).message };
    throw error;
  }
}

/** Lets messages in, so that a question that nobody needs any more can be dropped. */
const breathe = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** Of each kind of simulation, the last that was asked for; others end. */
const asked = new Map<string, number>();

function begin(kind: string): () => boolean {
  const number = (asked.get(kind) ?? 0) + 1;
  asked.set(kind, number);
  return () => asked.get(kind) === number;
}

const predictions = {
  setup: (text: string, place: Place): Answer<Setup> => answer(() => setupOf(text, place)),

  vram: (run: VramRun, cardBytes: number, measurement?: Measurement): Answer<VramAnswer> =>
    answer(() => {
      const options = { ...run, ...(measurement && { measurement }) };
      return { prediction: predictVram(options), fit: fitsCard(options, cardBytes) };
    }),

  /** Which cards a run fits. */
  cards: (
    run: VramRun,
    gpus: readonly GpuId[],
    measurement?: Measurement,
  ): Answer<Partial<Record<GpuId, Fit>>> =>
    answer(() => {
      const options = { ...run, ...(measurement && { measurement }) };
      const { high } = predictVram(options).total;
      // Where even the high end fits there is nothing to simulate.
      const fit = (bytes: number): Fit => (high <= bytes ? 'fits' : fitsCard(options, bytes));
      return Object.fromEntries(gpus.map((gpu) => [gpu, fit(GPUS[gpu].memoryBytes)]));
    }),

  /** The same run with other batches, whole. */
  batches: (run: VramRun, batches: readonly number[], measurement?: Measurement): Answer<Quantity[]> =>
    answer(() =>
      batches.map(
        (batch) => predictVram({ ...run, batch, microBatches: 1, ...(measurement && { measurement }) }).total,
      ),
    ),

  /** A file's text with changes made in it. */
  changed: (text: string, changes: readonly Change[]): Answer<string> =>
    answer(() => applyChanges(text, changes)),

  timeline: (run: VramRun): Answer<Timeline> => answer(() => vramTimeline(run)),

  /** Many seeded runs; their odds so far go to `port` after each. Ends early where another is asked for. */
  async odds(options: HostRamOptions, runs: number, port: MessagePort): Promise<void> {
    const current = begin('odds');
    await breathe();
    if (!current()) return port.close();
    const ensemble = new HostEnsemble(options);
    for (let done = 1; done <= runs && current(); done++) {
      ensemble.advance(1);
      if (!current()) break;
      port.postMessage({
        runs: done,
        of: runs,
        odds: ensemble.odds(),
        peak: ensemble.peak(),
      } satisfies Progress);
      await breathe();
    }
    port.close();
  },

  /** A run of training with its picture. */
  trained: (options: HostRamOptions, seed: number): Answer<HostRun> =>
    answer(() => new HostSimulator(options).train(seed, FRAMES)),
  /** The validation after it, as if there were memory enough: the picture shows how much it takes. */
  validated: (options: HostRamOptions, seed: number, windows: number): Answer<HostRun> =>
    answer(() => {
      const machine = { ...options.machine, ramBytes: ENOUGH };
      const run = new HostSimulator({ ...options, machine }).validate(seed, windows, Infinity);
      return { ...run, frames: withScores(run.frames, FRAMES) };
    }),

  /** Looks for the seed whose run is killed most like the review's, then runs it again for its picture. */
  async crash(seeds: number, port: MessagePort): Promise<CrashReplay | null> {
    const current = begin('crash');
    const ensemble = new HostEnsemble(CRASH);
    for (let done = 1; done <= seeds && current(); done++) {
      ensemble.advance(1);
      port.postMessage({
        runs: done,
        of: seeds,
        odds: ensemble.odds(),
        peak: ensemble.peak(),
      } satisfies Progress);
      await breathe();
    }
    port.close();
    const seed = current() ? replaySeed(ensemble) : undefined;
    if (seed === undefined) return null;
    const crash = ensemble.simulator.train(seed, FRAMES);
    const batches = Math.max(1, Math.ceil(((crash.kill?.batch ?? 0) * CRASH.batch) / WSL2_SAFE.batch));
    const safe = new HostSimulator({ ...WSL2_SAFE, batches }).train(seed, FRAMES);
    const killed = ensemble.runs.filter(({ kill }) => kill).length;
    return { seed, of: seeds, killed, crash, safe };
  },
};
export type Predictions = typeof predictions;

expose(predictions);
