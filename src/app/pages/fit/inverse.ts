/** The questions the other way round, answered in sentences. */
import type { HostPlan } from '../../../estimate/from_config';
import type { Gpu } from '../../../estimate/hardware';
import { ACCEPTED_KILLS } from '../../../estimate/host_predict';
import {
  cheapest,
  largestBatch,
  largestLayers,
  largestWorkers,
  MOST,
  smallestGpu,
} from '../../../estimate/inverse';
import { scenarioTable, type Bound, type Plan } from '../../../estimate/scenario';
import { bytes, percent } from '../../format';
import { hostQuestion, type Reading } from './plan';
import type { Asked, QuestionName } from './questions';
import { dollars, hours } from './said';

const atMost = (value: number, most: number): string =>
  value === most ? `${value}, the most that production accepts` : String(value);

/** How much a card holds, likely and at both ends of the prediction. */
function holds(
  { name, memoryBytes }: Gpu,
  of: (bound: Bound) => number | undefined,
  most: number,
  say: (value: string) => string,
): string {
  const likely = of('likely');
  if (likely === undefined) return `Likely not even the least fits ${bytes(memoryBytes)} of the ${name}.`;
  const [surely, perhaps] = [of('high') ?? 0, of('low') ?? likely];
  const range =
    surely === perhaps
      ? 'at both ends of the prediction'
      : `${surely === 0 ? 'none' : surely} at the high end of the prediction, ${perhaps} at its low end`;
  return `The ${name} likely holds ${say(atMost(likely, most))} (${range}).`;
}

function workersFor(plan: HostPlan): string {
  const workers = largestWorkers(plan);
  const ram = bytes(plan.machine.ramBytes);
  if (workers === undefined)
    return `Even without workers training is killed in more than ${percent(ACCEPTED_KILLS)} of the simulated runs with ${ram}.`;
  return `With ${ram}, ${atMost(workers, MOST.workers)} workers: with them at most ${percent(ACCEPTED_KILLS)} of the simulated runs are killed in training. Validation is another question.`;
}

const ANSWERS: Readonly<Record<QuestionName, (plan: Plan, asked: Asked, reading: Reading) => string>> = {
  batch: ({ settings: { vram }, gpu }) => {
    const of = (bound: Bound): number | undefined => largestBatch(vram, gpu, { bound });
    const parts = vram.microBatches > 1 ? ` in ${vram.microBatches} micro-batches` : '';
    return `${holds(gpu, of, MOST.batch, (batch) => `batches of ${batch}${parts}`)} The setup above has ${vram.batch}.`;
  },
  layers: ({ settings: { vram }, gpu }) => {
    const of = (bound: Bound): number | undefined => largestLayers(vram, gpu, bound);
    return `${holds(gpu, of, MOST.layers, (layers) => `${layers} Mamba layers`)} The setup above has ${vram.layers} at batch ${vram.batch}.`;
  },
  workers: (plan, _, reading) => workersFor(hostQuestion(plan, reading).plan),
  gpu: (plan) => {
    const gpu = smallestGpu(plan.settings.vram);
    return gpu
      ? `The ${gpu.name} with ${bytes(gpu.memoryBytes)} is the smallest card that likely holds this run.`
      : 'No card of the list holds this run: take a smaller batch, micro-batches or gradient checkpointing.';
  },
  plan: (plan, { deadline }) => {
    const row = cheapest(scenarioTable(plan), deadline);
    const cost = row?.costs.find(({ stop }) => stop.id === 'all');
    if (!row || !cost?.dollars)
      return `No plan with a known price ends all ${plan.settings.epochs} epochs within ${hours(deadline)}.`;
    return `${row.title}: all ${plan.settings.epochs} epochs in ${hours(cost.hours.likely)} for ${dollars(cost.dollars.likely)} (${dollars(cost.dollars.low)} to ${dollars(cost.dollars.high)}), within the deadline of ${hours(deadline)}. By GPU memory, likely hours and likely price; host memory is another question.`;
  },
};

/** Throws RangeError where the setup is none that could run. */
export const answerTo = (asked: Asked, plan: Plan, reading: Reading): string =>
  ANSWERS[asked.name](plan, asked, reading);
