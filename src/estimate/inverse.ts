/** The questions the other way round: the largest that fits, the smallest card that does, the cheapest plan in time. */
import { GPU_IDS, GPUS, type Gpu } from './hardware';
import { hostOptions, type HostPlan } from './from_config';
import { ACCEPTED_KILLS, HOST_RUNS, predictHostRam } from './host_predict';
import { HostEnsemble } from './host_odds';
import { vramFits, type ScenarioRow } from './scenario';
import type { VramRun } from './vram/options';

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

/** Largest batch of a run that the card likely holds; its parts stay as many. */
export function largestBatch(run: VramRun, gpu: Gpu, most: number = MOST.batch): number | undefined {
  const { microBatches } = run;
  const parts = largest(1, Math.floor(most / microBatches), (windows) =>
    vramFits({ ...run, batch: windows * microBatches }, gpu),
  );
  return parts === undefined ? undefined : parts * microBatches;
}

export const largestLayers = (run: VramRun, gpu: Gpu): number | undefined =>
  largest(1, MOST.layers, (layers) => vramFits({ ...run, layers }, gpu));

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

/** The row that fits its card, ends within `hours`, and costs least; by the likely values of one way to end. */
export function cheapest(
  rows: readonly ScenarioRow[],
  hours: number,
  stop: ScenarioRow['costs'][number]['stop']['id'] = 'all',
): ScenarioRow | undefined {
  const priced = rows.flatMap((row) => {
    const cost = row.costs.find((one) => one.stop.id === stop);
    return row.vramFits && cost?.dollars && cost.hours.likely <= hours
      ? [{ row, dollars: cost.dollars.likely }]
      : [];
  });
  return priced.sort((a, b) => a.dollars - b.dollars)[0]?.row;
}
