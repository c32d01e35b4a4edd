/** Changes and fixes as edits of a text, as far as they can be made. */
import type { Change } from '../../../config/change';
import { applyFixes, editsFor, type Edit } from '../../../config/edit';
import { answer } from '../../ui/answer';
import { inspect, type Question } from './inspection';
import { safeFixes } from './issues';

export interface Edits {
  readonly edits: readonly Edit[];
  /** Paths of the values that are changed. */
  readonly keys: readonly string[];
  /** Sentences about the changes that cannot be made. */
  readonly problems: readonly string[];
}

/** Edits for the changes that can be made. */
export function edits(text: string, changes: readonly Change[]): Edits {
  const problems = new Set<string>();
  const possible = possibleOf(text, changes, problems);
  return editsOf(text, possible, problems);
}

/**
 * Edits that leave no fix which needs nobody to decide: a fix of one value may show that another is needed. `questions` are
 * those of the files that belong together, `at` the one of the file.
 */
export function fixed(questions: readonly Question[], at: number): Edits {
  const text = questions[at]?.text ?? '';
  const problems = new Set<string>();
  const { changes } = applyFixes(text, (made) => {
    const asked = questions.map((one, i) => (i === at ? { ...one, text: made } : one));
    return possibleOf(made, safeFixes(inspect(asked)[at]?.issues ?? []), problems);
  });
  return editsOf(text, changes, problems);
}

const editsOf = (text: string, changes: readonly Change[], problems: ReadonlySet<string>): Edits => ({
  edits: editsFor(text, changes),
  keys: [...new Set(changes.map(({ path }) => path))],
  problems: [...problems],
});

/** The changes that can be made one after the other; says of the others why not. */
function possibleOf(text: string, changes: readonly Change[], problems: Set<string>): readonly Change[] {
  if ('value' in answer(() => editsFor(text, changes))) return changes;
  const made: Change[] = [];
  for (const change of changes) {
    const one = answer(() => editsFor(text, [...made, change]));
    if ('value' in one) made.push(change);
    else problems.add(one.problem);
  }
  return made;
}
