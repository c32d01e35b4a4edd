/** What would fit where a run does not surely, or be faster: single changes, each of which fixes what it is about. */
import { GIB } from '../base/units';
import { SMOKE_SPLIT } from '../config/facts';
import { GPU_IDS, GPUS } from '../config/gpus';
import type { Fit, Remedy } from '../config/verdict';
import type { RamEnsemble } from './oom_odds';
import type { RamPlan } from './from_config';
import { ensembleOf, smallestRam, type RamPrediction } from './ram_predict';
import { costsOf, epochHours, ramPlanOf, type Plan } from './scenario';
import { runsOn } from './vram/predict';
import {
  fastestWorkers,
  hoursWithWorkers,
  largestBatch,
  largestBatchInRam,
  largestLayers,
  largestSplit,
  largestWorkers,
  smallestGpu,
} from './what_fits';

/** The largest validation split of a run that had none. */
const FIRST_SPLIT = 0.1;

/** The smallest that a search asks about. */
const MIN_SPLIT = 0.01;

/** Less of a run's hours than this is not worth a change. */
const WORTH_HOURS = 1;

/**
 * Changes for GPU memory and system RAM, with which the high prediction fits, or comes nearest to that, and for time.
 * `ensemble`: the simulated runs of the plan. A run without a validation split gets one.
 */
export function remediesOf(plan: Plan, gpuFit: Fit, ram: RamPrediction, ensemble: RamEnsemble): Remedy[] {
  const { settings, machine } = plan;
  const ramPlan = ramPlanOf(plan);
  const found: Remedy[] = gpuFit === 'fits' ? [] : gpuRemedies(plan);
  const loader = ram.trainingFit === 'fits' ? undefined : loaderRemedy(ramPlan);
  const validated = settings.windows.validation;
  let batch: number | undefined;
  if (validated === 0 || ram.validationFit !== 'fits') {
    let value = splitFor(ramPlan, ensemble, ram.limit, loader);
    const { whole = 0 } = settings.windows;
    if (validated === 0) {
      const first = whole === 0 ? SMOKE_SPLIT : Math.min(FIRST_SPLIT, value ?? MIN_SPLIT);
      found.push({ change: 'split', value: first });
    } else {
      batch = value === undefined && !loader ? largestBatchInRam(ramPlan, validated) : undefined;
      // A larger one would be looser than what a machine with a little more memory is offered.
      if (batch === undefined && largestSplit(ramPlan, ensemble, ram.limit) !== undefined)
        value ??= MIN_SPLIT;
      if (value !== undefined && Math.round(value * whole) < validated)
        found.push({ change: 'split', value });
    }
  }
  if (ram.trainingFit === 'fits') found.push(...timeRemedies(plan, ram.fits));
  if (ram.fits === 'fits') return found;
  if (loader) found.push(loader);
  else if (batch !== undefined) found.push({ change: 'ram-batch', value: batch });
  const ramGiB = smallestRam(ramPlan, 'high', ensemble) / GIB;
  if (ramGiB > machine.ramGiB) found.push({ change: 'ram', value: ramGiB });
  return found;
}

type LoaderRemedy = Extract<Remedy, { readonly change: 'workers' | 'ram-batch' }>;

/** Fewer workers, or without any a smaller batch, with which training fits the system RAM, and validation where it can. */
function loaderRemedy(plan: RamPlan): LoaderRemedy | undefined {
  const { workers } = plan.loader;
  // Under WSL2 none are safe, whatever the memory.
  const max = plan.platform === 'wsl2' ? 0 : workers - 1;
  const fewer = workers > 0 ? largestWorkers(plan, { max }) : undefined;
  if (fewer !== undefined) return { change: 'workers', value: fewer };
  const batch =
    workers > 0
      ? undefined
      : (largestBatchInRam(plan, plan.windows.validation) ?? largestBatchInRam(plan, 0));
  return batch === undefined ? undefined : { change: 'ram-batch', value: batch };
}

/**
 * The largest split whose validation fits; where none does because of what training leaves in memory, the one that fits with
 * the change that training needs.
 */
function splitFor(
  plan: RamPlan,
  ensemble: RamEnsemble,
  limit: number,
  needed: LoaderRemedy | undefined,
): number | undefined {
  const { loader } = plan;
  const changed = needed && {
    ...plan,
    loader: { ...loader, [needed.change === 'workers' ? 'workers' : 'batch']: needed.value },
  };
  return (
    largestSplit(plan, ensemble, limit, 'high') ??
    (changed && largestSplit(changed, ensembleOf(changed), limit, 'high'))
  );
}

function gpuRemedies({ settings: { vram }, machine: { gpu } }: Plan): Remedy[] {
  const found: Remedy[] = [];
  const max = vram.batch;
  // Where only likely values fit, the smallest: a larger one would be looser than what a larger card is offered.
  const batch =
    largestBatch(vram, gpu, { bound: 'high', max }) ??
    (largestBatch(vram, gpu, { max }) === undefined ? undefined : vram.microBatches);
  if (batch !== undefined && batch < vram.batch) found.push({ change: 'batch', value: batch });
  const layers = largestLayers(vram, gpu, { bound: 'high', max: vram.layers - 1 });
  if (layers !== undefined) found.push({ change: 'layers', value: layers });
  const smallest = smallestGpu(vram, 'high');
  if (smallest) found.push({ change: 'gpu', value: smallest.id });
  return found;
}

/** More workers, where the loader bounds an epoch; and what completes a run that no number of jobs does. */
function timeRemedies(plan: Plan, ram: Fit): Remedy[] {
  const { settings, machine } = plan;
  // Hours that were measured say nothing of other settings, and under WSL2 workers hung or were OOM-killed.
  if (machine.hoursPerEpoch || plan.run?.made === 'trainer' || machine.name === 'wsl2') return [];
  const found: Remedy[] = [];
  const workers = fastestWorkers(plan, ram);
  if (workers !== undefined) {
    const hours = hoursWithWorkers(plan, workers);
    if (settings.epochs * (epochHours(plan).likely - hours) >= WORTH_HOURS)
      found.push({ change: 'loading', value: workers, hours });
  }
  const completes = (other: Plan): boolean => costsOf(other).at(-1)?.jobs !== undefined;
  if (completes(plan)) return found;
  const { vram } = settings;
  const half = { ...plan, settings: { ...settings, vram: { ...vram, precision: 'fp16' as const } } };
  // On cards that Modal does not rent it gave NaN.
  if (vram.precision === 'fp32' && machine.gpu.onModal && completes(half))
    found.push({ change: 'precision', value: true });
  const gpu = GPU_IDS.map((id) => GPUS[id]).find(
    (one) =>
      one.onModal &&
      runsOn(vram, one.memoryBytes, 'high') &&
      completes({ ...plan, machine: { ...machine, gpu: one } }),
  );
  if (gpu) found.push({ change: 'faster-gpu', value: gpu.id });
  return found;
}
