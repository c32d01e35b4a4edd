/** What would fit where a run does not: single changes, each found by asking the other way round and predicted once more. */
import { GIB } from '../config/facts';
import { hostOptions, type HostPlan } from './from_config';
import { HostEnsemble } from './host_odds';
import { HOST_RUNS, predictHostRam, smallestRam, validationPeak } from './host_predict';
import { largestBatch, largestLayers, largestWorkers, smallestGpu } from './inverse';
import { hostPlanOf, type Forecast, type Plan } from './scenario';

export type Instead =
  | { readonly change: 'batch' | 'layers' | 'workers'; readonly value: number }
  | { readonly change: 'gpu'; readonly value: string }
  /** Of the files, as data.validation_split says it. */
  | { readonly change: 'split'; readonly value: number }
  | { readonly change: 'ram'; readonly value: number };

/** Each mends what it is about: the card's memory or the host's. `split`: data.validation_split as it is. */
export function insteadOf(plan: Plan, { vram, vramFits, host }: Forecast, split: number): Instead[] {
  const { settings, machine } = plan;
  const { gpu } = machine;
  const found: Instead[] = [];
  if (vram.total.likely > gpu.memoryBytes || vramFits === 'does not fit') {
    const batch = largestBatch(settings.vram, gpu, { most: settings.vram.batch });
    if (batch !== undefined) found.push({ change: 'batch', value: batch });
    const layers = largestLayers(settings.vram, gpu);
    if (layers !== undefined && layers < settings.vram.layers)
      found.push({ change: 'layers', value: layers });
    const card = smallestGpu(settings.vram);
    if (card) found.push({ change: 'gpu', value: card.id });
  }
  if (host.fits !== 'does not fit') return found;
  const hostPlan = hostPlanOf(plan);
  const ensemble = new HostEnsemble(hostOptions(hostPlan)).advance(HOST_RUNS);
  if (host.validation.likely > host.limit) {
    const less = splitThatFits(hostPlan, ensemble, split, host.limit);
    if (less > 0) found.push({ change: 'split', value: less });
  }
  if (host.odds.killed.likely > 0) {
    const workers = largestWorkers(hostPlan);
    if (workers !== undefined && workers < settings.loader.workers)
      found.push({ change: 'workers', value: workers });
  }
  const ramBytes = smallestRam(hostPlan, undefined, ensemble);
  const larger = predictHostRam(hostPlanOf({ ...plan, machine: { ...machine, ramGiB: ramBytes / GIB } }));
  if (larger.fits !== 'does not fit') found.push({ change: 'ram', value: ramBytes / GIB });
  return found;
}

/** The largest validation_split, in hundredths, with which validation's likely peak is within `limit`; 0: none. */
function splitThatFits({ windows }: HostPlan, ensemble: HostEnsemble, split: number, limit: number): number {
  for (let hundredths = Math.ceil(100 * split) - 1; hundredths > 0; hundredths--) {
    const held = Math.round((hundredths / 100 / split) * windows.validation);
    if (validationPeak(ensemble, held).likely <= limit) return hundredths / 100;
  }
  return 0;
}
