/** What the review is made of besides the files: what is known of the crash, what it costs, what a run here showed. */
import type { CostFigures, SmokeEvidence } from '../../../handoff/evidence';
import { MODAL_HOURS } from '../../../config/launches';
import type { Compared } from '../../../handoff/matrix';
import type { ReviewInput } from '../../../handoff/review';
import { caseOf20250119 } from '../../../handoff/review/case_2025_01_19';

export interface ReviewRequest {
  /** Of the document, as “2026-11-25”. */
  readonly date: string;
  readonly preparedBy: string;
  readonly before: Compared;
  readonly after: readonly Compared[];
  /** Whether the file before is the one whose run was killed, so that what is known of that belongs in the document. */
  readonly crash: boolean;
  readonly costs: readonly CostFigures[];
  readonly smoke: readonly SmokeEvidence[];
}

export function reviewInput({ preparedBy, crash, costs, ...request }: ReviewRequest): ReviewInput {
  const { before: _, after: __, others: ___, goal, ...known } = caseOf20250119(request.date);
  const targets = request.after.map(({ target }) => target.name).sort();
  // The case's goal is said of its two files.
  const asThere = targets.join() === 'modal,wsl2';
  return {
    ...(crash && known),
    ...(crash && asThere && goal !== undefined && { goal }),
    ...request,
    costs: [...((crash && known.costs) || []), ...costs],
    ...(preparedBy.trim() !== '' && { preparedBy: preparedBy.trim() }),
  };
}

/** What a run takes with the figures of its target, where the rate of an hour is known. */
export function costFigures(
  { name, target }: Compared,
  epochs: number,
  rate: { readonly likely: number; readonly source: string } | undefined,
): CostFigures[] {
  const hoursPerEpoch = {
    likely: target.hoursPerEpoch,
    basis: 'assumed',
    source: 'the figure that the findings reckon with',
  } as const;
  const title = `${name} on ${target.title}`;
  if (target.name === 'modal')
    return rate
      ? [
          {
            title,
            epochs,
            hoursPerEpoch,
            dollarsPerHour: { likely: rate.likely, basis: 'derived', source: rate.source },
            limitHours: MODAL_HOURS,
          },
        ]
      : [];
  const owned = { likely: 0, basis: 'assumed', source: 'owned hardware, electricity not counted' } as const;
  return target.name === 'browser' ? [] : [{ title, epochs, hoursPerEpoch, dollarsPerHour: owned }];
}
