/** The questions the other way round, answered in sentences. */
import type { HostPlan } from '../../../estimate/from_config';
import { GIB } from '../../../config/facts';
import type { Gpu } from '../../../config/gpus';
import { ACCEPTED_KILLS } from '../../../estimate/host_predict';
import {
  cheapest,
  largestBatch,
  largestLayers,
  largestWorkers,
  MOST,
  smallestGpu,
} from '../../../estimate/inverse';
import { hostPlanOf, type Bound, type Plan, type StopCost } from '../../../estimate/scenario';
import { scenarioTable, withHost, type HostedRow } from '../../../estimate/scenario_table';
import { bytes, percent } from '../../ui/format';
import type { Asked, QuestionName } from './questions';
import { dollars, hours } from './said';

const atMost = (value: number, most: number): string =>
  value === most ? `${value}, the most that production accepts` : String(value);

/** How much a card holds, likely and at both ends of the prediction. */
function holds(
  { name, memoryBytes }: Gpu,
  of: (bound: Bound) => number | undefined,
  most: number,
  say: (value: number) => string,
): string {
  const likely = of('likely');
  if (likely === undefined) return `Likely not even the least fits ${bytes(memoryBytes)} of the ${name}.`;
  const [surely, perhaps] = [of('high') ?? 0, of('low') ?? likely];
  const range =
    surely === perhaps
      ? 'at both ends of the prediction'
      : `${surely === 0 ? 'none' : surely} at the high end of the prediction, ${perhaps} at its low end`;
  const accepted = likely === most ? ', the most that production accepts' : '';
  return `The ${name} likely holds ${say(likely)}${accepted} (${range}).`;
}

function workersFor(plan: HostPlan): string {
  const workers = largestWorkers(plan);
  const ram = bytes(plan.ramBytes);
  if (workers === undefined)
    return `Even without workers training is killed in more than ${percent(ACCEPTED_KILLS)} of the simulated runs with ${ram}.`;
  return `With ${ram}, ${atMost(workers, MOST.workers)} workers: with them at most ${percent(ACCEPTED_KILLS)} of the simulated runs are killed in training. Validation is another question.`;
}

const ANSWERS: Readonly<Record<QuestionName, (plan: Plan, asked: Asked) => string>> = {
  batch: ({ settings: { vram }, machine: { gpu } }) => {
    const of = (bound: Bound): number | undefined => largestBatch(vram, gpu, { bound });
    const parts = vram.microBatches > 1 ? ` in ${vram.microBatches} micro-batches` : '';
    return `${holds(gpu, of, MOST.batch, (batch) => `batches of ${batch}${parts}`)} The setup above has ${vram.batch}.`;
  },
  layers: ({ settings: { vram }, machine: { gpu } }) => {
    const of = (bound: Bound): number | undefined => largestLayers(vram, gpu, bound);
    return `${holds(gpu, of, MOST.layers, (layers) => `${layers} Mamba layers`)} The setup above has ${vram.layers} at batch ${vram.batch}.`;
  },
  workers: (plan) => workersFor(hostPlanOf(plan)),
  gpu: (plan) => {
    const gpu = smallestGpu(plan.settings.vram);
    return gpu
      ? `The ${gpu.name} with ${bytes(gpu.memoryBytes)} is the smallest card that likely holds this run.`
      : 'No card of the list holds this run: take a smaller batch, micro-batches or gradient checkpointing.';
  },
  plan: (plan, { deadline }) => {
    const rows = scenarioTable(plan).map(withHost);
    const row = cheapest(rows, deadline);
    const cost = row && wholeCost(row);
    const { epochs } = plan.settings;
    if (!row || !cost?.dollars)
      return `No plan with a known price fits and ends all ${epochs} epochs within ${hours(deadline)}.${tooSmall(rows)}`;
    const { likely, low, high } = cost.dollars;
    return `${row.title}${rented(row)}: all ${epochs} epochs in ${hours(cost.hours.likely)} for ${dollars(likely)} (${dollars(low)} to ${dollars(high)}), within the deadline of ${hours(deadline)}; by likely memory of GPU and host, hours and price.${tooSmall(rows, likely)}`;
  },
};

const wholeCost = ({ costs }: HostedRow): StopCost | undefined => costs.find(({ stop }) => stop.id === 'all');

const ramBytesOf = ({ machine }: Plan): number => machine.ramGiB * GIB;

const rented = ({ plan, host }: HostedRow): string =>
  ramBytesOf(plan) > host.usual
    ? ` with ${bytes(ramBytesOf(plan))} of RAM asked for instead of ${bytes(host.usual)}`
    : '';

/** What would be cheaper than `dollars` if its host had the memory. */
function tooSmall(rows: readonly HostedRow[], dollars = Infinity): string {
  return rows
    .filter((row) => {
      const price = wholeCost(row)?.dollars?.likely ?? Infinity;
      return row.vramFits && row.host.fits === 'does not fit' && price < dollars;
    })
    .map(
      ({ title, host, plan }) =>
        ` ${title} would be cheaper, but its host’s memory is too small: ${bytes(ramBytesOf(plan))}, and it needs ${bytes(host.needs)}.`,
    )
    .join('');
}

/** Throws RangeError where the setup is none that could run. */
export const answerTo = (asked: Asked, plan: Plan): string => ANSWERS[asked.name](plan, asked);
