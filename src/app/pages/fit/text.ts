/** Numbers and verdicts of this page as people read them. */
import { several } from '../../../base/text';
import type { Quantity } from '../../../base/quantity';
import { MODAL } from '../../../config/facts';
import type { Jobs } from '../../../config/launches';
import type { Platform } from '../../../config/targets';
import type { VramRun } from '../../../estimate/vram/options';
import type { Fit, Judged } from '../../../config/verdict';
import { bytes, count, percent, plain, short } from '../../ui/format';
import type { Tone } from '../../ui/tone';
import type { Needs, RamAnswer } from './prediction';

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
function difference(
  before: Quantity | undefined,
  now: Quantity,
  say: (value: number) => string,
): string | undefined {
  const by = before ? now.likely - before.likely : 0;
  if (!before || by === 0 || Number.isNaN(by)) return undefined;
  return `${say(before.likely)} in the file: ${say(Math.abs(by))} ${by > 0 ? 'more' : 'less'}`;
}

/** How many jobs a run takes, and what comes of that; undefined where nothing does. */
export function describeJobs(jobs: Jobs | undefined): { readonly said: string; readonly more?: string } {
  if (!jobs) return { said: 'never ends', more: `fewer than two epochs fit in a ${MODAL.jobHours}-h job` };
  const { count: number, repeated, lost } = jobs;
  if (number === 1) return { said: '1 job' };
  const interrupted = lost > 0.01 ? `, ${hours(lost)} lost` : '';
  return { said: `${number} jobs`, more: `+${hours(repeated)} re-trained${interrupted}` };
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

export const PLATFORM_TITLES = { wsl2: 'WSL2', local: 'Linux', modal: 'Modal' } as const satisfies Record<
  Platform,
  string
>;

/** The colour of each verdict. */
export const TONES = { fits: 'good', borderline: 'caution', "won't fit": 'fatal' } as const satisfies Record<
  Fit,
  Tone
>;
export const MARKS = { fits: '✓', borderline: '⚠', "won't fit": '✕' } as const satisfies Record<Fit, string>;

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

/**
 * What the page answers: memory, time and cost, each beside its limit. `before`: of the file without the changes, where there
 * are some.
 */
export function headlines(
  gpuName: string,
  now: Needs,
  before: Partial<Record<keyof Needs, Pick<Judged, 'need'> | undefined>> = {},
): Headline[] {
  const headline = (
    name: Headline['name'],
    of: keyof Needs,
    say: Headline['say'],
    wordsOf: (need: Quantity, limit: string) => Readonly<Record<Fit, string>>,
  ): Headline => {
    const { need, fit, limit } = now[of] ?? {};
    return {
      name,
      of: need,
      say,
      limit,
      fits: fit,
      verdict: need && fit && limit !== undefined ? wordsOf(need, say(limit))[fit] : '',
      difference: need && difference(before[of]?.need, need, say),
    };
  };
  const memory =
    (whose: string) =>
    (_: Quantity, limit: string): Record<Fit, string> => ({
      fits: `fits in ${limit}${whose}`,
      borderline: `borderline in ${limit}${whose}`,
      "won't fit": `won’t fit in ${limit}${whose}`,
    });
  const limited =
    (what: string, say: Headline['say']) =>
    ({ low, high }: Quantity, limit: string): Record<Fit, string> => ({
      fits: `fits the ${limit} ${what}`,
      borderline: `borderline for the ${limit} ${what} (high end ${say(high)})`,
      "won't fit": `won’t fit the ${limit} ${what} (low end ${say(low)})`,
    });
  return [
    headline('GPU memory', 'gpu', bytes, memory(` of the ${gpuName}`)),
    headline('System RAM', 'ram', bytes, memory('')),
    headline('Time', 'time', hours, limited('deadline', hours)),
    headline('Cost', 'cost', dollars, limited('budget', dollars)),
  ];
}

/** How often training runs out of memory, and whether validation fits; on Modal, where what is asked for is no limit, how often it needs more. */
export function describeOom({ odds, runs, of, validationFit }: RamAnswer, platform: Platform): string {
  const training = `${percent(odds.killed.likely)} of ${runs} simulated runs${runs < of ? ' so far' : ''}`;
  return `${platform === 'modal' ? 'Above the request in training' : 'OOM during training'}: ${training}. Validation: ${validationFit.replace("'", '’')}.`;
}
