/**
 * How well each mechanism explains a kill: the mean, over simulated runs, of how near a run's end is to the recorded one.
 * Near is a Gaussian of the logarithm of a ratio. Shares are those of Bayes' rule where all mechanisms are equally
 * likely before the log is read.
 */
import type { Crash } from '../config/incidents';
import { peaksAt, type HostSamples } from './host_samples';
import { mechanismsOf } from './incident';
import { RamSimulator, type RamRun } from './ram_simulator';

/** What is known of a run's end; each undefined where it is not. */
export interface Evidence {
  readonly afterBatches: number;
  readonly victim?: 'main' | 'worker' | undefined;
  /** Resident bytes of the killed process, and of all of the run's. */
  readonly victimBytes?: number | undefined;
  readonly runBytes?: number | undefined;
  readonly samples?: HostSamples | undefined;
}

/** Standard deviations of the logarithms: a factor of two in batches, a third in bytes. */
const SPREAD = { batches: Math.log(2), bytes: Math.log(1.33) } as const;
/** A log tells a worker from the main process by names and numbers, which can be wrong. */
const OTHER_VICTIM = 0.05;
/** Moments at which samples are compared, as shares of the run. */
const SHARES = [0.25, 0.5, 0.75, 1];
/** Frames of a simulated run; more than the moments that are compared. */
const FRAMES = 80;

export interface MechanismFit {
  readonly id: string;
  readonly title: string;
  readonly runs: number;
  /** Runs that the host killed for memory. */
  readonly killed: number;
  /** Mean nearness, 0..1. */
  readonly likelihood: number;
  /** Of all mechanisms; undefined where none has a likelihood. */
  readonly share: number | undefined;
  /** Seed of the run nearest to the evidence; undefined where none was killed. */
  readonly seed: number | undefined;
}

/** Below it, no simulated run ends nearly as the recorded one. */
export const NO_FIT = 1e-3;

export class MechanismFits {
  readonly #mechanisms;
  readonly #sums;
  runs = 0;

  constructor(
    crash: Crash,
    readonly evidence: Evidence,
  ) {
    this.#mechanisms = mechanismsOf(crash).map((mechanism) => ({
      ...mechanism,
      // What is later than the recorded end by far does not count.
      simulator: new RamSimulator({
        ...mechanism.options,
        batches: Math.min(mechanism.options.batches, 20 * (evidence.afterBatches + 1)),
      }),
    }));
    this.#sums = this.#mechanisms.map(() => ({
      near: 0,
      killed: 0,
      best: 0,
      seed: undefined as number | undefined,
    }));
  }

  /** One more seed of each mechanism. */
  advance(): this {
    const seed = ++this.runs;
    this.#mechanisms.forEach(({ simulator }, i) => {
      const sum = this.#sums[i];
      if (!sum) return;
      const run = simulator.train(seed, FRAMES);
      if (run.kill?.cause !== 'oom') return;
      sum.killed++;
      const near = nearness(run, this.evidence);
      sum.near += near;
      if (near > sum.best) [sum.best, sum.seed] = [near, seed];
    });
    return this;
  }

  fits(): MechanismFit[] {
    const likelihoods = this.#sums.map(({ near }) => near / Math.max(1, this.runs));
    const total = likelihoods.reduce((sum, one) => sum + one, 0);
    return this.#mechanisms.map(({ id, title }, i) => ({
      id,
      title,
      runs: this.runs,
      killed: this.#sums[i]?.killed ?? 0,
      likelihood: likelihoods[i] ?? 0,
      share: total > 0 ? (likelihoods[i] ?? 0) / total : undefined,
      seed: this.#sums[i]?.seed,
    }));
  }

  /** The run of a mechanism with a seed, with at most `frames` frames. */
  run(id: string, seed: number, frames: number): RamRun | undefined {
    return this.#mechanisms.find((one) => one.id === id)?.simulator.train(seed, frames);
  }
}

/** How near the end of a run that was killed is to the evidence, 0..1. Exported for its tests. */
export function nearness(run: RamRun, evidence: Evidence): number {
  const { kill } = run;
  if (!kill) return 0;
  const { afterBatches, victim, victimBytes, runBytes, samples } = evidence;
  const near = (simulated: number, recorded: number | undefined, spread: number): number =>
    recorded === undefined || recorded <= 0
      ? 1
      : Math.exp(-((Math.log(Math.max(1, simulated) / recorded) / spread) ** 2) / 2);
  const last = run.frames.at(-1);
  return (
    near(kill.batch + 1, afterBatches + 1, SPREAD.batches) *
    (victim === undefined || victim === kill.victim.process ? 1 : OTHER_VICTIM) *
    near(kill.victimBytes, victimBytes, SPREAD.bytes) *
    near((last?.total ?? 0) - (last?.other ?? 0), runBytes, SPREAD.bytes) *
    (samples ? nearSamples(run, samples) : 1)
  );
}

/** The highest so far at four moments of either run, which belong together: their mean square, not their product. */
function nearSamples({ frames }: RamRun, samples: HostSamples): number {
  const simulated = peaksAt(
    {
      seconds: Float64Array.from(frames, ({ seconds }) => seconds),
      bytes: Float64Array.from(frames, ({ total, other }) => total - other),
    },
    SHARES,
  );
  const recorded = peaksAt(samples, SHARES);
  const squares = recorded.map(
    (bytes, i) => (Math.log(Math.max(1, bytes) / Math.max(1, simulated[i] ?? 0)) / SPREAD.bytes) ** 2,
  );
  return Math.exp(-squares.reduce((sum, one) => sum + one, 0) / (2 * squares.length));
}
