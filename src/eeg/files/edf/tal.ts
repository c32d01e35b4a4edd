/**
 * Time-stamped annotation lists of EDF+ (https://www.edfplus.info/specs/edfplus.html, section 2.2.2):
 * `onset [0x15 duration] 0x14 text 0x14 … 0x14 0x00`, filled up with NULs. The first list of a record has an empty first
 * text: it says when the record starts.
 */
import { quoted } from '../../../base/text';

export interface Tal {
  /** Seconds after the start time of the header. */
  readonly onset: number;
  /** Seconds; null where none is given. */
  readonly duration: number | null;
  readonly texts: readonly string[];
}

const SEPARATOR = 0x14;
const DURATION = 0x15;

export interface Tals {
  readonly tals: readonly Tal[];
  /** What is wrong with each list that could not be read; the others are not affected. */
  readonly damaged: readonly string[];
}

/** Parses one record's annotation signal. */
export function parseTals(bytes: Uint8Array): Tals {
  const tals: Tal[] = [];
  const damaged: string[] = [];
  let start = 0;
  while (start < bytes.length) {
    if (bytes[start] === 0) {
      start++;
      continue;
    }
    const end = bytes.indexOf(0, start);
    const list = bytes.subarray(start, end < 0 ? bytes.length : end);
    try {
      tals.push(parseTal(list));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      damaged.push(error.message);
    }
    start += list.length;
  }
  return { tals, damaged };
}

function parseTal(list: Uint8Array): Tal {
  const stampEnd = list.indexOf(SEPARATOR);
  if (stampEnd < 0 || list[list.length - 1] !== SEPARATOR)
    throw new SyntaxError('an annotation list does not end as one (with bytes 20, 0)');
  const mark = list.subarray(0, stampEnd).indexOf(DURATION);
  const onset = seconds(list.subarray(0, mark < 0 ? stampEnd : mark), /^[+-]\d+(\.\d*)?$/, 'onset');
  const duration = mark < 0 ? null : seconds(list.subarray(mark + 1, stampEnd), /^\d+(\.\d*)?$/, 'duration');
  const texts: string[] = [];
  for (let from = stampEnd + 1; from < list.length;) {
    const to = list.indexOf(SEPARATOR, from);
    texts.push(decodeText(list.subarray(from, to)));
    from = to + 1;
  }
  return { onset, duration, texts };
}

/** UTF-8 as the specification asks, or Latin-1 as older recorders write. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function seconds(bytes: Uint8Array, pattern: RegExp, what: string): number {
  const written = String.fromCharCode(...bytes.subarray(0, 64));
  const value = pattern.test(written) && bytes.length <= 64 ? Number(written) : NaN;
  if (!Number.isFinite(value)) throw new SyntaxError(`${quoted(written)} is no ${what} of an annotation`);
  return value;
}
