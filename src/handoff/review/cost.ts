/** Hours and dollars of a run in a review: of a configuration by its verdict, of an incident by its own figures. */
import { several } from '../../base/text';
import { exactly, type Quantity } from '../../base/quantity';
import type { Cost } from '../../config/incidents';
import { jobLimit } from '../../config/launches';
import { costOf } from '../../estimate/cost';
import { verdictFor } from '../../estimate/forecast';
import type { CostFigures } from '../evidence';
import { tableOf } from '../markdown';
import { figureText, type Compared } from '../matrix';

/** By the verdict; undefined where nothing is predicted. */
export function predictedCost({ name, text, target }: Compared): CostFigures | undefined {
  const verdict = verdictFor(text, name, target);
  if (!verdict) return undefined;
  const { epochs, epoch, rate, jobs, time, cost } = verdict;
  const title = `${name} on ${target.title}`;
  return {
    title,
    epochs,
    epoch,
    rate,
    jobs,
    hours: time.need,
    dollars: cost?.need,
    limit: jobLimit(target.name),
  };
}

/** By the hours and the rate that a document states. */
export function quotedCost({
  title,
  epochs,
  hoursPerEpoch: epoch,
  dollarsPerHour: rate,
  place,
  stoppedEarly,
}: Cost): CostFigures {
  const limit = jobLimit(place);
  const start = exactly(0, 'derived', 'stated hours of an epoch have them in it');
  const hours = epochs * epoch.likely;
  return {
    title,
    epochs,
    epoch,
    rate,
    limit,
    ...costOf({ epochs, epoch, start, limit, rate }),
    quoted: { hours, dollars: hours * rate.likely, ...(stoppedEarly && { stoppedEarly }) },
  };
}

const NO_END = 'no end';

export const dollars = (amount: number): string =>
  Number.isFinite(amount) ? `$${amount.toFixed(2)}` : NO_END;

const number = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : NO_END;

function span({ low, likely, high }: Quantity, shown: (value: number) => string): string {
  return low === high ? shown(likely) : `${shown(likely)} (${shown(low)} to ${shown(high)})`;
}

const withBasis = (of: Quantity, shown: (value: number) => string): string =>
  `${span(of, shown)} (${of.basis})`;

function jobsOf({ jobs, limit, quoted }: CostFigures): string {
  if (limit === Infinity) return 'no limit';
  if (!jobs) return `never completes in jobs of ${limit} h`;
  if (jobs.count === 1) return '1';
  const repeats = jobs.count - 1;
  const once = quoted ? `; without, ${number(quoted.hours)} h and ${dollars(quoted.dollars)}` : '';
  return `${jobs.count} of ${limit} h; ${several(repeats, 'epoch')} ${repeats === 1 ? 'is' : 'are'} re-trained${once}`;
}

function earlyOf({ quoted }: CostFigures): string {
  const early = quoted?.stoppedEarly;
  return early ? `$${early.low} to $${early.high} (${early.basis}: ${early.source})` : '–';
}

/** The ways to run it as a table. */
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
    costs.map((one) => [
      one.title,
      String(one.epochs),
      figureText(one.epoch, 'h'),
      withBasis(one.hours, number),
      one.rate ? `${span(one.rate, dollars)} (${one.rate.basis}: ${one.rate.source})` : 'not known',
      one.dollars ? withBasis(one.dollars, dollars) : 'not known',
      jobsOf(one),
      earlyOf(one),
    ]),
  );
}
