/** An incident as a review: the configuration whose run failed, what was made of it, and what is known of both now. */
import { exactly } from '../../base/quantity';
import type { Claim, Incident } from '../../config/incidents';
import { presetOf } from '../../config/presets';
import { TARGETS } from '../../config/targets';
import type { Compared } from '../matrix';
import { quotedCost } from './cost';
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
    costs: costs.map(quotedCost),
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
      memory: [{ ...exactly(claimedGB, 'assumed', incident.source), unit: 'GB' }],
    }),
  };
}
