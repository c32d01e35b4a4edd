/** What a rule is, what it sees and what it says. */
import type { Change } from '../change';
import { READ_AT } from '../facts';
import type { Place } from '../pyyaml';
import { scalarText } from '../scalar';
import type { ConfigFile, Settings } from '../settings';
import type { Target, TargetName } from '../targets';
import type { Verdict } from '../verdict';

/**
 * The worst first: the trainer rejects the file; the run would be wasted; a crash or a large cost; a setting is ignored or
 * misleading; style.
 */
export const SEVERITIES = ['invalid', 'critical', 'high', 'medium', 'low'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Rules are about files that the trainer accepts. */
export type RuleSeverity = Exclude<Severity, 'invalid'>;

/** What rules see besides the settings. */
export interface Context {
  /** The file's path: the launcher reads meaning into it. */
  readonly name: string;
  /** Whether it is a smoke run, which takes few files. */
  readonly smoke: boolean;
  readonly target: Target;
  /** Whether the run fits, where the estimator was asked. */
  readonly verdict?: Verdict | undefined;
  /** Settings of the file that this one was made from. */
  readonly base?: Settings;
}

export interface Checked extends Context {
  readonly file: ConfigFile;
}

export interface Issue {
  readonly id: string;
  readonly severity: Severity;
  /** Says what is so and what to do; continues after the path: “is rejected: …”. */
  readonly message: string;
  /** Of the key that it is about; the section or nothing where there is none. */
  readonly path: string;
  /** Of the characters that it is about. */
  readonly place: Place;
  /** Whether an edit of the file can fix it; if none can, it is a note for the launch. */
  readonly fixable: boolean;
  /** What is known, and where from. */
  readonly evidence: string;
  /** Fixes it. */
  readonly fix?: readonly Change[];
  /** Other ways to fix it. */
  readonly instead?: readonly (readonly Change[])[];
}

export type Found = Pick<Issue, 'path' | 'message' | 'fix' | 'instead'> & {
  /** Where it is not the value of the key. */
  readonly place?: Place;
  /** Where it is less severe than the rule. */
  readonly severity?: RuleSeverity;
};

export interface Rule {
  readonly id: string;
  readonly severity: RuleSeverity;
  readonly evidence: string;
  /** No edit of the file can fix it: a note for the launch. */
  readonly note?: boolean;
  /** Where it applies; everywhere without. */
  readonly targets?: readonly TargetName[];
  /** What it finds nothing without: what the estimator says, or the file that this one was made from. */
  readonly needs?: 'verdict' | 'base';
  /** `settings`: a value that the trainer's validation rejects is undefined. */
  readonly check: (settings: Settings, context: Context) => readonly Found[];
}

export const SOURCE = `Read in the trainer’s source at ${READ_AT}`;
export const LAUNCHER = `Read in the launcher’s source at ${READ_AT}`;

export const NONE: readonly Found[] = [];

/** One issue about a key. */
export const at = (path: string, message: string, more: Partial<Found> = {}): Found[] => [
  { path, message, ...more },
];

/** One issue about a key that another value fixes. */
export const fixAt = (
  path: string,
  value: boolean | number | string,
  message: string,
  reason: string,
): Found[] => at(path, message, { fix: [set(path, value, reason)] });

/** The change of a key to `value`, written as the trainer reads it; `reason`: a clause. */
export const set = (path: string, value: boolean | number | string, reason: string): Change => ({
  path,
  value: scalarText(value),
  reason,
});

/** The change that takes a key out of the file, for which the trainer's default then stands. */
export const remove = (path: string, reason: string): Change => ({ path, value: undefined, reason });
