/** The questions the other way round: the largest that fits, the smallest card that does, the cheapest plan in time. */
import { GPU_IDS, GPUS, type Gpu } from '../config/gpus';
import { hostOptions, type HostPlan } from './from_config';
import { ACCEPTED_KILLS, HOST_RUNS, predictHostRam } from './host_predict';
import { HostEnsemble } from './host_odds';
import { vramFits, type Bound } from './scenario';
import type { HostedRow } from './scenario_table';
import type { Stop } from './time';
import type { VramRun } from './vram/options';
import { predictVram } from './vram/predict';

/** What production's schema lets through. */
export const MOST = { batch: 256, layers: 12, workers: 32 } as const;

/**
 * The largest whole number of `least` … `most` for which `fits`, which may turn from true to false but once; undefined
 * where not even the least does. Asks O(log n) times.
 */
export function largest(least: number, most: number, fits: (value: number) => boolean): number | undefined {
  if (most < least || !fits(least)) return undefined;
  let [good, bad] = [least, most + 1];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** The two other ends are for saying how uncertain an answer is. */
interface Asked {
  readonly bound?: Bound;
  readonly most?: number;
}

/**
 * Largest batch of a run that the card holds; its parts stay as many. What tensors take by themselves rises with the
 * batch, what the allocator's segments take need not: batches are tried downwards from where the tensors alone would fill
 * the card.
 */
export function largestBatch(
  run: VramRun,
  gpu: Gpu,
  { bound = 'likely', most = MOST.batch }: Asked = {},
): number | undefined {
  const { microBatches } = run;
  const of = (windows: number): VramRun => ({ ...run, batch: windows * microBatches });
  const full = largest(
    1,
    Math.floor(most / microBatches),
    (windows) => predictVram(of(windows)).allocated[bound] <= gpu.memoryBytes,
  );
  return lastFrom(full ?? 0, (windows) => vramFits(of(windows), gpu, bound), microBatches);
}

export const largestLayers = (run: VramRun, gpu: Gpu, bound: Bound = 'likely'): number | undefined =>
  lastFrom(MOST.layers, (layers) => vramFits({ ...run, layers }, gpu, bound));

/** The first of `from`, `from` − 1, … 1 that fits, times `unit`. */
function lastFrom(from: number, fits: (value: number) => boolean, unit = 1): number | undefined {
  for (let value = from; value >= 1; value--) if (fits(value)) return value * unit;
  return undefined;
}

/** The card with the least memory that likely holds the run; undefined where none does. */
export const smallestGpu = (run: VramRun): Gpu | undefined =>
  GPU_IDS.map((id) => GPUS[id])
    .sort((a, b) => a.memoryBytes - b.memoryBytes)
    .find((gpu) => vramFits(run, gpu));

/** Share of simulated runs that are killed in training. */
export const killedShare = (plan: HostPlan, runs = HOST_RUNS): number =>
  new HostEnsemble(hostOptions(plan)).advance(runs).odds().killed.likely;

/** Most workers with which training is killed in no more than an accepted share of runs; validation is not asked about. */
export const largestWorkers = (plan: HostPlan, accepted = ACCEPTED_KILLS): number | undefined =>
  largest(
    0,
    MOST.workers,
    (workers) => killedShare({ ...plan, loader: { ...plan.loader, workers } }) <= accepted,
  );

/** Largest batch that the host's memory can feed, validation included. */
export const largestHostBatch = (plan: HostPlan): number | undefined =>
  largest(
    1,
    MOST.batch,
    (batch) => predictHostRam({ ...plan, loader: { ...plan.loader, batch } }).fits !== 'does not fit',
  );

/**
 * The row that fits its card and its host's memory, ends within `hours`, and costs least; by the likely values of one way to
 * end.
 */
export function cheapest(
  rows: readonly HostedRow[],
  hours: number,
  stop: Stop['id'] = 'all',
): HostedRow | undefined {
  const priced = rows.flatMap((row) => {
    const cost = row.costs.find((one) => one.stop.id === stop);
    const fits = row.vramFits && row.host.fits !== 'does not fit';
    return fits && cost?.dollars && cost.hours.likely <= hours ? [{ row, dollars: cost.dollars.likely }] : [];
  });
  return priced.sort((a, b) => a.dollars - b.dollars)[0]?.row;
}
