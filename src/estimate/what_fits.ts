/** What fits: the largest batch, layers, workers and validation split, the smallest GPU, the cheapest plan in time. */
import { KEY_AT } from '../config/keys';
import type { Bound } from '../base/quantity';
import { GPU_IDS, GPUS, type Gpu } from '../config/gpus';
import type { Fit } from '../config/verdict';
import type { RamPlan } from './from_config';
import { validationBytes } from './ram_facts';
import { predictRam, trainingFits, validationFits, validationPeak } from './ram_predict';
import type { RamEnsemble } from './oom_odds';
import { epochHours, gpuHours, loadingOf, ramPlanOf, type Plan } from './scenario';
import type { RowWithRam } from './scenario_table';
import type { Stop } from './time';
import type { VramRun } from './vram/options';
import { predictVram, runsOn } from './vram/predict';

/** The largest value that the trainer accepts. */
function maxOf(path: string): number {
  const kind = KEY_AT.get(path)?.kind;
  if (!kind || !('max' in kind) || kind.max === undefined) throw new Error(`the key ${path} has no maximum`);
  return kind.max;
}

/** Of the keys that are searched; the split in hundredths. */
export const MAX = {
  batch: maxOf('training.batch_size'),
  layers: maxOf('model.mamba.n_layers'),
  workers: maxOf('data.num_workers'),
  split: 100 * maxOf('data.validation_split'),
} as const;

/**
 * The largest whole number of `min` … `max` for which `fits`, which may turn from true to false but once; undefined where not
 * even the smallest does. Asks O(log n) times. `guess`, where one is known: numbers near it are asked about first, in steps
 * that double. Exported for its tests.
 */
export function largest(
  min: number,
  max: number,
  fits: (value: number) => boolean,
  guess?: number,
): number | undefined {
  let [good, bad] = [min - 1, max + 1];
  const ask = (value: number): void => {
    if (fits(value)) good = value;
    else bad = value;
  };
  if (guess === undefined && min <= max) ask(min);
  let step = 1;
  for (let at = Math.max(min, Math.min(max, guess ?? NaN)); at > good && at < bad; step *= 2) {
    ask(at);
    at = good === at ? at + step : at - step;
  }
  while (bad - good > 1) ask((good + bad) >> 1);
  return good < min ? undefined : good;
}

interface Asked {
  /** Which case of a prediction is asked about. */
  readonly bound?: Bound;
  readonly max?: number;
}

/**
 * Largest batch of a run that the GPU holds; it has as many micro-batches. The allocated memory rises with the batch, the
 * reserved memory need not: batches are tried downwards from where the tensors alone would fill the GPU.
 */
export function largestBatch(
  run: VramRun,
  gpu: Gpu,
  { bound = 'likely', max = MAX.batch }: Asked = {},
): number | undefined {
  const { microBatches } = run;
  const of = (windows: number): VramRun => ({ ...run, batch: windows * microBatches });
  const full = largest(
    1,
    Math.floor(max / microBatches),
    (windows) => predictVram(of(windows)).allocated[bound] <= gpu.memoryBytes,
  );
  return lastFrom(full ?? 0, (windows) => runsOn(of(windows), gpu.memoryBytes, bound), microBatches);
}

/** Most layers, `max` or fewer, of a run that the GPU holds; searched as `largestBatch`. */
export function largestLayers(
  run: VramRun,
  gpu: Gpu,
  { bound = 'likely', max = MAX.layers }: Asked = {},
): number | undefined {
  const full = largest(
    1,
    max,
    (layers) => predictVram({ ...run, layers }).allocated[bound] <= gpu.memoryBytes,
  );
  return lastFrom(full ?? 0, (layers) => runsOn({ ...run, layers }, gpu.memoryBytes, bound));
}

/** The first of `from`, `from` − 1, … 1 that fits, times `unit`. */
function lastFrom(from: number, fits: (value: number) => boolean, unit = 1): number | undefined {
  for (let value = from; value >= 1; value--) if (fits(value)) return value * unit;
  return undefined;
}

/** The GPU with the smallest memory that holds the run; undefined where none does. */
export const smallestGpu = (run: VramRun, bound: Bound = 'likely'): Gpu | undefined =>
  GPU_IDS.map((id) => GPUS[id])
    .sort((a, b) => a.memoryBytes - b.memoryBytes)
    .find((gpu) => runsOn(run, gpu.memoryBytes, bound));

/** Share of a run's windows with which a first guess at workers is simulated. */
const ROUGH = 1 / 16;

/**
 * Most workers, `max` or fewer, with which training fits, or no more than an accepted share of runs is OOM-killed in it;
 * validation is not asked about. Fewer windows reach lower peaks: what does not fit with them does not fit.
 */
export function largestWorkers(
  plan: RamPlan,
  { max = MAX.workers, killed = false }: { readonly max?: number; readonly killed?: boolean } = {},
): number | undefined {
  return largestInRam(0, max, (workers) => ({ ...plan, loader: { ...plan.loader, workers } }), killed);
}

/** Largest batch, smaller than the plan's, with which training and a validation of so many windows fit the system RAM. */
export function largestBatchInRam(plan: RamPlan, validated: number): number | undefined {
  const of = (batch: number): RamPlan => ({ ...plan, loader: { ...plan.loader, batch } });
  const max = largest(1, plan.loader.batch - 1, (batch) => validationFits(of(batch), validated));
  return max === undefined ? undefined : largestInRam(1, max, of, false);
}

function largestInRam(
  min: number,
  max: number,
  planOf: (value: number) => RamPlan,
  killed: boolean,
): number | undefined {
  const fits = (share: number) => (value: number) => trainingFits(planOf(value), share, { killed });
  const rough = largest(min, max, fits(ROUGH));
  return rough === undefined ? undefined : largest(min, rough, fits(1), rough);
}

const withWorkers = (plan: Plan, workers: number): Plan => {
  const { settings } = plan;
  return { ...plan, settings: { ...settings, loader: { ...settings.loader, workers } } };
};

/**
 * Fewest workers, up to one a core, with which the GPU no longer waits for an epoch's training windows, or as many as come
 * nearest to that and fit the system RAM as well as now (`ram`). Undefined where it does not wait, and where no more fit.
 */
export function fastestWorkers(plan: Plan, ram: Fit): number | undefined {
  const now = plan.settings.loader.workers;
  const gpu = gpuHours(plan).likely;
  const waits = (workers: number): boolean => loadingOf(withWorkers(plan, workers)).likely > gpu;
  const max = Math.min(MAX.workers, Math.floor(plan.machine.cores));
  if (!waits(now)) return undefined;
  let wanted = Math.min(max, now + 1);
  while (wanted < max && waits(wanted)) wanted++;
  const fits = (workers: number): boolean => {
    const there = predictRam(ramPlanOf(withWorkers(plan, workers)));
    return there.trainingFit === 'fits' && there.fits === ram;
  };
  return largest(now + 1, wanted, fits, wanted);
}

/** Hours of an epoch with so many workers. */
export const hoursWithWorkers = (plan: Plan, workers: number): number =>
  epochHours(withWorkers(plan, workers)).likely;

/**
 * Largest validation split, in steps of 0.01, whose validation stays within `limit` bytes of RAM and swap; undefined where none
 * does, and where the windows are not a corpus's.
 */
export function largestSplit(
  { windows: { whole } }: RamPlan,
  ensemble: RamEnsemble,
  limit: number,
  bound: Bound = 'likely',
): number | undefined {
  if (whole === undefined) return undefined;
  const windowsOf = (hundredths: number): number => Math.round((hundredths / 100) * whole);
  const fits = (hundredths: number): boolean =>
    validationPeak(ensemble, windowsOf(hundredths))[bound] <= limit;
  // Simulating long validations takes long; nearly all that rises with their length is their lists.
  const lists = (hundredths: number): number => validationBytes(windowsOf(hundredths))[bound];
  const rest = validationPeak(ensemble, windowsOf(1))[bound] - lists(1);
  const guess = largest(1, MAX.split, (hundredths) => rest + lists(hundredths) <= limit);
  const hundredths = largest(1, MAX.split, fits, guess);
  return hundredths === undefined ? undefined : hundredths / 100;
}

/**
 * The row that fits its GPU and its system RAM, ends within `hours`, and is cheapest; by the likely values of one way to
 * end.
 */
export function cheapest(
  rows: readonly RowWithRam[],
  hours: number,
  stop: Stop['id'] = 'all',
): RowWithRam | undefined {
  const priced = rows.flatMap((row) => {
    const cost = row.costs.find((one) => one.stop.id === stop);
    const fits = row.gpuFit !== "won't fit" && row.ram.fits !== "won't fit";
    return fits && cost?.dollars && cost.hours.likely <= hours ? [{ row, dollars: cost.dollars.likely }] : [];
  });
  return priced.sort((a, b) => a.dollars - b.dollars)[0]?.row;
}
