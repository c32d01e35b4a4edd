/** A whole run on a machine: GPU memory, host memory, hours and dollars. */
import { PRODUCTION } from '../models/detector';
import { costOf, timeOf, type RunTime } from './cost';
import { machineOf, type HostPlan, type Reading, type RunSettings } from './from_config';
import type { Gpu } from './hardware';
import { CORPUS_LENGTHS, GIB, type Surroundings } from './host_facts';
import { predictHostRam, type HostPrediction } from './host_predict';
import { quantity, type Quantity } from '../base/quantity';
import {
  CURRENT_CARD,
  electricityRate,
  hourlyRate,
  MODAL_REQUEST,
  PRICE_PER_KWH,
  wattsOf,
  type Electricity,
  type RateCard,
} from './rates';
import { forWindows, hoursOn, LAUNCH_HOURS, loadingHours, stops, type EpochFigure, type Stop } from './time';
import { hoursFromRun, ratioOf, sideOn, type ScaledHours, type ShortRun } from './time_run';
import { fitsCard, predictVram, type Fit, type VramPrediction } from './vram/predict';
import type { VramRun } from './vram/options';

export interface Plan {
  readonly settings: RunSettings;
  readonly surroundings: Surroundings;
  readonly gpu: Gpu;
  readonly ramBytes: number;
  /** Hours of an epoch, as typed or measured; left out: from `run`, without it from `figure`. */
  readonly hoursPerEpoch?: Quantity | undefined;
  readonly run?: ShortRun | undefined;
  readonly figure?: EpochFigure['id'] | undefined;
  readonly card?: RateCard | undefined;
  /** Asked for beside a rented GPU. */
  readonly cores?: number | undefined;
  /** Of a machine of one's own; what is left out is assumed. */
  readonly electricity?: { readonly [K in keyof Electricity]?: Electricity[K] | undefined };
  /** Dollars an hour, as typed. */
  readonly rate?: Quantity | undefined;
  readonly reading?: Reading | undefined;
}

export interface StopCost extends RunTime {
  readonly stop: Stop;
  /** Undefined without a rate. */
  readonly dollars: Quantity | undefined;
}

export interface Forecast {
  readonly vram: VramPrediction;
  readonly vramFits: Fit;
  readonly host: HostPrediction;
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours in which an epoch's recordings are inflated, whatever the GPU. */
  readonly loading: Quantity;
  /** Dollars an hour; undefined where the card does not list the GPU. */
  readonly rate: Quantity | undefined;
  /** Of each way to end, early or not. */
  readonly costs: readonly StopCost[];
  /** `fits` where even the high ends do, `perhaps` where the likely values do. */
  readonly verdict: Fit;
  /** Whether the likely values fit. */
  readonly fits: boolean;
  readonly notes: readonly string[];
}

/** Which end of a prediction is asked about. */
export type Bound = 'low' | 'likely' | 'high';

/** Whether the prediction is within the card's memory. */
export const vramFits = (run: VramRun, gpu: Gpu, bound: Bound = 'likely'): boolean =>
  predictVram(run).total[bound] <= gpu.memoryBytes;

/** Hours in which an epoch's recordings are inflated, whatever the GPU. */
export const loadingOf = ({ settings, reading }: Plan): Quantity =>
  loadingHours(reading?.recordings ?? CORPUS_LENGTHS, settings.windows.training, settings.loader.workers);

/** What a short run says of an epoch; undefined where none is asked. */
export const scaledHours = ({ settings, gpu, run, hoursPerEpoch }: Plan): ScaledHours | undefined =>
  run && !hoursPerEpoch ? hoursFromRun(run, settings.windows.training, settings.vram, gpu) : undefined;

/** A figure that others wrote of an epoch, of production's model; for another by FLOPs and bytes of a window. */
function figureHours({ settings: { vram, windows }, gpu, figure = 'later' }: Plan): Quantity {
  const hours = forWindows(hoursOn(gpu.id, figure, vram.precision !== 'fp32'), windows.training);
  const { layers, kernelSizes } = PRODUCTION;
  const production = sideOn({ ...vram, layers, kernelSizes, checkpointing: false }, gpu);
  const [low, likely, high] = ratioOf(production, sideOn(vram, gpu));
  if (low === 1 && high === 1) return hours;
  return quantity(
    [hours.low * low, hours.likely * likely, hours.high * high],
    hours.basis === 'assumed' ? 'assumed' : 'derived',
    `${hours.source}; × ${likely.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}) for FLOPs and bytes of another model`,
  );
}

/**
 * Of an epoch. Neither a figure that others wrote nor a run in a browser knows this loader, so the slow bound is at least its
 * time.
 */
export function epochHours(plan: Plan): Quantity {
  if (plan.hoursPerEpoch) return plan.hoursPerEpoch;
  const hours = scaledHours(plan)?.hours ?? figureHours(plan);
  const loading = loadingOf(plan).likely;
  if (loading <= hours.high || plan.run?.made === 'trainer') return hours;
  return {
    ...hours,
    high: loading,
    basis: 'assumed',
    source: `${hours.source}; at most what inflating the recordings takes`,
  };
}

export function rateOf(plan: Plan): Quantity | undefined {
  const { surroundings, gpu, ramBytes, card = CURRENT_CARD, electricity, rate } = plan;
  if (rate) return rate;
  const { cores = MODAL_REQUEST.cores } = plan;
  if (surroundings === 'modal') return hourlyRate(card, gpu.id, { cores, gib: ramBytes / GIB });
  return electricityRate({
    watts: electricity?.watts ?? wattsOf(gpu.watts),
    perKwh: electricity?.perKwh ?? PRICE_PER_KWH,
  });
}

export const hostPlanOf = (plan: Plan): HostPlan => ({
  loader: plan.settings.loader,
  windows: plan.settings.windows,
  surroundings: plan.surroundings,
  machine: machineOf(plan.surroundings, plan.ramBytes),
  hoursPerEpoch: epochHours(plan).likely,
  ...plan.reading,
});

/** What each way to end costs. */
export function costsOf(plan: Plan): StopCost[] {
  const { epochs, patience } = plan.settings;
  const epoch = epochHours(plan);
  const limit = plan.surroundings === 'modal' ? LAUNCH_HOURS : Infinity;
  const rate = rateOf(plan);
  return stops(epochs, patience).map((stop) => {
    const run = { epochs: stop.epochs, epoch, limit };
    return { stop, ...(rate ? costOf({ ...run, rate }) : { ...timeOf(run), dollars: undefined }) };
  });
}

/** `host`: where it was predicted already. */
export function forecast(plan: Plan, host = predictHostRam(hostPlanOf(plan))): Forecast {
  const { settings, gpu } = plan;
  const vram = predictVram(settings.vram);
  const card = fitsCard(settings.vram, gpu.memoryBytes);
  const epoch = epochHours(plan);
  const loading = loadingOf(plan);
  const notes = [...vram.notes, ...host.notes];
  if (settings.vram.precision !== 'fp32' && !gpu.bf16)
    notes.push(`A ${gpu.name} has no bfloat16; production's autocast takes float16, which it has.`);
  if (loading.low > epoch.likely)
    notes.push(
      `Inflating the recordings takes ${loading.low.toFixed(1)}–${loading.high.toFixed(1)} h an epoch with ${settings.loader.workers} workers by itself: the hours given here need more workers or a cache that is not compressed.`,
    );
  const fits =
    vram.total.likely <= gpu.memoryBytes && card !== 'does not fit' && host.fits !== 'does not fit';
  const surely = card === 'fits' && host.fits === 'fits';
  return {
    vram,
    vramFits: card,
    host,
    epoch,
    loading,
    rate: rateOf(plan),
    costs: costsOf(plan),
    verdict: surely ? 'fits' : fits ? 'perhaps' : 'does not fit',
    fits,
    notes,
  };
}
