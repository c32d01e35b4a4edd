/** Scores of all scorers as a table of a terminal. */
import type { EventScores } from '../eeg/scores/score_events';

const HEAD = ['Scorer', 'sensitivity', 'precision', 'F1', 'FA/24 h', 'note'];

/** A row for each scorer; what it does not define is a dash. */
export function asTable({ recordings, hours, events, trainer, szcore, nedc }: EventScores): string {
  const number = (value: number, digits = 4): string => (Number.isNaN(value) ? '–' : value.toFixed(digits));
  const row = (
    name: string,
    {
      sensitivity,
      precision,
      f1,
      rate,
    }: { sensitivity: number; precision: number; f1: number; rate: number },
    note: string,
  ): string[] => [name, number(sensitivity), number(precision), number(f1), number(rate, 2), note];
  const rows = [
    HEAD,
    row(
      'trainer, any overlap',
      { ...trainer, precision: NaN, f1: NaN, rate: trainer.falseAlarmsPer24Hours },
      `TAES ${number(trainer.taes)}`,
    ),
    ...(['events', 'samples'] as const).flatMap((kind) => {
      const { bySubject, subjects, ...pooled } = szcore[kind];
      return [
        row(
          `SzCORE ${kind}`,
          { ...bySubject, rate: bySubject.falsePositivesPer24Hours },
          `mean of ${subjects} subjects`,
        ),
        row('', { ...pooled, rate: pooled.falsePositivesPer24Hours }, 'pooled'),
      ];
    }),
    ...(
      [
        ['OVLP', nedc.ovlp],
        ['TAES', nedc.taes],
        ['EPOCH', nedc.epoch],
      ] as const
    ).map(([name, scores]) =>
      row(
        `NEDC ${name}`,
        { ...scores, rate: scores.falseAlarmsPer24Hours },
        name === 'EPOCH' ? 'false alarms in seconds' : '',
      ),
    ),
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
    `${recordings} recordings, ${number(hours, 2)} h, ${events.reference} reference seizures, ${events.predicted} detected`,
    ...rows.map(line),
  ].join('\n');
}
