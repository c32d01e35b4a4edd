/** Changes of a file as lines that leave it and lines that come into it. */
import type { Change } from '../../../config/change';
import type { Inspection } from './inspection';

export interface DiffLine {
  /** As it is written; undefined where the file does not say it. */
  readonly was: string | undefined;
  /** Undefined where the key is removed. */
  readonly becomes: string | undefined;
  readonly reason: string;
}

/** Of each change its line, with whole paths. `earlier`: changes that are made before. */
export const diffOf = (
  inspection: Inspection | undefined,
  changes: readonly Change[],
  earlier: readonly Change[] = [],
): DiffLine[] =>
  changes.map(({ path, value, renames = path, reason }) => {
    const made = earlier.findLast((one) => one.path === renames);
    const { written } = made
      ? { written: made.value }
      : (inspection?.seen.find((one) => one.path === renames) ?? { written: undefined });
    const there = written !== undefined || value === undefined;
    return {
      was: there ? [renames, written].filter((part) => part !== undefined).join(': ') : undefined,
      becomes: value === undefined ? undefined : `${path}: ${value}`,
      reason,
    };
  });
