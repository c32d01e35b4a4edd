/** What the estimator is asked for a setup on a machine. */
import type { Reading } from '../../../estimate/from_config';
import { GPUS, type GpuId } from '../../../config/gpus';
import { MAIN_BYTES, OTHER_BYTES, validationBytes } from '../../../estimate/host_facts';
import type { HostPrediction } from '../../../estimate/host_predict';
import { exactly, sum, type Quantity } from '../../../base/quantity';
import { MACHINES } from '../../../config/targets';
import { RATE_CARDS, type RateCard } from '../../../estimate/rates';
import type { Plan, StopCost } from '../../../estimate/scenario';
import type { BrowserRun, ShortRun } from '../../../estimate/time_run';
import type { VramRun } from '../../../estimate/vram/options';
import type { Fit } from '../../../estimate/vram/predict';
import { count } from '../../ui/format';
import type { KeptRun } from './browser_worker';
import { ramBytes, type Machine } from './machine';
import { settingsOf, vramRunOf, type Setup } from './setup';
import { verdictOf, verdictOfOdds, worst } from './verdict';

export type CardId = (typeof RATE_CARDS)[number]['id'];

/** Where the hours of an epoch come from. */
export type HoursFrom = 'later' | 'review' | 'typed' | 'smoke' | 'browser';

export interface Pace {
  readonly from: HoursFrom;
  /** Hours of an epoch, where they are typed. */
  readonly typed: number;
  /** A short run of the trainer's, without loading the model. */
  readonly smokeSeconds: number;
  readonly smokeWindows: number;
  /** What it was a run of: as was shown when it was typed. */
  readonly smokeOf?: { readonly run: VramRun; readonly gpu: GpuId };
  /** One that this browser made. */
  readonly browser?: BrowserRun | undefined;
}

export interface Prices {
  readonly card: CardId;
  /** Dollars for a kilowatt-hour. */
  readonly perKwh: number;
  /** Of the machine at the plug; null: from the card's board power. */
  readonly watts: number | null;
}

const rateCard = (id: CardId): RateCard => RATE_CARDS.find((card) => card.id === id) ?? RATE_CARDS[0];

function shortRun(setup: Setup, machine: Machine, pace: Pace): ShortRun | undefined {
  if (pace.from === 'browser') return pace.browser;
  if (pace.from !== 'smoke') return undefined;
  const { smokeSeconds: seconds, smokeWindows: windows } = pace;
  const { run, gpu } = pace.smokeOf ?? { run: vramRunOf(setup), gpu: machine.gpu };
  const source = `${count(windows)} windows in ${seconds} s, as typed here`;
  return { made: 'trainer', seconds, windows, run, gpu: GPUS[gpu], basis: 'measured', source };
}

/** A run that is kept here, as evidence; undefined until its device was measured. */
export function browserRun({ name, settings, seconds, updates, measured }: KeptRun): BrowserRun | undefined {
  if (!measured) return undefined;
  const { rates, update } = measured;
  const { batch } = settings;
  return {
    made: 'browser',
    name,
    seconds,
    windows: updates * batch,
    work: { flops: update.flops / batch, bytes: update.bytes / batch },
    dispatches: update.dispatches / batch,
    rates,
  };
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
    machine: {
      ...MACHINES[machine.place],
      gpu: GPUS[machine.gpu],
      ramGiB: machine.ramGiB,
      cores: machine.cores,
      hoursPerEpoch:
        pace.from === 'typed' ? exactly(pace.typed, 'assumed', 'hours of an epoch as typed here') : undefined,
    },
    run: shortRun(setup, machine, pace),
    pace: pace.from === 'review' ? 'review' : 'later',
    card: rateCard(card),
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
