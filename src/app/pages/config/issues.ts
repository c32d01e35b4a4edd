import type { Tone } from '../../ui/tone';
import type { Change } from '../../../config/change';
import type { Severity } from '../../../config/issues';
import type { ShownIssue } from './inspection';

/** What each severity means. */
export const ABOUT_SEVERITY = {
  invalid: { name: 'Invalid', means: 'rejected by the trainer', tone: 'fatal' },
  critical: { name: 'Critical', means: 'the run would be wasted', tone: 'fatal' },
  high: { name: 'High', means: 'a crash, or a large cost', tone: 'serious' },
  medium: { name: 'Medium', means: 'a setting is ignored or misleading', tone: 'caution' },
  low: { name: 'Low', means: 'style', tone: 'muted' },
} as const satisfies Record<Severity, { name: string; means: string; tone: Tone }>;

/** What they would write is a guess at what was meant, or a choice of how to train. */
const JUDGED = ['validation-error', 'learning-rate', 'batch-lr'];

/** Whether its first fix needs nobody to decide. */
const isSafe = ({ id, fixable, fixes }: ShownIssue): boolean =>
  fixable && !JUDGED.includes(id) && !(fixes[0] ?? []).some(({ renames }) => renames !== undefined);

/** Of each issue that needs nobody to decide its first fix: one change a key, that of the severest issue. */
export function safeFixes(issues: readonly ShownIssue[]): Change[] {
  const changes = new Map<string, Change>();
  for (const { fixes } of issues.filter(isSafe))
    for (const change of fixes[0] ?? []) if (!changes.has(change.path)) changes.set(change.path, change);
  return [...changes.values()];
}
