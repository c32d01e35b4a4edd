/** What the review is made of besides the files: what is known of the crash, what it costs, what a run here showed. */
import type { Incident } from '../../../config/incidents';
import type { SmokeEvidence } from '../../../handoff/evidence';
import type { Compared } from '../../../handoff/matrix';
import type { ReviewInput } from '../../../handoff/review';
import { predictedCost } from '../../../handoff/review/cost';
import { reviewOf } from '../../../handoff/review/from_incident';

export interface ReviewRequest {
  /** Of the document, as “2026-11-25”. */
  readonly date: string;
  readonly preparedBy: string;
  readonly before: Compared;
  readonly after: readonly Compared[];
  /** Where the file before is one whose run failed: what is known of that. */
  readonly incident: Incident | undefined;
  readonly smoke: readonly SmokeEvidence[];
}

export function reviewInput({ preparedBy, incident, ...request }: ReviewRequest): ReviewInput {
  const costs = request.after.flatMap((one) => predictedCost(one) ?? []);
  const preparer = preparedBy.trim() !== '' && { preparedBy: preparedBy.trim() };
  if (!incident) return { ...request, costs, ...preparer };
  const { after, others: _, goal, ...known } = reviewOf(incident, request.date);
  // The incident's goal is of the targets that its own files are for.
  const asThere = targetsOf(request.after) === targetsOf(after);
  return {
    ...known,
    ...(asThere && goal !== undefined && { goal }),
    ...request,
    costs: [...(known.costs ?? []), ...costs],
    ...preparer,
  };
}

const targetsOf = (configs: readonly Compared[]): string =>
  configs
    .map(({ target }) => target.name)
    .sort()
    .join();
