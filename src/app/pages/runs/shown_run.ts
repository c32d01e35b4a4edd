import type { Run } from '../../../checkpoints/run';
import type { RunSummary } from '../../../training/run_record';
import type { Difference } from '../../../training/share';

export interface ShownRun {
  readonly run: Run;
  /** null where it was imported. */
  readonly summary: RunSummary | null;
  readonly bytes: number;
  /** Which tab trains it now; null where none does. */
  readonly training: 'here' | 'elsewhere' | null;
  /** To the run before it that has settings. */
  readonly differences: readonly Difference[];
}
