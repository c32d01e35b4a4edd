/** Scores of all scorers as a table of a terminal. */
import { several } from '../base/text';
import type { EventScores } from '../eeg/scores/score_events';
import { scorerRows, tooShort } from '../eeg/scores/scorer_rows';

const HEAD = ['Scorer', 'sensitivity', 'precision', 'F1', 'FA/24 h', 'note'];

/** A row for each scorer; what it does not define is a dash. */
export function asTable(scores: EventScores): string {
  const { recordings, hours, events } = scores;
  const short = tooShort(scores, (value) => String(Number(value.toPrecision(3))));
  const number = (value: number, digits = 4): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));
  const rows = [
    HEAD,
    ...scorerRows(scores, number, true).map(({ name, note, sensitivity, precision, f1, falseAlarms }) => [
      name,
      ...[sensitivity, precision, f1].map((value) => number(value)),
      number(falseAlarms, 2),
      note,
    ]),
  ];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) =>
        i === 0 || i === HEAD.length - 1 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [
    `${several(recordings, 'recording')}, ${number(hours, 2)} h, ${several(events.reference, 'reference seizure')}, ${events.predicted} detected`,
    ...rows.map(line),
    ...(short === undefined ? [] : [short]),
  ].join('\n');
}
