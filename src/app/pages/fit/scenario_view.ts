/** The same run on other machines, as rows of a table. */
import type { Quantity } from '../../../estimate/quantity';
import { rateOf, type ScenarioRow, type StopCost } from '../../../estimate/scenario';
import type { Machine } from './machine';

export interface ScenarioView {
  readonly title: string;
  readonly vram: Quantity;
  readonly fits: boolean;
  /** Bytes of the card. */
  readonly capacity: number;
  readonly epoch: Quantity;
  readonly rate: Quantity | undefined;
  /** Of all epochs. */
  readonly all: StopCost | undefined;
  /** Whether a launch there ends after a day. */
  readonly launched: boolean;
  /** Whether it is the machine that is looked at. */
  readonly chosen: boolean;
}

export const scenarioView = (rows: readonly ScenarioRow[], { place, gpu }: Machine): ScenarioView[] =>
  rows.map(({ title, plan, vram, vramFits, epoch, costs }) => ({
    title,
    vram,
    fits: vramFits,
    capacity: plan.gpu.memoryBytes,
    epoch,
    rate: rateOf(plan),
    all: costs.find(({ stop }) => stop.id === 'all'),
    launched: plan.surroundings === 'modal',
    chosen: plan.surroundings === place && plan.gpu.id === gpu,
  }));
