/** Hours and dollars of a setup on a machine, and on the others that it could run on. */
import { costOf, type RunCost } from '../../../estimate/cost';
import { GPUS, type GpuId } from '../../../estimate/hardware';
import { exactly, type Quantity } from '../../../estimate/quantity';
import { electricityRate, hourlyRate, RATE_CARDS, wattsOf, type RateCard } from '../../../estimate/rates';
import {
  epochWindows,
  forWindows,
  hoursFromSmoke,
  hoursOn,
  LAUNCH_HOURS,
  stops,
  type Stop,
} from '../../../estimate/time';
import type { Machine } from './machine';
import type { Setup } from './setup';

export type CardId = (typeof RATE_CARDS)[number]['id'];

/** Where the hours of an epoch come from. */
export type HoursFrom = 'later' | 'review' | 'typed' | 'smoke';

export interface Pace {
  readonly from: HoursFrom;
  /** Of an epoch, where it is typed. */
  readonly typed: number;
  /** A short run of one's own on this machine, without loading the model. */
  readonly smokeSeconds: number;
  readonly smokeWindows: number;
}

export interface Prices {
  readonly card: CardId;
  /** Dollars for a kilowatt-hour. */
  readonly perKwh: number;
  /** Of the machine at the plug; null: from the card's board power. */
  readonly watts: number | null;
}

export const rateCard = (id: CardId): RateCard => RATE_CARDS.find((card) => card.id === id) ?? RATE_CARDS[0];

/** A step of the same kind on both sides: only the number of windows differs. */
const SAME_WORK = { flops: 1, bytes: 1 };

/** Hours of an epoch on a card. What was typed or measured is of the chosen machine and holds for it alone. */
export function epochHours(setup: Setup, gpu: GpuId, pace: Pace, own: boolean): Quantity {
  const { training } = epochWindows(setup);
  if (own && pace.from === 'typed') return exactly(pace.typed, 'assumed', 'hours of an epoch as typed here');
  if (own && pace.from === 'smoke')
    return hoursFromSmoke(
      { seconds: pace.smokeSeconds, windows: pace.smokeWindows, work: SAME_WORK },
      training,
      SAME_WORK,
    );
  const figure = pace.from === 'review' ? 'review' : 'later';
  return forWindows(hoursOn(gpu, figure, setup.precision !== 'fp32'), training);
}

/** Dollars an hour; undefined where the rate card does not list the GPU. */
export function rateOf(machine: Machine, prices: Prices): Quantity | undefined {
  const { place, gpu, cores, ramGiB } = machine;
  if (place === 'modal') return hourlyRate(rateCard(prices.card), gpu, { cores, gib: ramGiB });
  const watts =
    prices.watts === null
      ? wattsOf(GPUS[gpu].watts)
      : exactly(prices.watts, 'assumed', `${prices.watts} W at the plug, as typed here`);
  const perKwh = exactly(prices.perKwh, 'assumed', `$${prices.perKwh} for a kWh, as typed here`);
  return electricityRate({ watts, perKwh });
}

export interface StopCost extends RunCost {
  readonly stop: Stop;
}

/** Of each way in which a run may end, the earliest first; dollars are 0 where no price is known. */
export function stopCosts(setup: Setup, machine: Machine, pace: Pace, prices: Prices): readonly StopCost[] {
  const epoch = epochHours(setup, machine.gpu, pace, true);
  const rate = rateOf(machine, prices) ?? exactly(0, 'assumed', 'no price is known');
  const limit = machine.place === 'modal' ? LAUNCH_HOURS : Infinity;
  return stops(setup.epochs, setup.patience).map((stop) => ({
    stop,
    ...costOf({ epochs: stop.epochs, epoch, rate, limit }),
  }));
}

/** From the fastest run that stops early to the slowest of all epochs; likely is all epochs at their likely pace. */
export function wholeRun(costs: readonly StopCost[], what: 'hours' | 'dollars'): Quantity | undefined {
  const [first, last] = [costs[0], costs[costs.length - 1]];
  if (!first || !last) return undefined;
  const early = costs.find(({ stop }) => stop.id === 'likely') ?? first;
  return {
    ...last[what],
    low: Math.min(early[what].low, last[what].low),
    source: `${last[what].source}; the low end stops early, as the review expects`,
  };
}

export interface Alternative {
  readonly machine: Machine;
  readonly epoch: Quantity;
  readonly rate: Quantity | undefined;
  readonly cost: RunCost | undefined;
  /** Whether it is the machine that is looked at. */
  readonly chosen: boolean;
}

/** The machine itself, and Modal with each card of the rate card. */
export function alternatives(
  setup: Setup,
  machine: Machine,
  pace: Pace,
  prices: Prices,
): readonly Alternative[] {
  const rented = (Object.keys(rateCard(prices.card).gpu) as GpuId[]).map((gpu): Machine => ({
    place: 'modal',
    gpu,
    cores: machine.place === 'modal' ? machine.cores : 8,
    ramGiB: machine.place === 'modal' ? machine.ramGiB : 32,
  }));
  const same = (other: Machine): boolean => other.place === machine.place && other.gpu === machine.gpu;
  const all = [machine, ...rented.filter((other) => !same(other))];
  return all.map((one) => {
    const epoch = epochHours(setup, one.gpu, pace, same(one));
    const rate = rateOf(one, prices);
    const limit = one.place === 'modal' ? LAUNCH_HOURS : Infinity;
    const cost = rate && costOf({ epochs: setup.epochs, epoch, rate, limit });
    return { machine: one, epoch, rate, cost, chosen: same(one) };
  });
}
