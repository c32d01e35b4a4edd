/** What the worker answers the page about a file. */
import type { Inspection as Whole, Issue, Silenced } from '../../../config/issues';
import { inspectRuns } from '../../../estimate/forecast';
import type { Entry } from '../../../config/pyyaml';
import { titleOf } from '../../../config/rule_list';
import type { Target } from '../../../config/targets';
import type { Verdict } from '../../../config/verdict';
import { parsedValues, type ParsedValue } from './parsed';

export type KeyPlace = Pick<Entry, 'path' | 'key' | 'value'>;

/** An issue with the title of its rule. */
export interface TitledIssue extends Issue {
  readonly title: string;
}

export interface Inspection {
  /** Whether PyYAML reads the text; where not, the issues say why, and nothing else is known. */
  readonly readable: boolean;
  /** Whether the trainer accepts the file. */
  readonly accepted: boolean;
  /** Keys of the file and where they stand. */
  readonly entries: readonly KeyPlace[];
  /** What the trainer makes of each key, those with defaults too. */
  readonly seen: readonly ParsedValue[];
  readonly issues: readonly TitledIssue[];
  /** Those that comments of the file silence. */
  readonly silenced: readonly Silenced[];
  /** Whether its run fits; undefined where the trainer rejects the file, and for this browser. */
  readonly verdict: Verdict | undefined;
}

export interface Question {
  readonly text: string;
  /** The file's path. */
  readonly name: string;
  readonly target: Target;
  /** The text of the file that this one was made from. */
  readonly base?: string;
}

/** More keys than this no configuration has; they would only hold the page up. */
const MAX_SHOWN = 2000;

/** Inspects files that belong together. In the order of the questions. */
export const inspect = (questions: readonly Question[]): Inspection[] =>
  inspectRuns(questions.map(({ text, ...subject }) => ({ text, subject }))).map(shownOf);

function shownOf({ file, accepted, issues, silenced, verdict }: Whole): Inspection {
  const { errors, entries, settings } = file;
  return {
    readable: errors.length === 0,
    accepted,
    entries: entries.slice(0, MAX_SHOWN).map(({ path, key, value: place }) => ({ path, key, value: place })),
    seen: parsedValues(settings).slice(0, MAX_SHOWN),
    issues: issues.slice(0, MAX_SHOWN).map((issue) => ({ ...issue, title: titleOf(issue.id) })),
    silenced,
    verdict,
  };
}
