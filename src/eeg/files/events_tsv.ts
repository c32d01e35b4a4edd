/**
 * Events of BIDS (https://bids-specification.readthedocs.io, task events) with the columns of SzCORE: onset, duration,
 * eventType, confidence, channels, dateTime, recordingDuration. Event types are those of HED-SCORE: `bckg`, `sz` and its
 * kinds, such as `sz_foc_ia`; SeizeIT2 adds `impd` for impedance checks. Plain BIDS names the column trial_type.
 */
import { quoted, several } from '../../base/text';
import { DataError } from '../errors';
import { isSeizure, type Annotations, type LabelledEvent } from './labels';

const TYPE_COLUMNS = ['eventtype', 'trial_type', 'event_type', 'value'];
const UNKNOWN = /^(n\/a)?$/i;

/** Parses the text of `file`. Throws DataError that names the line. */
export function parseEventsTsv(file: string, text: string): Annotations {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const names = (lines[0] ?? '').split('\t').map((name) => name.trim().toLowerCase());
  const column = (...wanted: string[]): number => names.findIndex((name) => wanted.includes(name));
  const [onset, duration] = [column('onset'), column('duration')];
  const type = TYPE_COLUMNS.map((name) => column(name)).find((at) => at >= 0) ?? -1;
  if (onset < 0 || duration < 0 || type < 0)
    throw new DataError(file, 'header', 'it needs the columns onset, duration and eventType (or trial_type)');
  const [confidence, channels, length] = [
    column('confidence'),
    column('channels', 'channel'),
    column('recordingduration'),
  ];
  const events: LabelledEvent[] = [];
  let seconds: number | null = null;
  /** Lines of events whose time is not known. */
  const untimed: number[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const fields = line.split('\t').map((field) => field.trim());
    const known = (at: number): string | undefined =>
      at >= 0 && !UNKNOWN.test(fields[at] ?? '') ? fields[at] : undefined;
    const number = (at: number): number => {
      const written = known(at);
      const value = written === undefined ? 0 : Number(written);
      if (!Number.isFinite(value) || value < 0)
        throw new DataError(
          file,
          `line ${index + 1}, ${names[at]}`,
          `${quoted(written ?? '')} is no number of zero or more`,
        );
      return value;
    };
    if (known(length) !== undefined) seconds = number(length);
    const label = (known(type) ?? 'bckg').toLowerCase();
    // Of an event that is no seizure a point in time is enough.
    if (known(onset) === undefined || (known(duration) === undefined && isSeizure(label))) {
      untimed.push(index + 1);
      continue;
    }
    const start = number(onset);
    events.push({
      channel: known(channels) ?? null,
      start,
      stop: start + number(duration),
      label,
      confidence: known(confidence) === undefined ? 1 : Math.min(1, number(confidence)),
    });
  }
  const warnings =
    untimed.length === 0
      ? []
      : [
          `without onset or duration, and left out: ${several(untimed.length, 'event')}, the first in line ${untimed[0]}`,
        ];
  return { duration: seconds, events, warnings };
}

/**
 * The same columns for events that a detector found; a recording without one has a row of background, as SzCORE asks.
 * `started`: the recording's start in milliseconds since 1970 as if UTC, null where it is not known.
 */
export function writeEventsTsv(
  events: readonly { readonly start: number; readonly end: number; readonly confidence: number }[],
  seconds: number,
  started: number | null = null,
): string {
  const dateTime = started === null ? 'n/a' : new Date(started).toISOString().slice(0, 19).replace('T', ' ');
  const row = (start: number, length: number, type: string, confidence: string): string =>
    [start.toFixed(2), length.toFixed(2), type, confidence, 'n/a', dateTime, seconds.toFixed(2)].join('\t');
  const rows = events.map(({ start, end, confidence }) =>
    row(start, end - start, 'sz', confidence.toFixed(4)),
  );
  return `${[
    'onset\tduration\teventType\tconfidence\tchannels\tdateTime\trecordingDuration',
    ...(rows.length > 0 ? rows : [row(0, seconds, 'bckg', 'n/a')]),
  ].join('\n')}\n`;
}
