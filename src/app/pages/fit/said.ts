/** Figures of the page as people read them. */
import type { Quantity } from '../../../base/quantity';
import { MODAL } from '../../../config/facts';
import type { Jobs } from '../../../config/launches';
import { count, plain, short } from '../../ui/format';

const GAP = '\u00a0';

/** Hours; above two days, days beside them. */
export function hours(value: number): string {
  if (value === Infinity) return 'never ends';
  if (value < 1) return `${short(value * 60)}${GAP}min`;
  return `${short(value)}${GAP}h`;
}

export function dollars(value: number): string {
  if (value === Infinity) return 'no end';
  return value >= 1000 ? `$${count(value)}` : `$${value.toFixed(2)}`;
}

/** Decimal gigabytes, in which the review states its figures. */
export const gigabytes = (bytes: number): string => `${short(bytes / 1e9)}${GAP}GB`;

/** The same as round as it was stated. */
export const plainGigabytes = (bytes: number): string => `${plain(bytes / 1e9)}${GAP}GB`;

/** “4.10 GiB in the file: 1.20 GiB more”; nothing where it is the same. */
export function difference(
  before: Quantity,
  now: Quantity,
  say: (value: number) => string,
): string | undefined {
  const by = now.likely - before.likely;
  if (by === 0 || Number.isNaN(by)) return undefined;
  return `${say(before.likely)} in the file: ${say(Math.abs(by))} ${by > 0 ? 'more' : 'less'}`;
}

export const perHour = (value: number): string => `${dollars(value)}/h`;

/** How many jobs a run takes. */
export function describeJobs(jobs: Jobs | undefined): string {
  if (!jobs) return `never ends: fewer than two epochs fit one job of ${MODAL.jobHours} h`;
  const { count: number, repeated, lost } = jobs;
  if (number === 1) return '1';
  const interrupted = lost > 0.01 ? `, ${hours(lost)} lost` : '';
  return `${number}, resumed; ${hours(repeated)} repeated${interrupted}`;
}

export const seconds = (value: number): string =>
  value < 1 ? `${short(1000 * value)}${GAP}ms` : `${short(value)}${GAP}s`;
