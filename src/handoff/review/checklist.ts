/** The checklist of a review: what is verified and how, what is not and how it can be. */
import type { Check } from '../../config/incidents';
import { inspect } from '../../config/findings';
import { costOf, dollars } from './cost';
import type { ReviewInput } from './input';
import { idsOf, isGrave, type FileRisks } from './risks';
import { smokeFindings } from './smoke';

export function checklistOf(
  { after, smoke = [], costs = [], checks = [] }: ReviewInput,
  files: readonly FileRisks[],
): Check[] {
  const modal = after.some(({ target }) => target.name === 'modal');
  const perFile = after.flatMap((one, i): Check[] => {
    const { accepted } = inspect(one.text, { name: one.name, target: one.target });
    const left = (files[i]?.left ?? []).filter(isGrave);
    const run = smoke.find(({ config }) => config === one.name);
    const tried = run && smokeFindings(run);
    return [
      {
        text: `${one.name}: production’s schema takes the file`,
        verified: accepted,
        by: accepted ? 'checked with the same rules as its validate command' : 'it does not',
      },
      {
        text: `${one.name}: no critical or high finding is left to mend`,
        verified: left.length === 0,
        by: left.length === 0 ? `checked for ${one.target.title}` : idsOf(left),
      },
      {
        text: `${one.name}: memory is measured`,
        verified: one.memory?.some(({ basis }) => basis === 'measured') ?? false,
        by:
          one.memory && one.memory.length > 0
            ? 'the figures in the matrix say how each is known'
            : 'no figure',
      },
      {
        text: `${one.name}: a smoke run trained`,
        verified: tried?.sound ?? false,
        by: tried?.text ?? 'none was made',
      },
    ];
  });
  const launch = new Set(files.flatMap(({ launch }) => launch.map(({ id }) => id)));
  const paid = costs
    .map((figures) => ({ title: figures.title, amount: costOf(figures).withRepeats }))
    .filter(({ amount }) => amount > 0)
    .map(({ title, amount }) => `${dollars(amount)} (${title})`);
  return [
    ...perFile,
    ...(launch.has('empty-manifest')
      ? [{ text: 'The manifest holds seizures', verified: false, by: 'read the counts of scan-cache' }]
      : []),
    ...(modal
      ? ['aws-s3-secret', 'wandb-secret'].map((secret) => ({
          text: `Modal has the secret ${secret}`,
          verified: false,
          by: 'modal secret list',
        }))
      : []),
    ...(modal
      ? [
          {
            text: 'BGB_LIMIT_FILES is set for smoke runs alone, and --resume exists',
            verified: true,
            by: 'read in the launcher’s and the trainer’s source at 2025-09-21',
          },
        ]
      : []),
    ...(paid.length > 0
      ? [
          {
            text: `Cost approved: ${paid.join(', ')}`,
            verified: false,
            by: 'whoever pays',
          },
        ]
      : []),
    ...checks,
  ];
}
