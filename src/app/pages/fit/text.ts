/** Numbers and verdicts of this page as people read them. */
import { several } from '../../../base/text';
import { GIB } from '../../../base/units';
import type { Quantity } from '../../../base/quantity';
import { MODAL } from '../../../config/facts';
import type { Jobs } from '../../../config/launches';
import type { Machine } from '../../../config/targets';

import type { VramRun } from '../../../estimate/vram/options';
import type { Fit, Judged } from '../../../config/verdict';
import { bytes, count, percent, plain, short } from '../../ui/format';
import type { Tone } from '../../ui/tone';
import type { RamAnswer, Limits, Prediction } from './prediction';

const GAP = '\u00a0';

/** Below an hour in minutes. */
export function hours(value: number): string {
  if (value === Infinity) return 'never ends';
  if (value < 1) return `${short(value * 60)}${GAP}min`;
  return `${short(value)}${GAP}h`;
}

export function dollars(value: number): string {
  if (value === Infinity) return 'unlimited';
  return value >= 1000 ? `$${count(value)}` : `$${value.toFixed(2)}`;
}

export const perHour = (value: number): string => `${dollars(value)}/h`;

export const seconds = (value: number): string =>
  value < 1 ? `${short(1000 * value)}${GAP}ms` : `${short(value)}${GAP}s`;

/** Decimal gigabytes, in which the review states its figures. */
export const gigabytes = (size: number): string => `${short(size / 1e9)}${GAP}GB`;

/** The same as round as it was stated. */
export const plainGigabytes = (size: number): string => `${plain(size / 1e9)}${GAP}GB`;

/** “4.10 GiB in the file: 1.20 GiB more”; undefined where it is the same. */
export function difference(
  before: Quantity | undefined,
  now: Quantity,
  say: (value: number) => string,
): string | undefined {
  const by = before ? now.likely - before.likely : 0;
  if (!before || by === 0 || Number.isNaN(by)) return undefined;
  return `${say(before.likely)} in the file: ${say(Math.abs(by))} ${by > 0 ? 'more' : 'less'}`;
}

/** How many jobs a run takes. */
export function describeJobs(jobs: Jobs | undefined): string {
  if (!jobs) return `never ends: fewer than two epochs fit in a ${MODAL.jobHours}-h job`;
  const { count: number, repeated, lost } = jobs;
  if (number === 1) return '1 job';
  const interrupted = lost > 0.01 ? `, ${hours(lost)} lost` : '';
  return `${number} jobs (+${hours(repeated)} re-trained${interrupted})`;
}

/** A run that a person measured, in a few words. */
export const describeRun = ({ batch, microBatches, mixer, precision, layers }: VramRun): string =>
  [
    `batch ${batch}`,
    ...(microBatches > 1 ? [`${microBatches} micro-batches`] : []),
    precision,
    mixer,
    several(layers, 'layer'),
  ].join(', ');

/** The colour of each verdict. */
export const TONES = { fits: 'good', borderline: 'caution', "won't fit": 'fatal' } as const satisfies Record<
  Fit,
  Tone
>;

/** One of the four answers at the head of the page. */
export interface Headline {
  readonly name: 'GPU memory' | 'System RAM' | 'Time' | 'Cost';
  /** Undefined until it is known. */
  readonly of: Quantity | undefined;
  readonly say: (value: number) => string;
  /** What there is of it, or what may be spent, in the same unit; undefined where nobody gave one. */
  readonly limit: number | undefined;
  readonly fits: Fit | undefined;
  /** Whether it is within its limit, in a few words. */
  readonly verdict: string;
  /** How it differs from the file without the changes. */
  readonly difference: string | undefined;
}

interface Known {
  readonly machine: Machine;
  readonly limits: Limits;
  readonly prediction: Prediction | undefined;
  readonly ram: RamAnswer | undefined;
  /** Of the file without the changes, where there are some. */
  readonly before: Prediction | undefined;
  readonly ramBefore: Quantity | undefined;
}

/** What the page answers: memory, time and cost, each beside its limit. */
export function headlines({ machine, limits, prediction, ram, before, ramBefore }: Known): Headline[] {
  const headline = (
    name: Headline['name'],
    say: Headline['say'],
    of: Quantity | undefined,
    fits: Fit | undefined,
    was: Quantity | undefined,
    limit: number | undefined,
    words: Readonly<Record<Fit, string>>,
  ): Headline => ({
    name,
    of,
    say,
    limit,
    fits,
    verdict: fits ? words[fits] : '',
    difference: of && difference(was, of, say),
  });
  const memory = (bytes: string): Record<Fit, string> => ({
    fits: `fits in ${bytes}`,
    borderline: `borderline in ${bytes}`,
    "won't fit": `won’t fit in ${bytes}`,
  });
  const limited = (
    name: 'Time' | 'Cost',
    say: Headline['say'],
    of: Judged | undefined,
    was: Judged | undefined,
    limit: string,
  ): Headline =>
    headline(name, say, of?.need, of?.fit, was?.need, of?.limit, {
      fits: `fits the ${limit}`,
      borderline: `borderline for the ${limit} (high end ${say(of?.need.high ?? NaN)})`,
      "won't fit": `won’t fit the ${limit} (low end ${say(of?.need.low ?? NaN)})`,
    });
  const { vram, gpuFit, hours: time, dollars: cost } = prediction ?? {};
  const [gpuBytes, ramBytes] = [machine.gpu.memoryBytes, machine.ramGiB * GIB];
  const card = `${bytes(gpuBytes)} of the ${machine.gpu.name}`;
  return [
    headline('GPU memory', bytes, vram?.total, gpuFit, before?.vram.total, gpuBytes, memory(card)),
    headline('System RAM', bytes, ram?.peak, ram?.fits, ramBefore, ramBytes, memory(bytes(ramBytes))),
    limited('Time', hours, time, before?.hours, `${hours(limits.hours)} deadline`),
    limited('Cost', dollars, cost, before?.dollars, `${dollars(limits.dollars)} budget`),
  ];
}

/** How often training runs out of memory, and whether validation fits. */
export function describeOom({ odds, runs, of, validationFit }: RamAnswer): string {
  const training = `${percent(odds.killed.likely)} of ${runs} simulated runs${runs < of ? ' so far' : ''}`;
  return `OOM during training: ${training}. Validation: ${validationFit.replace("'", '’')}.`;
}
