/** Dollars and hours of a whole run. */
import { weakest, type Quantity, type Bound } from '../base/quantity';
import { several } from '../base/text';
import { planJobs, type Jobs } from '../config/launches';

export interface Run {
  readonly epochs: number;
  /** Hours. */
  readonly epoch: Quantity;
  /** Hours of each job before its first batch. */
  readonly start: Quantity;
  /** Hours after which a job ends; Infinity on a machine of one's own. */
  readonly limit: number;
}

export interface RunTime {
  /** Paid for; high is Infinity where no number of jobs completes a run of slow epochs. */
  readonly hours: Quantity;
  /** At the likely hours of an epoch; undefined where no number of jobs completes the run. */
  readonly jobs: Jobs | undefined;
}

export interface RunCost extends RunTime {
  readonly dollars: Quantity;
}

/** Hours of a run's fastest, likely and slowest epochs. */
export function timeOf({ epochs, epoch, start, limit }: Run): RunTime {
  const jobs = (bound: Bound) => planJobs(epochs, epoch[bound], limit, start[bound]);
  const hours = (bound: Bound): number => jobs(bound)?.hours ?? Infinity;
  return {
    hours: {
      low: hours('low'),
      likely: hours('likely'),
      high: hours('high'),
      basis: weakest([epoch.basis, start.basis]),
      source: `${several(epochs, 'epoch')}, and what is read before the first epoch of each job`,
    },
    jobs: jobs('likely'),
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
