/** Hours and dollars of a run: given rates times hours, with the range of both. */
import type { Figure } from '../../config/incidents';
import type { CostFigures } from '../evidence';
import { planJobs } from '../../config/launches';
import { tableOf } from '../markdown';
import { figureText } from '../matrix';

export interface Range {
  readonly low: number;
  readonly likely: number;
  readonly high: number;
}

export interface Cost {
  /** Of all epochs, each once. */
  readonly hours: Range;
  readonly dollars: Range;
  /** Where a job ends after some hours: how many it takes; undefined where no number of them completes the run. */
  readonly jobs?: number;
  /** Dollars with the epochs that resumed jobs re-train. */
  readonly withRepeats: number;
}

const rangeOf = ({ likely, low = likely, high = likely }: Figure): Range => ({ low, likely, high });

const times = (a: Range, b: Range): Range => ({
  low: a.low * b.low,
  likely: a.likely * b.likely,
  high: a.high * b.high,
});

export function costOf({ epochs, hoursPerEpoch, dollarsPerHour, limitHours, startHours }: CostFigures): Cost {
  const each = rangeOf(hoursPerEpoch);
  const rate = rangeOf(dollarsPerHour);
  const hours = times({ low: epochs, likely: epochs, high: epochs }, each);
  const jobs = planJobs(epochs, each.likely, limitHours ?? Infinity, startHours);
  return {
    hours,
    dollars: times(hours, rate),
    ...(jobs && { jobs: jobs.count }),
    withRepeats: (jobs?.hours ?? Infinity) * rate.likely,
  };
}

export const dollars = (amount: number): string => `$${amount.toFixed(2)}`;

const number = (value: number): string => String(Number(value.toPrecision(4)));

function span({ low, likely, high }: Range, shown: (value: number) => string): string {
  return low === high ? shown(likely) : `${shown(likely)} (${shown(low)} to ${shown(high)})`;
}

function jobsOf(figures: CostFigures, { jobs, withRepeats, dollars: once }: Cost): string {
  if (figures.limitHours === undefined) return 'no limit';
  if (jobs === undefined) return `never completes in jobs of ${figures.limitHours} h`;
  if (jobs === 1) return '1';
  const repeats = jobs - 1;
  const paid = once.likely > 0 ? `, ${dollars(withRepeats)} with ${repeats === 1 ? 'it' : 'them'}` : '';
  return `${jobs} of ${figures.limitHours} h; ${repeats === 1 ? '1 epoch is re-trained' : `${repeats} epochs are re-trained`}${paid}`;
}

const rateOf = ({ likely, low = likely, high = likely, basis, source }: Figure): string =>
  `${span({ low, likely, high }, dollars)} (${basis}: ${source})`;

/** The scenarios as a table; every product is derived from the two figures before it. */
export function costTable(costs: readonly CostFigures[]): string {
  return tableOf(
    [
      'Scenario',
      'Epochs',
      'Hours per epoch',
      'Hours',
      'Dollars per hour',
      'Dollars',
      'Jobs',
      'With early stopping',
    ],
    costs.map((figures) => {
      const cost = costOf(figures);
      const { stoppedEarly: early } = figures;
      return [
        figures.title,
        String(figures.epochs),
        figureText(figures.hoursPerEpoch, 'h'),
        `${span(cost.hours, number)} (derived)`,
        rateOf(figures.dollarsPerHour),
        `${span(cost.dollars, dollars)} (derived)`,
        jobsOf(figures, cost),
        early ? `$${early.low} to $${early.high} (${early.basis}: ${early.source})` : '–',
      ];
    }),
  );
}
