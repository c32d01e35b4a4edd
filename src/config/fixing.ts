/** Changes and fixes as edits of a text, as far as they can be made: the page's buttons and the command's --fix. */
import type { Change } from './change';
import { applyFixes, EditError, editsFor, type Edit } from './edit';
import type { Issue } from './rules';

export interface Edits {
  readonly edits: readonly Edit[];
  /** Paths of the values that are changed. */
  readonly keys: readonly string[];
  /** Sentences about the changes that cannot be made. */
  readonly problems: readonly string[];
}

/** What they would write is a guess at what was meant, or a choice of how to train. */
const JUDGED = ['validation-error', 'learning-rate', 'batch-lr'];

/** Whether its first fix needs nobody to decide. */
const isSafe = ({ id, fixable, fix = [] }: Issue): boolean =>
  fixable && !JUDGED.includes(id) && !fix.some(({ renames }) => renames !== undefined);

/** Of each issue that needs nobody to decide its first fix: one change a key, that of the severest issue. */
export function safeFixes(issues: readonly Issue[]): Change[] {
  const changes = new Map<string, Change>();
  for (const { fix = [] } of issues.filter(isSafe))
    for (const change of fix) if (!changes.has(change.path)) changes.set(change.path, change);
  return [...changes.values()];
}

/** Edits for the changes that can be made. */
export function edits(text: string, changes: readonly Change[]): Edits {
  const problems = new Set<string>();
  const possible = possibleOf(text, changes, problems);
  return editsOf(text, possible, problems);
}

/**
 * Edits that leave no fix which needs nobody to decide: a fix of one value may show that another is needed. `issuesOf` inspects
 * what came of it.
 */
export function fixed(text: string, issuesOf: (text: string) => readonly Issue[]): Edits {
  const problems = new Set<string>();
  const { changes } = applyFixes(text, (made) => possibleOf(made, safeFixes(issuesOf(made)), problems));
  return editsOf(text, changes, problems);
}

const editsOf = (text: string, changes: readonly Change[], problems: ReadonlySet<string>): Edits => ({
  edits: editsFor(text, changes),
  keys: [...new Set(changes.map(({ path }) => path))],
  problems: [...problems],
});

/** Why the changes cannot be made one after the other; undefined where they can. */
function problemOf(text: string, changes: readonly Change[]): string | undefined {
  try {
    editsFor(text, changes);
    return undefined;
  } catch (error) {
    if (error instanceof EditError) return error.message;
    throw error;
  }
}

/** The changes that can be made one after the other; says of the others why not. */
function possibleOf(text: string, changes: readonly Change[], problems: Set<string>): readonly Change[] {
  if (problemOf(text, changes) === undefined) return changes;
  const made: Change[] = [];
  for (const change of changes) {
    const problem = problemOf(text, [...made, change]);
    if (problem === undefined) made.push(change);
    else problems.add(problem);
  }
  return made;
}
