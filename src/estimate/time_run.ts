/** Hours of an epoch from a short run: the trainer's own, or one in a browser, scaled by FLOPs and bytes of the same graph. */
import { quantity, type Basis, type Quantity, type Bound } from '../base/quantity';
import type { Gpu } from '../config/gpus';
import { ratesOf, type Work } from './hardware';
import { DISPATCH_SECONDS, limitSeconds, type DeviceRates } from './time_per_step';
import { windowWork } from './time_work';
import type { VramRun } from './vram/options';

/** Of the trainer, data loading included. */
export interface TrainerRun {
  readonly made: 'trainer';
  /** Whether it is of whole epochs, so that its seconds have the validation in them. */
  readonly whole?: boolean;
  readonly seconds: number;
  readonly windows: number;
  readonly run: VramRun;
  readonly gpu: Gpu;
  readonly basis: Basis;
  /** A clause. */
  readonly source: string;
}

/** Of the detector in a browser, of whatever width and depth. */
export interface BrowserRun {
  readonly made: 'browser';
  readonly name: string;
  /** Of training, for `windows` windows. */
  readonly seconds: number;
  readonly windows: number;
  /** Of one window, its share of the optimizer step included. */
  readonly work: Work;
  /** Of one window. */
  readonly dispatches: number;
  /** What its device was measured to reach. */
  readonly rates: DeviceRates;
}

export type ShortRun = TrainerRun | BrowserRun;

/** What a window asks of a device, and what the device reaches: measured, or by its data sheet. */
export interface Side {
  readonly work: Work;
  readonly rates: DeviceRates;
  /** Of a window if the device reached its limits. */
  readonly limit: number;
}

export interface ScaledHours {
  readonly hours: Quantity;
  /** The short run, and the run that is predicted from it. */
  readonly from: Side;
  readonly to: Side;
  /** Seconds of a window, measured; in a browser without what dispatches cost by themselves. */
  readonly seconds: number;
  /** How many times as near to its data sheet the trainer brings a card as the short run came to its device's limits. */
  readonly efficiency: Quantity | undefined;
}

/**
 * What a card reaches of its data sheet under PyTorch, over what this engine reaches of the limits that it measured. Products
 * of matrices reach 40 to 60 % here, scans a quarter and less; on cards 20 to 50 % of the tensor cores' rate are usual, and
 * 75 to 90 % of the bandwidth in operations that only move. Exported for its tests.
 */
export const EFFICIENCY = quantity(
  [0.4, 1, 2],
  'assumed',
  'PyTorch brings a card as near to its data sheet as this engine came to the limits measured here, give or take a factor of two; no card was measured',
);

/** A browser's run is not dispatches alone, however short. */
const MIN_WORK = 0.1;

const sideOf = (work: Work, rates: DeviceRates): Side => ({
  work,
  rates,
  limit: limitSeconds({ ...work, dispatches: 0 }, rates),
});

/** A window of a run on a card, by the card's data sheet. */
export const sideOn = (run: VramRun, gpu: Gpu): Side =>
  sideOf(windowWork(run), ratesOf(gpu, run.precision !== 'fp32'));

/**
 * How many times as long a window takes: likely as the limits say, which lies between FLOPs and bytes by themselves; 1 is
 * always within the range, because what loads may be what a run waits for.
 */
export function ratioOf(from: Side, to: Side): readonly [number, number, number] {
  const flops = to.work.flops / to.rates.flopsPerSecond / (from.work.flops / from.rates.flopsPerSecond);
  const bytes =
    to.work.bytes / to.rates.bandwidthBytesPerSecond / (from.work.bytes / from.rates.bandwidthBytesPerSecond);
  const [low, high] = [Math.min(1, flops, bytes), Math.max(1, flops, bytes)];
  // Rounding may bring it out of the range by a bit.
  return [low, Math.min(high, Math.max(low, to.limit / from.limit)), high];
}

/** Hours of `windows` windows of `run` on `gpu`. */
export function hoursFromRun(short: ShortRun, windows: number, run: VramRun, gpu: Gpu): ScaledHours {
  const to = sideOn(run, gpu);
  const each = short.seconds / short.windows;
  const hours = (seconds: number): number => (seconds * windows) / 3600;
  if (short.made === 'trainer') {
    const from = sideOn(short.run, short.gpu);
    const [low, likely, high] = ratioOf(from, to);
    const same = low === 1 && high === 1;
    return {
      hours: quantity(
        [hours(each * low), hours(each * likely), hours(each * high)],
        same || short.basis === 'assumed' ? short.basis : 'derived',
        same
          ? short.source
          : `${short.source}; × ${likely.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}) by FLOPs and bytes of a window${gpu.id === short.gpu.id ? '' : ` and the data sheets of ${short.gpu.name} and ${gpu.name}`}`,
      ),
      from,
      to,
      seconds: each,
      efficiency: undefined,
    };
  }
  const from = sideOf(short.work, short.rates);
  const working = (bound: Bound): number =>
    Math.max(MIN_WORK * each, each - short.dispatches * DISPATCH_SECONDS[bound]);
  const on = (seconds: number, efficiency: number): number =>
    hours((seconds * to.limit) / from.limit / efficiency);
  const percent = (100 * from.limit) / working('likely');
  return {
    hours: quantity(
      [
        on(working('high'), EFFICIENCY.high),
        on(working('likely'), EFFICIENCY.likely),
        on(working('low'), EFFICIENCY.low),
      ],
      'assumed',
      `“${short.name}” came to ${percent.toPrecision(2)} % of what this device’s measured limits allow; ${gpu.name} by its data sheet: ${EFFICIENCY.source}`,
    ),
    from,
    to,
    seconds: working('likely'),
    efficiency: EFFICIENCY,
  };
}
