/** What cards and table say of a run. */
import { COLLAPSE } from '../../../base/production';
import type { ShownRun } from './shown_run';

/** Outcomes whose name says too little; a failure is a sentence. */
const OUTCOMES: Partial<Record<string, string>> = {
  'early-stopping': 'stopped early',
  collapse: `stopped: AUROC < ${COLLAPSE.auroc}`,
};

/** The scores of the best epoch, or else of the last. */
export const bestOf = ({ summary }: Pick<ShownRun, 'summary'>) =>
  summary?.validations.findLast((validated) => validated.best)?.scores ?? summary?.validations.at(-1)?.scores;

/** The step of its last checkpoint. */
export const stepOf = ({ run }: Pick<ShownRun, 'run'>): number | undefined => run.last[0]?.step;

/** How far the run has come, in a few words. */
export function statusOf(one: ShownRun): string {
  const { summary, training } = one;
  if (!summary) return 'weights from a file';
  if (training) return { here: 'training', elsewhere: 'training in another tab' }[training];
  if (summary.outcome) return OUTCOMES[summary.outcome] ?? summary.outcome;
  return stepOf(one) === undefined ? 'interrupted before the first checkpoint' : 'interrupted';
}

/** Tags as a person writes them, with commas between them; of each one. */
export const tagsIn = (text: string): string[] => [
  ...new Set(text.split(',').flatMap((tag) => tag.trim() || [])),
];
