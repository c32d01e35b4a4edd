import type { Tone } from '../../ui/tone';
import type { Severity } from '../../../config/issues';

/** What each severity means. */
export const ABOUT_SEVERITY = {
  invalid: { name: 'Invalid', means: 'rejected by the trainer', tone: 'fatal' },
  critical: { name: 'Critical', means: 'the run would be wasted', tone: 'fatal' },
  high: { name: 'High', means: 'a crash, or a large cost', tone: 'serious' },
  medium: { name: 'Medium', means: 'a setting is ignored or misleading', tone: 'caution' },
  low: { name: 'Low', means: 'style', tone: 'muted' },
} as const satisfies Record<Severity, { name: string; means: string; tone: Tone }>;
