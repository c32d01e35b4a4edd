/** A run on a machine: the hours of its epochs, and what it costs. */
import { GIB } from '../base/units';
import { quantity, type Quantity } from '../base/quantity';
import { MODAL, type LoggedPace } from '../config/facts';
import type { Machine } from '../config/targets';
import { PRODUCTION } from '../models/detector';
import { costOf, timeOf, type RunTime } from './cost';
import type { RamPlan, Reading, RunSettings } from './from_config';
import { CORPUS_LENGTHS } from './ram_facts';
import {
  CURRENT_CARD,
  electricityRate,
  hourlyRate,
  PRICE_PER_KWH,
  wattsOf,
  type Electricity,
  type RateCard,
} from './rates';
import { forWindows, hoursOn, loadingHours, stops, type Stop } from './time';
import { hoursFromRun, ratioOf, sideOn, type ScaledHours, type ShortRun } from './time_run';

/** A run on a machine, and what is known of its pace and prices. */
export interface Plan {
  readonly settings: RunSettings;
  /** `hoursPerEpoch` left out: from `run`, without it from `pace`. */
  readonly machine: Machine;
  readonly run?: ShortRun | undefined;
  /** Of the logged paces; the later runs' by default. */
  readonly pace?: LoggedPace['id'] | undefined;
  readonly card?: RateCard | undefined;
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

/** Hours in which an epoch's recordings are decompressed, whatever the GPU. */
export const loadingOf = ({ settings, reading }: Plan): Quantity =>
  loadingHours(reading?.recordings ?? CORPUS_LENGTHS, settings.windows.training, settings.loader.workers);

/** What a short run says of an epoch; undefined where none is asked. */
export const scaledHours = ({ settings, machine, run }: Plan): ScaledHours | undefined =>
  run && !machine.hoursPerEpoch
    ? hoursFromRun(run, settings.windows.training, settings.vram, machine.gpu)
    : undefined;

/** From the logged paces, which are of the trainer's model; for another by FLOPs and bytes of a window. */
function loggedHours({ settings: { vram, windows }, machine: { gpu }, pace = 'later' }: Plan): Quantity {
  const hours = forWindows(hoursOn(gpu.id, pace, vram.precision !== 'fp32'), windows.training);
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
 * Hours of an epoch. Neither the logged paces nor a run in a browser knows this loader, so the slow bound is at least its
 * time.
 */
export function epochHours(plan: Plan): Quantity {
  if (plan.machine.hoursPerEpoch) return plan.machine.hoursPerEpoch;
  const hours = scaledHours(plan)?.hours ?? loggedHours(plan);
  const loading = loadingOf(plan).likely;
  if (loading <= hours.high || plan.run?.made === 'trainer') return hours;
  return {
    ...hours,
    high: loading,
    basis: 'assumed',
    source: `${hours.source}; at most what decompressing the recordings takes`,
  };
}

/** Dollars an hour; undefined where the price list does not have the GPU. */
export function rateOf(plan: Plan): Quantity | undefined {
  const { machine, card = CURRENT_CARD, electricity, rate } = plan;
  const { gpu } = machine;
  if (rate) return rate;
  if (machine.name === 'modal') return hourlyRate(card, gpu.id, machine);
  return electricityRate({
    watts: electricity?.watts ?? wattsOf(gpu.watts),
    perKwh: electricity?.perKwh ?? PRICE_PER_KWH,
  });
}

export const ramPlanOf = (plan: Plan): RamPlan => ({
  loader: plan.settings.loader,
  windows: plan.settings.windows,
  platform: plan.machine.name,
  ramBytes: plan.machine.ramGiB * GIB,
  hoursPerEpoch: epochHours(plan).likely,
  ...plan.reading,
});

/** What each way to end costs. */
export function costsOf(plan: Plan): StopCost[] {
  const { epochs, patience } = plan.settings;
  const epoch = epochHours(plan);
  const limit = plan.machine.name === 'modal' ? MODAL.jobHours : Infinity;
  const rate = rateOf(plan);
  return stops(epochs, patience).map((stop) => {
    const run = { epochs: stop.epochs, epoch, limit };
    return { stop, ...(rate ? costOf({ ...run, rate }) : { ...timeOf(run), dollars: undefined }) };
  });
}
