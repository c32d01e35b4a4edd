/** The questions the other way round, answered in sentences. */
import type { HostPlan } from '../../../estimate/from_config';
import { ACCEPTED_KILLS } from '../../../estimate/host_predict';
import {
  cheapest,
  largestBatch,
  largestLayers,
  largestWorkers,
  MOST,
  smallestGpu,
} from '../../../estimate/inverse';
import { scenarioTable, type Plan } from '../../../estimate/scenario';
import { bytes, percent } from '../../format';
import { hostQuestion, type Reading } from './plan';
import type { Asked, QuestionName } from './questions';
import { dollars, hours } from './said';

const nothing = (plan: Plan): string =>
  `Not even the least fits ${bytes(plan.gpu.memoryBytes)} of the ${plan.gpu.name}.`;

const atMost = (value: number, most: number): string =>
  value === most ? `${value}, which is the most that production accepts` : String(value);

function workersFor(plan: HostPlan): string {
  const workers = largestWorkers(plan);
  const ram = bytes(plan.machine.ramBytes);
  if (workers === undefined)
    return `Even without workers training is killed in more than ${percent(ACCEPTED_KILLS)} of the simulated runs with ${ram}.`;
  return `With ${ram}, ${atMost(workers, MOST.workers)} workers: with them at most ${percent(ACCEPTED_KILLS)} of the simulated runs are killed in training. Validation is another question.`;
}

const ANSWERS: Readonly<Record<QuestionName, (plan: Plan, asked: Asked, reading: Reading) => string>> = {
  batch: (plan) => {
    const { vram } = plan.settings;
    const batch = largestBatch(vram, plan.gpu);
    if (batch === undefined) return nothing(plan);
    const parts = vram.microBatches > 1 ? ` in ${vram.microBatches} micro-batches` : '';
    return `The ${plan.gpu.name} likely holds batches of ${atMost(batch, MOST.batch)}${parts}; the setup above has ${vram.batch}.`;
  },
  layers: (plan) => {
    const { vram } = plan.settings;
    const layers = largestLayers(vram, plan.gpu);
    if (layers === undefined) return nothing(plan);
    return `The ${plan.gpu.name} likely holds ${atMost(layers, MOST.layers)} Mamba layers at batch ${vram.batch}; the setup above has ${vram.layers}.`;
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
