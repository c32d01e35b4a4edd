import type { RecordedScores } from './recorded';

type Found = Pick<RecordedScores, 'auroc' | 'found' | 'labelled' | 'falseAlarms'>;

/** AUROC 0.99 · 3 of 3 seizures found · no false alarm. */
export function foundText({ auroc, found, labelled, falseAlarms }: Found): string {
  const alarms =
    falseAlarms === 0 ? 'no false alarm' : `${falseAlarms} false alarm${falseAlarms === 1 ? '' : 's'}`;
  return `AUROC ${auroc.toFixed(2)} · ${found} of ${labelled} seizure${labelled === 1 ? '' : 's'} found · ${alarms}`;
}
