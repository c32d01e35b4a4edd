/**
 * Memory of a run's processes over time, as psrecord logs it (“# Elapsed time  CPU (%)  Real (MB)  Virtual (MB)”, MiB; psrecord/main.py)
 * or as CSV with a header: psrecord's own, or ps's columns with a time before them (rss in KiB; one line a process).
 */
import { MIB } from '../base/units';

export interface HostSamples {
  /** From the first sample on; rising. */
  readonly seconds: Float64Array;
  /** Resident bytes of all processes; memory that they share counts for each. */
  readonly bytes: Float64Array;
}

const MAX_SAMPLES = 1_000_000;
/** Columns of a time, the first of them that there is. */
const TIMES = ['elapsed_time', 'elapsed time', 'elapsed', 'etimes', 'time', 'seconds', 'timestamp', 'date'];
/** What psrecord prints before its log where that is its output. */
const BEFORE = /^(?:(?:Attaching to|Starting up|Command requires)[^\n]*\n)+/;
const DAY = 86_400;
/** Columns of resident memory, and the bytes of their unit. */
const RESIDENT: readonly (readonly [RegExp, number])[] = [
  [/^(?:mem_)?real(?: \(mb\))?$/, MIB],
  [/^rss_?mb$/, MIB],
  [/^rss(?:_?kb)?$/, 1024],
  [/^rss_?bytes$/, 1],
];

interface Columns {
  readonly time: number;
  /** Whether the time is one that a process has run. */
  readonly elapsed: boolean;
  readonly resident: number;
  readonly unit: number;
  readonly split: (line: string) => string[];
}

const bodyOf = (text: string): string => text.trimStart().replace(BEFORE, '');

/** What the header says; undefined where the text is of no such log. */
function columnsOf(text: string): Columns | undefined {
  const header = /^[^\n]*/.exec(bodyOf(text))?.[0] ?? '';
  if (/^#\s+Elapsed time\s+CPU \(%\)\s+Real \(MB\)/i.test(header))
    return { time: 0, elapsed: true, resident: 2, unit: MIB, split: (line) => line.trim().split(/\s+/) };
  const separator = [',', '\t', ';'].find((one) => header.includes(one)) ?? /\s+/;
  const split = (line: string): string[] =>
    line
      .trim()
      .split(separator)
      .map((cell) => cell.trim().replace(/^"|"$/g, ''));
  // Among ps's own columns TIME is the processor's; a clock is put before them.
  const names = split(header).map((name, i) => (i > 0 && name === 'TIME' ? '' : name.toLowerCase()));
  const name = TIMES.find((one) => names.includes(one)) ?? '';
  const time = names.indexOf(name);
  for (const [pattern, unit] of RESIDENT) {
    const resident = names.findIndex((one) => pattern.test(one));
    if (name !== '' && resident >= 0) return { time, elapsed: name.startsWith('e'), resident, unit, split };
  }
  return undefined;
}

/** Whether the first line of a text has columns of times and of resident memory, as psrecord, ps and tables of comma-separated values have them. */
export const isHostSamples = (text: string): boolean => columnsOf(text) !== undefined;

/** Throws RangeError with a sentence where the text is of no such log, or has fewer than two moments. */
export function readHostSamples(text: string): HostSamples {
  const columns = columnsOf(text);
  if (!columns)
    throw new RangeError(
      'The file has no header of psrecord, and none with a time and rss. Record it with “psrecord PID --include-children --log FILE”, or write a CSV whose first line is “time,rss”, with rss in KiB as ps has it.',
    );
  const moments = new Map<number, number>();
  let [midnights, before] = [0, -Infinity];
  for (const line of bodyOf(text).split('\n').slice(1, MAX_SAMPLES)) {
    const cells = columns.split(line);
    const read = secondsOf(cells[columns.time], columns.elapsed);
    const resident = Number(cells[columns.resident] || NaN);
    if (read === undefined || !(resident >= 0)) continue;
    // A clock starts again every day.
    if (!columns.elapsed && read < DAY && before - read > DAY / 2 && before < DAY) midnights++;
    before = read;
    const at = read + midnights * DAY;
    moments.set(at, (moments.get(at) ?? 0) + resident * columns.unit);
  }
  const sorted = [...moments].sort(([a], [b]) => a - b);
  const [first] = sorted;
  if (!first || sorted.length < 2)
    throw new RangeError('The file has fewer than two moments with a time and a resident memory.');
  return {
    seconds: Float64Array.from(sorted, ([at]) => at - first[0]),
    bytes: Float64Array.from(sorted, ([, bytes]) => bytes),
  };
}

/**
 * Seconds, as a number, as a clock (“01:02:03”) or as a date. “05:21” are minutes and seconds of a time that has elapsed, as ps
 * writes it ([[DD-]hh:]mm:ss), hours and minutes of a clock.
 */
function secondsOf(cell = '', elapsed = false): number | undefined {
  if (cell === '') return undefined;
  const number = Number(cell);
  if (Number.isFinite(number)) return number;
  const clock = /^(?:(\d{1,3})-)?(?:(\d{1,2}):)?(\d{1,2}):(\d{2}(?:\.\d+)?)$/.exec(cell);
  if (clock) {
    const [, days, first, middle, last] = clock;
    const [hours, minutes, seconds] =
      first === undefined && !elapsed ? [middle, last, 0] : [first, middle, last];
    return DAY * Number(days ?? 0) + 3600 * Number(hours ?? 0) + 60 * Number(minutes) + Number(seconds);
  }
  const date = Date.parse(cell);
  return Number.isNaN(date) ? undefined : date / 1000;
}

/** The most that there was until each of the shares of the time that was recorded. */
export function peaksAt({ seconds, bytes }: HostSamples, shares: readonly number[]): number[] {
  const end = seconds.at(-1) ?? 0;
  return shares.map((share) =>
    bytes.reduce(
      (high, value, i) => ((seconds[i] as number) <= share * end ? Math.max(high, value) : high),
      0,
    ),
  );
}
