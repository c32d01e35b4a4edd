/** Dollars and hours of a whole run. */
import { weakest, type Quantity } from '../base/quantity';
import { LAUNCH_HOURS, launches, type Launches } from './time';

export interface Run {
  readonly epochs: number;
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours after which a launch ends; Infinity on a machine of one's own. */
  readonly limit?: number;
  /** Hours of a launch before its first epoch. */
  readonly start?: number;
}

export interface RunTime {
  /** Paid for; high is Infinity where a run of slow epochs never comes to its end. */
  readonly hours: Quantity;
  /** For epochs as likely; undefined where no number of launches comes to the end. */
  readonly launches: Launches | undefined;
}

export interface RunCost extends RunTime {
  readonly dollars: Quantity;
}

/** Hours of a run's fastest, likely and slowest epochs. */
export function timeOf({ epochs, epoch, limit = LAUNCH_HOURS, start = 0 }: Run): RunTime {
  const hours = (each: number): number => launches(epochs, each, limit, start)?.hours ?? Infinity;
  return {
    hours: {
      low: hours(epoch.low),
      likely: hours(epoch.likely),
      high: hours(epoch.high),
      basis: epoch.basis,
      source: `${epochs} epochs: ${epoch.source}`,
    },
    launches: launches(epochs, epoch.likely, limit, start),
  };
}

/** `rate`: dollars an hour. */
export function costOf({ rate, ...run }: Run & { readonly rate: Quantity }): RunCost {
  const time = timeOf(run);
  const { hours } = time;
  return {
    ...time,
    dollars: {
      low: hours.low * rate.low,
      likely: hours.likely * rate.likely,
      high: hours.high * rate.high,
      basis: weakest([hours.basis, rate.basis]),
      source: `hours × ${rate.source}`,
    },
  };
}
