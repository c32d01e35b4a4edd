/** Dollars and hours of a whole run. */
import { weakest, type Quantity } from './quantity';
import { LAUNCH_HOURS, launches, type Launches } from './time';

export interface Run {
  readonly epochs: number;
  /** Hours. */
  readonly epoch: Quantity;
  /** Dollars an hour; undefined where nobody knows it. */
  readonly rate: Quantity | undefined;
  /** Hours after which a launch ends; Infinity on a machine of one's own. */
  readonly limit: number;
  /** Hours of a launch before its first epoch. */
  readonly start?: number;
}

export interface RunCost {
  /** Paid for; high is Infinity where a run of slow epochs never comes to its end. */
  readonly hours: Quantity;
  /** Undefined without a rate. */
  readonly dollars: Quantity | undefined;
  /** For epochs as likely; undefined where no number of launches comes to the end. */
  readonly launches: Launches | undefined;
}

/** What a run takes; hours and dollars of its fastest, likely and slowest epochs. */
export function costOf({ epochs, epoch, rate, limit = LAUNCH_HOURS, start = 0 }: Run): RunCost {
  const hours = (each: number): number => launches(epochs, each, limit, start)?.hours ?? Infinity;
  const [low, likely, high] = [hours(epoch.low), hours(epoch.likely), hours(epoch.high)];
  const plan = launches(epochs, epoch.likely, limit, start);
  const source = `${epochs} epochs: ${epoch.source}`;
  return {
    hours: { low, likely, high, basis: epoch.basis, source },
    dollars: rate && {
      low: low * rate.low,
      likely: likely * rate.likely,
      high: high * rate.high,
      basis: weakest([epoch.basis, rate.basis]),
      source: `hours × ${rate.source}`,
    },
    launches: plan,
  };
}
