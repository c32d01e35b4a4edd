/** Changes and fixes as edits of a text, as far as they can be made: the page's buttons and the command's --fix. */
import { several } from '../base/text';
import type { Change } from './change';
import { applyFixes, EditError, editsFor, type Edit } from './edit';
import { SECTIONS } from './keys';
import type { Issue } from './rules';

export interface Edits {
  readonly edits: readonly Edit[];
  /** What is changed, round by round: what a round changes makes the next one necessary. */
  readonly rounds: readonly (readonly Change[])[];
  /** Sentences about the changes that cannot be made. */
  readonly problems: readonly string[];
}

/** What they would write is a guess at what was meant, a choice of how to train, or of how many processes fit a machine. */
const JUDGED = ['validation-error', 'learning-rate', 'batch-lr', 'slow-loading'];

/** A section that is no mapping says nothing, so its defaults lose nothing. */
const isEmptySection = ({ id, path }: Pick<Issue, 'id' | 'path'>): boolean =>
  id === 'validation-error' && Object.hasOwn(SECTIONS, path);

/** Whether it has a fix, and its first one needs nobody to decide: then the page's button and --fix write it. */
export const isSafe = (issue: Issue): boolean =>
  issue.fixable &&
  issue.fix !== undefined &&
  (!JUDGED.includes(issue.id) || isEmptySection(issue)) &&
  !issue.fix.some(({ renames }) => renames !== undefined);

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
  return editsOf(text, [possibleOf(text, changes, problems)], problems);
}

/**
 * Edits that leave no fix which needs nobody to decide: a fix of one value may show that another is needed. `issuesOf` inspects
 * what came of it.
 */
export function fixed(text: string, issuesOf: (text: string) => readonly Issue[]): Edits {
  const problems = new Set<string>();
  const { rounds } = applyFixes(text, (made) => possibleOf(made, safeFixes(issuesOf(made)), problems));
  return editsOf(text, rounds, problems);
}

const editsOf = (text: string, rounds: Edits['rounds'], problems: ReadonlySet<string>): Edits => ({
  edits: editsFor(text, rounds.flat()),
  rounds,
  problems: [...problems],
});

/** “3 values”, and what they become: “a: 1, b removed; then, because of these, c: 2”. */
export function describeFixed(rounds: Edits['rounds']): { readonly count: string; readonly values: string } {
  const said = rounds.map((changes) =>
    changes
      .map(({ path, value }) => (value === undefined ? `${path} removed` : `${path}: ${value}`))
      .join(', '),
  );
  const paths = new Set(rounds.flat().map(({ path }) => path));
  return {
    count: several(paths.size, 'value'),
    values: said.join('; then, because of these, '),
  };
}

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
