/** An incident as a review: the configuration whose run failed, what was made of it, and what is known of both now. */
import type { Claim, Cost, Incident } from '../../config/incidents';
import { MODAL } from '../../config/facts';
import { presetOf } from '../../config/presets';
import { TARGETS } from '../../config/targets';
import type { CostFigures } from '../evidence';
import type { Compared } from '../matrix';
import type { ReviewInput } from './input';

/** What goes into the review of `incident`; `date` is of the document, as “2026-11-25”. */
export function reviewOf(incident: Incident, date: string): ReviewInput {
  const { before, after, others, costs, ...known } = incident.review;
  const column = ({ config, ...claim }: Claim & { readonly config: string }): Compared =>
    compared(incident, config, claim);
  return {
    ...known,
    date,
    incident,
    before: compared(incident, incident.config, before),
    after: after.map(column),
    others: others.map(column),
    costs: costs.map(costOf),
  };
}

function compared(incident: Incident, config: string, { outcome, claimedGB }: Claim): Compared {
  const { name, text, target, purpose } = presetOf(incident, config);
  return {
    name,
    text,
    target: TARGETS[target],
    purpose,
    outcome,
    ...(claimedGB !== undefined && {
      memory: [{ likely: claimedGB, basis: 'assumed', source: incident.source, unit: 'GB' }],
    }),
  };
}

const costOf = ({ place, ...cost }: Cost): CostFigures => ({
  ...cost,
  ...(place === 'modal' && { limitHours: MODAL.jobHours }),
});
