/** What would fit where a run does not surely: single changes, each of which fixes what it is about. */
import { GIB } from '../config/facts';
import type { Fit, Remedy } from '../config/verdict';
import { hostOptions } from './from_config';
import { HostEnsemble } from './host_odds';
import { HOST_RUNS, smallestRam, trainingFitOf, type HostPrediction } from './host_predict';
import { hostPlanOf, type Plan } from './scenario';
import { largest, largestBatch, largestLayers, largestSplit, smallestGpu } from './what_fits';

/** No more of the corpus than this is held out where nothing was. */
const FIRST_SPLIT = 0.1;

/**
 * Changes for GPU memory and system RAM, with which the high prediction fits, or where none does the likely one. `ensemble`:
 * the simulated runs of the plan. A run that holds nothing out gets a split.
 */
export function remediesOf(plan: Plan, gpuFit: Fit, host: HostPrediction, ensemble: HostEnsemble): Remedy[] {
  const { settings, machine } = plan;
  const hostPlan = hostPlanOf(plan);
  const found: Remedy[] = gpuFit === 'fits' ? [] : gpuRemedies(plan);
  const held = settings.windows.validation;
  if (held === 0 || host.validationFit !== 'fits') {
    const value =
      largestSplit(hostPlan, ensemble, host.limit, 'high') ?? largestSplit(hostPlan, ensemble, host.limit);
    const { whole = 0 } = settings.windows;
    if (held === 0) found.push({ change: 'split', value: Math.min(FIRST_SPLIT, value ?? 0.01) });
    else if (value !== undefined && Math.round(value * whole) < held) found.push({ change: 'split', value });
  }
  if (host.fits === 'fits') return found;
  const { workers } = settings.loader;
  if (host.trainingFit !== 'fits' && workers > 0) {
    const fits = (count: number): boolean =>
      trainingFitOf(
        new HostEnsemble(
          hostOptions({ ...hostPlan, loader: { ...hostPlan.loader, workers: count } }),
        ).advance(HOST_RUNS),
      ) === 'fits';
    const value = largest(0, workers - 1, fits);
    if (value !== undefined) found.push({ change: 'workers', value });
  }
  const ram = smallestRam(hostPlan, 'high', ensemble) / GIB;
  if (ram > machine.ramGiB) found.push({ change: 'ram', value: ram });
  return found;
}

function gpuRemedies({ settings: { vram }, machine: { gpu } }: Plan): Remedy[] {
  const found: Remedy[] = [];
  const batch =
    largestBatch(vram, gpu, { bound: 'high', max: vram.batch }) ??
    largestBatch(vram, gpu, { max: vram.batch });
  if (batch !== undefined && batch < vram.batch) found.push({ change: 'batch', value: batch });
  const layers = largestLayers(vram, gpu, 'high');
  if (layers !== undefined && layers < vram.layers) found.push({ change: 'layers', value: layers });
  const smallest = smallestGpu(vram, 'high');
  if (smallest) found.push({ change: 'gpu', value: smallest.id });
  return found;
}
