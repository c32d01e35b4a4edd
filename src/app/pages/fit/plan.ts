/** What the estimator is asked for a setup on a machine. */
import type { Reading } from '../../../estimate/from_config';
import { GPUS } from '../../../estimate/hardware';
import { MAIN_BYTES, OTHER_BYTES, validationBytes } from '../../../estimate/host_facts';
import type { HostPrediction } from '../../../estimate/host_predict';
import { exactly, sum, type Quantity } from '../../../estimate/quantity';
import { RATE_CARDS, type RateCard } from '../../../estimate/rates';
import type { Plan, StopCost } from '../../../estimate/scenario';
import { hoursFromSmoke } from '../../../estimate/time';
import type { Fit } from '../../../estimate/vram/predict';
import { ramBytes, type Machine } from './machine';
import { settingsOf, type Setup } from './setup';
import { verdictOf, verdictOfOdds, worst } from './verdict';

export type CardId = (typeof RATE_CARDS)[number]['id'];

/** Where the hours of an epoch come from. */
export type HoursFrom = 'later' | 'review' | 'typed' | 'smoke';

export interface Pace {
  readonly from: HoursFrom;
  /** Hours of an epoch, where they are typed. */
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

const rateCard = (id: CardId): RateCard => RATE_CARDS.find((card) => card.id === id) ?? RATE_CARDS[0];

/** A step of the same kind on both sides: only the number of windows differs. */
const SAME_WORK = { flops: 1, bytes: 1 };

function hoursOf({ windows }: Setup, pace: Pace): Quantity | undefined {
  if (pace.from === 'typed') return exactly(pace.typed, 'assumed', 'hours of an epoch as typed here');
  if (pace.from !== 'smoke') return undefined;
  const smoke = { seconds: pace.smokeSeconds, windows: pace.smokeWindows, work: SAME_WORK };
  return hoursFromSmoke(smoke, windows.training, SAME_WORK);
}

export function planOf(
  setup: Setup,
  machine: Machine,
  pace: Pace,
  { card, perKwh, watts }: Prices,
  reading: Reading = {},
): Plan {
  return {
    settings: settingsOf(setup),
    surroundings: machine.place,
    gpu: GPUS[machine.gpu],
    ramBytes: ramBytes(machine),
    hoursPerEpoch: hoursOf(setup, pace),
    figure: pace.from === 'review' ? 'review' : 'later',
    card: rateCard(card),
    cores: machine.cores,
    electricity: {
      ...(watts !== null && { watts: exactly(watts, 'assumed', `${watts} W at the plug, as typed here`) }),
      perKwh: exactly(perKwh, 'assumed', `$${perKwh} for a kWh, as typed here`),
    },
    reading,
  };
}

/** What validation takes at its end, before it is simulated: its lists, the main process, other programs. */
export const validationNeed = ({ windows }: Setup, { place }: Machine): Quantity =>
  sum(
    [validationBytes(windows.validation), MAIN_BYTES, OTHER_BYTES[place]],
    'validation’s lists, the main process and other programs',
  );

/** The higher of training, as far as it is simulated, and validation. */
export function hostNeed(training: Quantity | undefined, validation: Quantity): Quantity {
  if (!training) return validation;
  const most = (bound: 'low' | 'likely' | 'high'): number => Math.max(training[bound], validation[bound]);
  const decided = validation.likely >= training.likely ? validation : training;
  return { ...decided, low: most('low'), likely: most('likely'), high: most('high') };
}

/** Whether a machine has it: by the whole prediction, and until that is there by what is known already. */
export function hostVerdict(
  known: {
    readonly killed: { readonly low: number; readonly high: number } | undefined;
    readonly need: Quantity;
  },
  machine: Machine,
  prediction: HostPrediction | undefined,
): Fit {
  if (prediction) return prediction.fits;
  const need = verdictOf(known.need, ramBytes(machine));
  return known.killed ? worst([need, verdictOfOdds(known.killed)]) : need;
}

/** From the fastest run that stops early to the slowest of all epochs; likely is all epochs at their likely pace. */
export function wholeRun(costs: readonly StopCost[], what: 'hours' | 'dollars'): Quantity | undefined {
  const all = costs.at(-1)?.[what];
  const early = (costs.find(({ stop }) => stop.id === 'likely') ?? costs[0])?.[what];
  if (!all || !early) return undefined;
  return {
    ...all,
    low: Math.min(early.low, all.low),
    source: `${all.source}; the low end stops early, as the review expects`,
  };
}
