/**
 * Seconds that one step takes in this browser: from what it computes and moves, what the device was measured to reach
 * (src/engine/profile.ts), and how runs on the same device came out against that.
 */
import { quantity, type Quantity, type Bound } from '../base/quantity';

/** Of one step: all of its micro-batches and the optimizer step. */
export interface StepCost {
  readonly flops: number;
  /** To and from memory, each tensor touched once. */
  readonly bytes: number;
  readonly dispatches: number;
}

/** What the device reaches; `DeviceProfile` of the engine. */
export interface DeviceRates {
  readonly flopsPerSecond: number;
  readonly bandwidthBytesPerSecond: number;
}

/** A run that was made on this device. */
export interface PastRun {
  readonly cost: StepCost;
  /** Of one step, in the mean. */
  readonly seconds: number;
}

export interface StepTime extends Quantity {
  /**
   * How far past runs were from what the others of them predict: the median of |predicted / measured − 1|. Null where fewer
   * than two were made.
   */
  readonly error: number | null;
  readonly pastRuns: number;
}

/** A dispatch costs 24 to 71 µs in the browser, whatever it does. */
export const DISPATCH_SECONDS = { low: 24e-6, likely: 40e-6, high: 71e-6 } as const;

/**
 * How much longer than the device's limits allow a step takes, where no run was made yet: products of matrices reach 40 to
 * 60 % of the measured arithmetic, the scans a quarter and less.
 */
const SLOWDOWN = { low: 1.2, likely: 2.5, high: 6 } as const;

/** Each way from one run's ratio; several runs show by themselves how they differ. */
const ONE_RUN = 1.5;
const MIN_SPREAD = 1.1;

/** A roofline: either arithmetic or memory binds. */
export const limitSeconds = ({ flops, bytes }: StepCost, rates: DeviceRates): number =>
  Math.max(flops / rates.flopsPerSecond, bytes / rates.bandwidthBytesPerSecond);

/** Throws RangeError for rates or past runs that are no positive numbers. */
export function predictStepTime(cost: StepCost, rates: DeviceRates, history: readonly PastRun[]): StepTime {
  for (const rate of [rates.flopsPerSecond, rates.bandwidthBytesPerSecond])
    if (!(rate > 0 && rate < Infinity))
      throw new RangeError(`a device’s rates are positive numbers, one is ${rate}`);
  const limit = (of: StepCost): number => limitSeconds(of, rates) + of.dispatches * DISPATCH_SECONDS.likely;
  const ratios = history.map(({ cost: past, seconds }) => {
    const ratio = seconds / limit(past);
    if (!(ratio > 0 && ratio < Infinity))
      throw new RangeError(`a past run took ${seconds} s a step for ${past.flops} operations`);
    return ratio;
  });
  const pastRuns = ratios.length;
  if (pastRuns === 0) {
    const bound = (of: Bound): number =>
      limitSeconds(cost, rates) * SLOWDOWN[of] + cost.dispatches * DISPATCH_SECONDS[of];
    const source =
      'the device’s measured limits; no run was made here yet that says how near a step comes to them';
    return {
      ...quantity([bound('low'), bound('likely'), bound('high')], 'assumed', source),
      error: null,
      pastRuns,
    };
  }
  const ratio = median(ratios);
  const spread =
    pastRuns === 1
      ? ONE_RUN
      : Math.max(MIN_SPREAD, ...ratios.map((each) => Math.max(each / ratio, ratio / each)));
  const likely = limit(cost) * ratio;
  const source = `the device’s measured limits times ${ratio.toPrecision(2)}, ${
    pastRuns === 1 ? 'as the one run made here took' : `the median of ${pastRuns} runs made here`
  }`;
  return {
    ...quantity([likely / spread, likely, likely * spread], 'measured', source),
    error: errorOf(ratios),
    pastRuns,
  };
}

/** Each run predicted from the others. */
function errorOf(ratios: readonly number[]): number | null {
  if (ratios.length < 2) return null;
  return median(ratios.map((ratio, i) => Math.abs(median(ratios.filter((_, j) => j !== i)) / ratio - 1)));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
}
