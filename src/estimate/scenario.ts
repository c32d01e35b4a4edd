/** A run on a machine: the hours of its epochs, and what it costs. */
import { GIB } from '../base/units';
import { quantity, scaled, weakest, type Quantity, type Bound } from '../base/quantity';
import { CORPUS, MODAL, type ReportedPace } from '../config/facts';
import { jobLimit } from '../config/launches';
import type { Machine } from '../config/targets';
import { PRODUCTION } from '../models/detector';
import { billedOf } from './billing';
import { costOf, timeOf, type RunTime } from './cost';
import type { RamPlan, Reading, RunSettings } from './from_config';
import type { RecordingLengths } from './loader_files';
import { CACHED_WINDOW_BYTES, CORPUS_LENGTHS } from './ram_facts';
import {
  CURRENT_CARD,
  electricityRate,
  hourlyRate,
  PRICE_PER_KWH,
  wattsOf,
  type Electricity,
  type RateCard,
} from './rates';
import {
  forWindows,
  hoursOn,
  loadingHours,
  meanMet,
  startHours,
  statisticsHours,
  stops,
  validationHours,
  type Loaders,
  type Stop,
} from './time';
import { hoursFromRun, ratioOf, sideOn, type ScaledHours, type ShortRun } from './time_run';

/** A run on a machine, and what is known of its pace and prices. */
export interface Plan {
  readonly settings: RunSettings;
  /** `hoursPerEpoch` left out: from `run`, without it from `pace`. */
  readonly machine: Machine;
  readonly run?: ShortRun | undefined;
  /** Of the reported paces; the later runs' by default. */
  readonly pace?: ReportedPace['id'] | undefined;
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

/** Of a training step's FLOPs, those of its forward pass: the backward pass has twice as many. */
const FORWARD = 1 / 3;

const lengthsIn = ({ reading }: Plan): RecordingLengths => reading?.recordings ?? CORPUS_LENGTHS;

const loadersOf = ({ settings: { loader }, machine: { name, cores } }: Plan): Loaders => ({
  workers: loader.workers,
  cores,
  ...(name === 'modal' && { moreCores: MODAL.moreCores }),
});

/** Hours in which the recordings of an epoch's training are decompressed, whatever the GPU. */
export const loadingOf = (plan: Plan): Quantity =>
  loadingHours(lengthsIn(plan), plan.settings.windows.training, loadersOf(plan));

/** Hours of an epoch's validation. */
export function validationOf(plan: Plan): Quantity {
  const { settings } = plan;
  const { training, validation } = settings.windows;
  // The trainer validates without autocast.
  const single: Plan = { ...plan, settings: { ...settings, vram: { ...settings.vram, precision: 'fp32' } } };
  const forward = scaled(gpuHours(single), (FORWARD * validation) / training);
  return validationHours(lengthsIn(plan), validation, loadersOf(plan), settings.rates, forward);
}

/** Hours in which windows are read for statistics before each epoch's first batch. */
export const statisticsOf = (plan: Plan): Quantity => statisticsHours(lengthsIn(plan), plan.settings.windows);

/** Hours of a launch before its first epoch. */
export const startOf = (plan: Plan): Quantity => startHours(lengthsIn(plan), plan.settings.windows);

/** What a short run says of an epoch; undefined where none is asked. */
export const scaledHours = ({ settings, machine, run }: Plan): ScaledHours | undefined =>
  run && !machine.hoursPerEpoch
    ? hoursFromRun(run, settings.windows.training, settings.vram, machine.gpu)
    : undefined;

/** From the reported paces, which are of the trainer's model in one precision and batch; for others by FLOPs and bytes of a window. */
function paceHours({ settings: { vram, windows }, machine: { gpu, name }, pace = 'later' }: Plan): Quantity {
  const reported = hoursOn(gpu.id, pace, name === 'modal');
  const hours = forWindows(reported.hours, windows.training);
  const { layers, kernelSizes } = PRODUCTION;
  const { precision, batch } = reported;
  const production = sideOn({ ...vram, batch, layers, kernelSizes, precision, checkpointing: false }, gpu);
  const [low, likely, high] = ratioOf(production, sideOn(vram, gpu));
  if (low === 1 && high === 1) return hours;
  return quantity(
    [hours.low * low, hours.likely * likely, hours.high * high],
    hours.basis === 'assumed' ? 'assumed' : 'derived',
    `${hours.source}; × ${likely.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}) for FLOPs and bytes of another model, precision or batch`,
  );
}

/** Hours that the GPU takes for an epoch's training: at most, where they come from reports of whole epochs. */
export const gpuHours = (plan: Plan): Quantity => scaledHours(plan)?.hours ?? paceHours(plan);

/**
 * Hours of a whole epoch as reported, scaled by the windows of its training and validation; but for the statistics, which short
 * epochs read as many windows for.
 */
export function reportedHours(plan: Plan): Quantity {
  const { training, validation } = plan.settings.windows;
  const read = (training + validation) / (CORPUS.balancedWindows + CORPUS.validationWindows);
  const pace = paceHours(plan);
  const whole = scaled(pace, CORPUS.balancedWindows / training);
  const corpus = { training: CORPUS.balancedWindows, validation: CORPUS.validationWindows };
  const [own, corpusOwn] = [statisticsOf(plan), statisticsHours(lengthsIn(plan), corpus)];
  const at = (bound: Bound): number => own[bound] + read * Math.max(0, whole[bound] - corpusOwn[bound]);
  const [low, likely, high] = [at('low'), at('likely'), at('high')].sort((a, b) => a - b) as [
    number,
    number,
    number,
  ];
  return quantity([low, likely, high], weakest([pace.basis, own.basis]), pace.source);
}

/**
 * Hours of an epoch: the windows that are read for statistics, training, which takes what the slower of GPU and loader takes,
 * and validation. A trainer's own run has its loader in it, and the reported paces are of whole epochs: so they stay the fast
 * bound.
 */
export function epochHours(plan: Plan): Quantity {
  if (plan.machine.hoursPerEpoch) return plan.machine.hoursPerEpoch;
  const gpu = gpuHours(plan);
  if (plan.run?.made === 'trainer' && plan.run.whole) return gpu;
  const [first, loading, validation] = [statisticsOf(plan), loadingOf(plan), validationOf(plan)];
  const measured = plan.run?.made === 'trainer';
  const at = (bound: Bound): number =>
    first[bound] + (measured ? gpu[bound] : Math.max(gpu[bound], loading[bound])) + validation[bound];
  return quantity(
    [plan.run ? at('low') : Math.min(reportedHours(plan).low, at('likely')), at('likely'), at('high')],
    weakest([gpu.basis, loading.basis, validation.basis]),
    `statistics; training: ${measured ? gpu.source : `the slower of loading and the GPU (${gpu.source})`}; validation`,
  );
}

/** What is said of hours of an epoch that are given and shorter than their predicted parts; a sentence. */
export function givenTooShort(plan: Plan): string | undefined {
  const given = plan.machine.hoursPerEpoch;
  const parts = statisticsOf(plan).likely + loadingOf(plan).likely + validationOf(plan).likely;
  if (!given || parts <= given.high) return undefined;
  const hours = (value: number): string => String(Number(value.toPrecision(3)));
  return `An epoch is taken to last ${hours(given.likely)} h, as given. Its statistics, loading and validation alone are predicted to take ${hours(parts)} h: the hours are of another run, or its recordings are shorter or read faster than the estimate assumes.`;
}

/** Dollars an hour; undefined where the price list does not have the GPU. */
export function rateOf(plan: Plan): Quantity | undefined {
  const { machine, card = CURRENT_CARD, electricity, rate } = plan;
  const { gpu } = machine;
  if (rate) return rate;
  if (machine.name === 'modal') {
    const { settings } = plan;
    const bytes = meanMet(lengthsIn(plan), CORPUS_LENGTHS.spread.likely) * CACHED_WINDOW_BYTES;
    return hourlyRate(card, gpu.id, billedOf(settings, machine, epochHours(plan), validationOf(plan), bytes));
  }
  return electricityRate({
    watts: electricity?.watts ?? wattsOf(gpu.watts),
    perKwh: electricity?.perKwh ?? PRICE_PER_KWH,
  });
}

/** What system RAM is simulated with: an epoch takes what was measured on the machine, or the GPU's hours alone, because the loader's are simulated. */
export const ramPlanOf = (plan: Plan): RamPlan => ({
  loader: plan.settings.loader,
  windows: plan.settings.windows,
  platform: plan.machine.name,
  ramBytes: plan.machine.ramGiB * GIB,
  hoursPerEpoch: (plan.machine.hoursPerEpoch ?? gpuHours(plan)).likely,
  ...plan.reading,
});

/** What each way to end costs. */
export function costsOf(plan: Plan): StopCost[] {
  const { epochs, patience } = plan.settings;
  const [epoch, start] = [epochHours(plan), startOf(plan)];
  const limit = jobLimit(plan.machine.name);
  const rate = rateOf(plan);
  return stops(epochs, patience).map((stop) => {
    const run = { epochs: stop.epochs, epoch, start, limit };
    return { stop, ...(rate ? costOf({ ...run, rate }) : { ...timeOf(run), dollars: undefined }) };
  });
}
