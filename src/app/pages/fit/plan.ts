/** What the estimator is asked: a run on a machine, with what is known of its pace and prices. */
import { exactly } from '../../../base/quantity';
import { GPUS, type GpuId } from '../../../config/gpus';
import type { Machine } from '../../../config/targets';
import type { Reading, RunSettings } from '../../../estimate/from_config';
import { RATE_CARDS } from '../../../estimate/rates';
import type { Plan } from '../../../estimate/scenario';
import type { BrowserRun, ShortRun } from '../../../estimate/time_run';
import type { VramRun } from '../../../estimate/vram/options';
import { count } from '../../ui/format';
import type { KeptRun } from './browser_worker';

export type CardId = (typeof RATE_CARDS)[number]['id'];

/** Where the hours of an epoch come from. */
export type HoursFrom = 'later' | 'review' | 'typed' | 'smoke' | 'browser';

export interface Pace {
  readonly from: HoursFrom;
  /** Hours of an epoch, where they are typed. */
  readonly typed: number;
  /** A short run of the trainer, without the time that it takes to load the model. */
  readonly smokeSeconds: number;
  readonly smokeWindows: number;
  /** The settings and the GPU of that run: those that were shown when it was typed. */
  readonly smokeOf?: { readonly run: VramRun; readonly gpu: GpuId };
  /** A run of this browser. */
  readonly browser?: BrowserRun | undefined;
}

export interface Prices {
  readonly card: CardId;
  /** Dollars for a kilowatt-hour; null: what is usual. */
  readonly perKwh: number | null;
  /** Wall power of the machine; null: from the power of its GPU. */
  readonly watts: number | null;
}

function shortRun({ vram }: RunSettings, gpu: GpuId, pace: Pace): ShortRun | undefined {
  if (pace.from === 'browser') return pace.browser;
  if (pace.from !== 'smoke') return undefined;
  const { smokeSeconds: seconds, smokeWindows: windows, smokeOf = { run: vram, gpu } } = pace;
  const source = `${count(windows)} windows in ${seconds} s, as typed here`;
  const { run } = smokeOf;
  return { made: 'trainer', seconds, windows, run, gpu: GPUS[smokeOf.gpu], basis: 'measured', source };
}

/** A run of this browser as evidence; undefined until its device was measured. */
export function browserRun({ name, settings, seconds, steps, measured }: KeptRun): BrowserRun | undefined {
  if (!measured) return undefined;
  const { rates, update } = measured;
  const { batch } = settings;
  return {
    made: 'browser',
    name,
    seconds,
    windows: steps * batch,
    work: { flops: update.flops / batch, bytes: update.bytes / batch },
    dispatches: update.dispatches / batch,
    rates,
  };
}

export function planOf(
  settings: RunSettings,
  machine: Machine,
  pace: Pace,
  { card, perKwh, watts }: Prices,
  reading: Reading = {},
): Plan {
  const { from, typed } = pace;
  return {
    settings,
    machine:
      from === 'typed'
        ? { ...machine, hoursPerEpoch: exactly(typed, 'assumed', 'hours of an epoch as typed here') }
        : machine,
    run: shortRun(settings, machine.gpu.id, pace),
    pace: from === 'review' ? 'review' : 'later',
    card: RATE_CARDS.find(({ id }) => id === card),
    electricity: {
      ...(watts !== null && { watts: exactly(watts, 'assumed', `wall power of ${watts} W, as typed here`) }),
      ...(perKwh !== null && { perKwh: exactly(perKwh, 'assumed', `$${perKwh}/kWh, as typed here`) }),
    },
    reading,
  };
}
