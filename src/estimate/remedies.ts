/** What would fit where a run does not surely: single changes, each of which fixes what it is about. */
import { GIB } from '../base/units';
import { SMOKE_SPLIT } from '../config/facts';
import type { Fit, Remedy } from '../config/verdict';
import type { RamEnsemble } from './oom_odds';
import { smallestRam, type RamPrediction } from './ram_predict';
import { ramPlanOf, type Plan } from './scenario';
import { largestBatch, largestLayers, largestSplit, largestWorkers, smallestGpu } from './what_fits';

/** The largest validation split of a run that had none. */
const FIRST_SPLIT = 0.1;

/**
 * Changes for GPU memory and system RAM, with which the high prediction fits, or where none does the likely one. `ensemble`:
 * the simulated runs of the plan. A run without a validation split gets one.
 */
export function remediesOf(plan: Plan, gpuFit: Fit, ram: RamPrediction, ensemble: RamEnsemble): Remedy[] {
  const { settings, machine } = plan;
  const ramPlan = ramPlanOf(plan);
  const found: Remedy[] = gpuFit === 'fits' ? [] : gpuRemedies(plan);
  const validated = settings.windows.validation;
  if (validated === 0 || ram.validationFit !== 'fits') {
    const value =
      largestSplit(ramPlan, ensemble, ram.limit, 'high') ?? largestSplit(ramPlan, ensemble, ram.limit);
    const { whole = 0 } = settings.windows;
    if (validated === 0) {
      const first = whole === 0 ? SMOKE_SPLIT : Math.min(FIRST_SPLIT, value ?? 0.01);
      found.push({ change: 'split', value: first });
    } else if (value !== undefined && Math.round(value * whole) < validated)
      found.push({ change: 'split', value });
  }
  if (ram.fits === 'fits') return found;
  const { workers } = settings.loader;
  if (ram.trainingFit !== 'fits' && workers > 0) {
    // Under WSL2 none are safe, whatever the memory.
    const value = largestWorkers(ramPlan, { max: machine.name === 'wsl2' ? 0 : workers - 1 });
    if (value !== undefined) found.push({ change: 'workers', value });
  }
  const ramGiB = smallestRam(ramPlan, 'high', ensemble) / GIB;
  if (ramGiB > machine.ramGiB) found.push({ change: 'ram', value: ramGiB });
  return found;
}

function gpuRemedies({ settings: { vram }, machine: { gpu } }: Plan): Remedy[] {
  const found: Remedy[] = [];
  const batch =
    largestBatch(vram, gpu, { bound: 'high', max: vram.batch }) ??
    largestBatch(vram, gpu, { max: vram.batch });
  if (batch !== undefined && batch < vram.batch) found.push({ change: 'batch', value: batch });
  const layers = largestLayers(vram, gpu, { bound: 'high', max: vram.layers - 1 });
  if (layers !== undefined) found.push({ change: 'layers', value: layers });
  const smallest = smallestGpu(vram, 'high');
  if (smallest) found.push({ change: 'gpu', value: smallest.id });
  return found;
}
