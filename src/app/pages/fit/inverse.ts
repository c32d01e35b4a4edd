/** Questions about limits, answered in sentences. */
import type { Bound } from '../../../base/quantity';
import { several } from '../../../base/text';
import { GIB } from '../../../base/units';
import type { Gpu } from '../../../config/gpus';
import type { RamPlan } from '../../../estimate/from_config';
import { ACCEPTED_OOM_SHARE } from '../../../estimate/ram_predict';
import {
  cheapest,
  largestBatch,
  largestLayers,
  largestWorkers,
  MAX,
  smallestGpu,
} from '../../../estimate/what_fits';
import { ramPlanOf, type Plan, type StopCost } from '../../../estimate/scenario';
import { scenarioTable, withRam, type RowWithRam } from '../../../estimate/scenario_table';
import { bytes, percent } from '../../ui/format';
import { dollars, hours } from './text';

export const QUESTIONS = {
  batch: 'the largest batch size for this GPU',
  layers: 'the largest number of Mamba layers for this GPU',
  workers: 'the largest number of workers for this RAM',
  gpu: 'the smallest GPU that fits',
  plan: 'the cheapest machine within the deadline',
} as const;
export type QuestionName = keyof typeof QUESTIONS;
export const QUESTION_NAMES = Object.keys(QUESTIONS) as QuestionName[];

const MAXIMUM = 'the maximum that the trainer accepts';

/** How much of something a GPU holds: by the central estimate, and at both ends of the prediction. */
function holds(
  { name, memoryBytes }: Gpu,
  of: (bound: Bound) => number | undefined,
  max: number,
  say: (value: number) => string,
): string {
  const likely = of('likely');
  if (likely === undefined) return `Not even ${say(1)} fits in ${bytes(memoryBytes)} of the ${name}.`;
  const [low, high] = [of('high') ?? 0, of('low') ?? likely];
  const range = low === high ? '' : ` (range: ${low === 0 ? 'none' : low} to ${high})`;
  return `The ${name} holds ${say(likely)}${likely === max ? `, ${MAXIMUM}` : ''}${range}.`;
}

function workersFor(plan: RamPlan): string {
  const workers = largestWorkers(plan, { killed: true });
  const risk = `${percent(ACCEPTED_OOM_SHARE)} OOM risk during training`;
  if (workers === undefined)
    return `Even without workers, more than ${risk} with ${bytes(plan.ramBytes)} of RAM.`;
  const accepted = workers === MAX.workers ? `, ${MAXIMUM}` : '';
  return `${several(workers, 'worker')}${accepted} (≤ ${risk}; validation not included).`;
}

const ANSWERS: Readonly<Record<QuestionName, (plan: Plan, deadline: number) => string>> = {
  batch: ({ settings: { vram }, machine: { gpu } }) => {
    const of = (bound: Bound): number | undefined => largestBatch(vram, gpu, { bound });
    const parts = vram.microBatches > 1 ? ` in ${vram.microBatches} micro-batches` : '';
    const batch = (size: number): string => `a batch size of ${size}${parts}`;
    return `${holds(gpu, of, MAX.batch, batch)} The setup above has ${vram.batch}.`;
  },
  layers: ({ settings: { vram }, machine: { gpu } }) => {
    const of = (bound: Bound): number | undefined => largestLayers(vram, gpu, { bound });
    const layers = (count: number): string => several(count, 'Mamba layer');
    return `${holds(gpu, of, MAX.layers, layers)} The setup above has ${vram.layers} at batch size ${vram.batch}.`;
  },
  workers: (plan) => workersFor(ramPlanOf(plan)),
  gpu: (plan) => {
    const gpu = smallestGpu(plan.settings.vram);
    return gpu
      ? `${gpu.name} with ${bytes(gpu.memoryBytes)}.`
      : 'No listed GPU fits this run. Reduce the batch size, or use micro-batches or gradient checkpointing.';
  },
  plan: (plan, deadline) => {
    const rows = scenarioTable(plan).map(withRam);
    const row = cheapest(rows, deadline);
    const cost = row && wholeCost(row);
    const { epochs } = plan.settings;
    const all = epochs === 1 ? 'the epoch' : `all ${epochs} epochs`;
    if (!row || !cost?.dollars)
      return `No machine with a known price fits and finishes ${all} within ${hours(deadline)}.${tooSmall(rows)}`;
    const { likely, low, high } = cost.dollars;
    return `${row.title}${rented(row)}: ${all} in ${hours(cost.hours.likely)} for ${dollars(likely)} (${dollars(low)} to ${dollars(high)}).${tooSmall(rows, likely)}`;
  },
};

const wholeCost = ({ costs }: RowWithRam): StopCost | undefined =>
  costs.find(({ stop }) => stop.id === 'all');

const ramOf = ({ plan }: RowWithRam): number => plan.machine.ramGiB * GIB;

const rented = (row: RowWithRam): string =>
  ramOf(row) > row.ram.usual
    ? ` with ${bytes(ramOf(row))} of RAM requested instead of ${bytes(row.ram.usual)}`
    : '';

/** What would cost less than `dollars` if it had enough system RAM. */
function tooSmall(rows: readonly RowWithRam[], dollars = Infinity): string {
  return rows
    .filter((row) => {
      const price = wholeCost(row)?.dollars?.likely ?? Infinity;
      return row.gpuFit !== "won't fit" && row.ram.fits === "won't fit" && price < dollars;
    })
    .map(
      (row) =>
        ` ${row.title} would be cheaper, but needs ${bytes(row.ram.needs)} of RAM and has ${bytes(ramOf(row))}.`,
    )
    .join('');
}

/** `deadline`: hours. Throws RangeError where no run can have these settings. */
export const answerTo = (name: QuestionName, plan: Plan, deadline: number): string =>
  ANSWERS[name](plan, deadline);
