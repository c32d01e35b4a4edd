/** What the worker answers the page about a file. */
import type { Inspection as Whole, Issue, Silenced } from '../../../config/issues';
import { inspectRuns } from '../../../estimate/forecast';
import type { Entry } from '../../../config/pyyaml';
import type { Target } from '../../../config/targets';
import { parsedValues, type ParsedValue } from './parsed';

export type KeyPlace = Pick<Entry, 'path' | 'key' | 'value'>;

export interface Inspection {
  /** Whether PyYAML reads the text; where not, the issues say why, and nothing else is known. */
  readonly readable: boolean;
  /** Whether the trainer accepts the file. */
  readonly accepted: boolean;
  /** Keys of the file and where they stand. */
  readonly entries: readonly KeyPlace[];
  /** What the trainer makes of each key, those with defaults too. */
  readonly seen: readonly ParsedValue[];
  readonly issues: readonly Issue[];
  /** Those that comments of the file silence. */
  readonly silenced: readonly Silenced[];
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

function shownOf({ file, accepted, issues, silenced }: Whole): Inspection {
  const { errors, entries, settings } = file;
  return {
    readable: errors.length === 0,
    accepted,
    entries: entries.slice(0, MAX_SHOWN).map(({ path, key, value: place }) => ({ path, key, value: place })),
    seen: parsedValues(settings).slice(0, MAX_SHOWN),
    issues: issues.slice(0, MAX_SHOWN),
    silenced,
  };
}
