/** The checklist of a review: what is verified and how, what is not and how it can be. */
import { MODAL, READ_AT } from '../../config/facts';
import type { Check } from '../../config/incidents';
import { inspect, isSevere } from '../../config/issues';
import { readConfig } from '../../config/settings';
import { dollars } from './cost';
import type { ReviewInput } from './input';
import { idsOf, type FileRisks } from './risks';
import { smokeVerdict } from './smoke';

/** The lines of the checklist; `files` has the risks of `after`, in the same order. A line is verified only by what was computed or read. */
export function checklistOf(
  { after, smoke = [], costs = [], checks = [] }: ReviewInput,
  files: readonly FileRisks[],
): Check[] {
  const modal = after.some(({ target }) => target.name === 'modal');
  const perFile = after.flatMap((one, i): Check[] => {
    const { accepted } = inspect(one.text, { name: one.name, target: one.target });
    const left = (files[i]?.left ?? []).filter(isSevere);
    const run = smoke.find(({ config }) => config === one.name);
    const tried = run && smokeVerdict(run);
    return [
      {
        text: `${one.name}: the trainer accepts the file`,
        verified: accepted,
        by: accepted ? 'checked by the rules of its validate command' : 'it does not',
      },
      {
        text: `${one.name}: no critical or high issue is left to fix`,
        verified: left.length === 0,
        by: left.length === 0 ? `checked for ${one.target.title}` : idsOf(left),
      },
      {
        text: `${one.name}: memory is measured`,
        verified: one.memory?.some(({ basis }) => basis === 'measured') ?? false,
        by: 'the comparison says how each figure is known',
      },
      {
        text: `${one.name}: a smoke run trained`,
        verified: tried?.sound ?? false,
        by: tried?.text ?? 'there was none',
      },
    ];
  });
  const balanced = after.some(
    ({ text, target }) =>
      target.name !== 'browser' && readConfig(text).settings.value('data.use_balanced_sampling') === true,
  );
  const paid = costs
    .map(({ title, dollars: of }) => ({ title, amount: of?.likely ?? 0 }))
    .filter(({ amount }) => amount > 0 && amount < Infinity)
    .map(({ title, amount }) => `${dollars(amount)} (${title})`);
  return [
    ...perFile,
    ...(balanced
      ? [{ text: 'The manifest holds seizures', verified: false, by: 'check the counts of scan-cache' }]
      : []),
    ...(modal
      ? Object.values(MODAL.secrets).map((secret) => ({
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
            by: `read in the launcher’s and the trainer’s source at ${READ_AT}`,
          },
        ]
      : []),
    ...(paid.length > 0
      ? [
          {
            text: `Cost approved: ${paid.join(', ')}`,
            verified: false,
            by: 'the budget owner',
          },
        ]
      : []),
    ...checks,
  ];
}
