/** The scores of the same events by every scorer, one a row: their numbers must not be compared with each other. */
import { smallestRate } from './evaluate';
import type { EventScores } from './score_events';

export interface ScorerRow {
  /** '' where it is of the scorer above. */
  readonly name: string;
  readonly note: string;
  /** Shares from 0 to 1; NaN where the scorer does not define one. */
  readonly sensitivity: number;
  readonly precision: number;
  readonly f1: number;
  /** For 24 hours. */
  readonly falseAlarms: number;
}

/** What recordings of less than a day cannot show, as a sentence; undefined for longer ones. */
export const tooShort = (
  { hours }: Pick<EventScores, 'hours'>,
  shown: (value: number) => string,
): string | undefined =>
  hours > 0 && hours < 24
    ? `One false alarm in ${shown(hours)} h is a rate of ${shown(smallestRate(hours))} in 24 h: these recordings are too short to show a lower one, other than 0.`
    : undefined;

/** In the order in which they are shown, notes with numbers as `shown` writes them. `pooled`: SzCORE's scores of all subjects together are rows too. */
export function scorerRows(
  { trainer, szcore, nedc }: EventScores,
  shown: (value: number) => string,
  pooled = false,
): ScorerRow[] {
  const szcoreRow = (
    name: string,
    note: string,
    { falsePositivesPer24Hours, ...scores }: EventScores['szcore']['events']['bySubject'],
  ): ScorerRow => ({ ...scores, name, note, falseAlarms: falsePositivesPer24Hours });
  return [
    {
      name: 'Trainer, any overlap',
      note: `TAES ${shown(trainer.taes)}`,
      sensitivity: trainer.sensitivity,
      precision: NaN,
      f1: NaN,
      falseAlarms: trainer.falseAlarmsPer24Hours,
    },
    ...(['events', 'samples'] as const).flatMap((kind) => {
      const { bySubject, subjects, ...all } = szcore[kind];
      const note = `mean of ${subjects} ${subjects === 1 ? 'subject' : 'subjects'}`;
      const mean = szcoreRow(`SzCORE ${kind}`, note, bySubject);
      return pooled ? [mean, szcoreRow('', 'pooled', all)] : [mean];
    }),
    ...(['ovlp', 'taes', 'epoch'] as const).map((method): ScorerRow => {
      const { falseAlarmsPer24Hours, ...scores } = nedc[method];
      return {
        ...scores,
        name: `NEDC ${method.toUpperCase()}`,
        note: method === 'epoch' ? 'false alarms in seconds' : '',
        falseAlarms: falseAlarmsPer24Hours,
      };
    }),
  ];
}
