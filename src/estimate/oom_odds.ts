/** Many seeded runs: how likely a kill is before a batch, whom it hits, and what the machine would have to have. */
import { several } from '../base/text';
import { onMachine, RamSimulator, type RamOptions, type RamRun } from './ram_simulator';
import { quantity, type Quantity, type Range } from '../base/quantity';

/** A share of runs with its 95 % interval: of what was simulated, so it has no basis and no source of its own. */
export type Odds = Range;

export interface OomOdds {
  readonly runs: number;
  /** Runs killed before their last batch. */
  readonly killed: Odds;
  /** Share of runs killed within `batch` batches; rises. */
  readonly curve: readonly (Odds & { readonly batch: number })[];
  /** Of the killed runs. */
  readonly victims: { readonly main: number; readonly worker: number };
  /** Batches done at the kill, of the killed runs in rising order. */
  readonly batches: readonly number[];
}

/** Wilson's (1927) interval at 95 %: holds also at 0 of n and n of n. Exported for its tests. */
export function wilson(hits: number, n: number): Odds {
  if (n === 0) return { low: 0, likely: 0, high: 1 };
  const z = 1.959964;
  const p = hits / n;
  const middle = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  return {
    low: hits === 0 ? 0 : Math.max(0, middle - half),
    likely: p,
    high: hits === n ? 1 : Math.min(1, middle + half),
  };
}

/** Points of the curve. */
const POINTS = 100;

/** Runs with seeds `seed`, `seed` + 1, …; `advance` can be called in slices that leave room for other work. */
export class RamEnsemble {
  readonly simulator: RamSimulator;
  readonly runs: RamRun[] = [];
  /** Peaks of validations that were simulated, by their windows; bytes. */
  readonly validations = new Map<number, Quantity>();

  constructor(
    readonly options: RamOptions,
    readonly seed = 1,
  ) {
    this.simulator = new RamSimulator(options);
  }

  advance(count: number): this {
    for (let i = 0; i < count; i++) this.runs.push(this.simulator.train(this.seed + this.runs.length));
    return this;
  }

  /** What the runs follow from. Of the machine that is the other programs alone: what it has says only where a run ends. */
  static about(options: RamOptions): string {
    return JSON.stringify({ ...options, machine: options.machine.other });
  }

  /** The runs so far on a machine that differs in RAM, swap and /dev/shm; no further simulation. */
  on(options: RamOptions): RamEnsemble {
    const there = new RamEnsemble(options, this.seed);
    there.runs.push(...this.runs.map((run) => onMachine(run, options.machine)));
    for (const [windows, peak] of this.validations) there.validations.set(windows, peak);
    return there;
  }

  odds(): OomOdds {
    const kills = this.runs.flatMap(({ kill }) => (kill ? [kill] : []));
    const batches = kills.map(({ batch }) => batch).sort((a, b) => a - b);
    const n = this.runs.length;
    let within = 0;
    const curve = Array.from({ length: POINTS + 1 }, (_, i) => {
      const batch = Math.round((i * this.options.batches) / POINTS);
      while (within < batches.length && (batches[within] as number) <= batch) within++;
      return { batch, ...wilson(within, n) };
    });
    const worker = kills.filter(({ victim }) => victim.process === 'worker').length;
    return {
      runs: n,
      killed: wilson(kills.length, n),
      curve,
      victims: { worker, main: kills.length - worker },
      batches,
    };
  }

  /** What the runs take at their highest, bytes: 5 %, 50 % and 95 % of them need no more. */
  peak(): Quantity {
    const peaks = this.runs
      .map(({ records }) => records[records.length - 1]?.bytes ?? 0)
      .sort((a, b) => a - b);
    if (peaks.length === 0) throw new RangeError('There is no run yet.');
    const at = (share: number): number => peaks[Math.round(share * (peaks.length - 1))] as number;
    return quantity(
      [at(0.05), at(0.5), at(0.95)],
      'assumed',
      `highest of ${several(this.options.batches, 'batch')}, 5–95 % of ${peaks.length} simulated runs`,
    );
  }
}
