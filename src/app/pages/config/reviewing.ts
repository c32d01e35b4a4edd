/** What the review is made of besides the files: what is known of the crash, what it costs, what a run here showed. */
import type { Incident } from '../../../config/incidents';
import type { CostFigures, SmokeEvidence } from '../../../handoff/evidence';
import { MODAL } from '../../../config/facts';
import { verdictFor } from '../../../estimate/forecast';
import type { Compared } from '../../../handoff/matrix';
import type { ReviewInput } from '../../../handoff/review';
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
  const costs = request.after.flatMap(costFigures);
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

/** Hours and dollars of a run by its verdict; none where the price of an hour is not known. */
export function costFigures({ name, text, target }: Compared): CostFigures[] {
  const verdict = verdictFor(text, name, target);
  if (!verdict) return [];
  const { epochs, epoch: hoursPerEpoch, start, rate } = verdict;
  const startHours = start.likely;
  const title = `${name} on ${target.title}`;
  if (target.name === 'modal')
    return rate
      ? [{ title, epochs, hoursPerEpoch, startHours, dollarsPerHour: rate, limitHours: MODAL.jobHours }]
      : [];
  const owned = { likely: 0, basis: 'assumed', source: 'owned hardware, electricity not counted' } as const;
  return [{ title, epochs, hoursPerEpoch, startHours, dollarsPerHour: owned }];
}
