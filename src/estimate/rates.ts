/** What an hour costs, with the day on which it was read. */
import { exactly, quantity, weakest, type Basis, type Quantity, type Bound } from '../base/quantity';
import { MODAL, SOURCES } from '../config/facts';
import type { Machine } from '../config/targets';
import type { Billed } from './billing';
import type { GpuId } from '../config/gpus';

export interface RateCard {
  readonly id: string;
  readonly title: string;
  /** ISO date on which the prices were read. */
  readonly read: string;
  /** Dollars for an hour of a GPU. */
  readonly gpu: Readonly<Partial<Record<GpuId, number>>>;
  /** Dollars for an hour of a core and of a GiB; 0 where the GPU's price has them in it. */
  readonly core: number;
  readonly gib: number;
  readonly basis: Basis;
  readonly source: string;
}

export const RATE_CARDS = [
  {
    id: 'modal-2026-07-01',
    title: 'Modal, 2026-07-01',
    read: '2026-07-01',
    gpu: { 'a100-80': 2.5, 'a100-40': 2.1, l40s: 1.95, h100: 3.95 },
    core: 0.047,
    gib: 0.008,
    basis: 'derived',
    source: 'Modal’s price list, read on 2026-07-01',
  },
  {
    id: 'review-2025-01-19',
    title: 'the review, 2025-01-19',
    read: '2025-01-19',
    gpu: { 'a100-80': 5.59 },
    core: 0,
    gib: 0,
    basis: SOURCES.review.basis,
    source: `${SOURCES.review.text}, all in one`,
  },
] as const satisfies readonly RateCard[];

export const CURRENT_CARD: RateCard = RATE_CARDS[0];

const REQUEST: Billed = {
  cores: exactly(MODAL.cores, 'derived', 'the app’s request'),
  ramGiB: exactly(MODAL.ramGiB, 'derived', 'the app’s request'),
};

/** Dollars an hour, to the cent; undefined where the card does not list the GPU. `billed`: by default what the app asks for. */
export function hourlyRate(
  card: RateCard,
  gpu: GpuId,
  { cores, ramGiB }: Billed = REQUEST,
): Quantity | undefined {
  const price = card.gpu[gpu];
  if (price === undefined) return undefined;
  const dollars = (bound: Bound): number =>
    Math.round(100 * (price + cores[bound] * card.core + ramGiB[bound] * card.gib)) / 100;
  const all = [dollars('low'), dollars('likely'), dollars('high')] as const;
  if (card.core === 0 && card.gib === 0) return quantity(all, card.basis, card.source);
  const upTo = ({ low, high }: Quantity): string =>
    high > low ? `${low.toFixed(0)}–${high.toFixed(0)}` : low.toFixed(0);
  const more = all[2] > all[0] ? '; Modal bills what is used above the request' : '';
  return quantity(
    all,
    all[2] > all[0] ? weakest([card.basis, cores.basis, ramGiB.basis]) : card.basis,
    `${card.source}: GPU $${price.toFixed(2)} + ${upTo(cores)} cores × $${card.core} + ${upTo(ramGiB)} GiB × $${card.gib}${more}`,
  );
}

/** Why there is no price of a machine's GPU; a sentence. */
export const unpriced = ({ name, gpu }: Machine): string =>
  name === 'modal' && !gpu.onModal
    ? `Modal does not rent the ${gpu.name}.`
    : `The price list has no price of the ${gpu.name}.`;

export interface Electricity {
  /** At the plug, of the whole machine while it trains. */
  readonly watts: Quantity;
  /** Dollars for a kilowatt-hour. */
  readonly perKwh: Quantity;
}

/** Of a machine with this board power: processor, disks and losses of the supply come on top. */
export const wattsOf = (boardWatts: number): Quantity =>
  quantity(
    [0.6 * boardWatts + 100, 0.85 * boardWatts + 150, boardWatts + 250],
    'assumed',
    `a board of ${boardWatts} W at 60–100 %, and 100–250 W for the rest`,
  );

export const PRICE_PER_KWH = quantity([0.1, 0.2, 0.4], 'assumed', 'households pay $0.10–0.40 for a kWh');

/** Dollars an hour. */
export const electricityRate = ({ watts, perKwh }: Electricity): Quantity =>
  quantity(
    [
      (watts.low / 1000) * perKwh.low,
      (watts.likely / 1000) * perKwh.likely,
      (watts.high / 1000) * perKwh.high,
    ],
    weakest([watts.basis, perKwh.basis]),
    `${watts.source}; ${perKwh.source}`,
  );
