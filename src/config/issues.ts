/** All issues of a file: its validation errors, then what the rules find. The page and the terminal show this. */
import type { Change } from './change';
import { fixOf } from './fixes';
import { folded } from './letters';
import { silence, type Known, type Silenced } from './ignores';
import { check, checkAll, COLLISION, RULES, type Checked, type Issue } from './rules';
import { SOURCE } from './rules/rule';
import { shape } from './scalar';
import { SECTIONS } from './keys';
import { isPyMapping } from './plain';
import { readConfig, type ConfigFile } from './settings';
import { isSmokeRun, type Target } from './targets';
import type { Fit, Verdict } from './verdict';

export type { Silenced } from './ignores';
export type { Issue, Severity } from './rules';
export { SEVERITIES } from './rules/rule';

export interface Inspection {
  readonly file: ConfigFile;
  /** Whether the trainer accepts the file. */
  readonly accepted: boolean;
  /** The worst first, those of equal severity in the file's order. */
  readonly issues: readonly Issue[];
  /** Those that comments of the file silence. */
  readonly silenced: readonly Silenced[];
  /** Whether its run fits, as the subject said. */
  readonly verdict: Verdict | undefined;
}

export interface Subject {
  /** The file's path: the launcher reads meaning into it. */
  readonly name: string;
  readonly target: Target;
  /** Whether the run fits, where the estimator was asked; without it nothing is said of memory and time. */
  readonly verdict?: Verdict | undefined;
  /** The text of the file that this one was made from. */
  readonly base?: string;
}

/** Reads, validates and checks a file. Never throws. */
export function inspect(text: string, subject: Subject): Inspection {
  const checked = checkedOf(text, subject);
  return inspection(checked, checked.file.errors.length > 0 ? [] : check(checked));
}

/** The same for files that belong together: two of them may write to one folder. In the order of the files. */
export function inspectAll(
  files: readonly { readonly text: string; readonly subject: Subject }[],
): Inspection[] {
  const checked = files.map(({ text, subject }) => checkedOf(text, subject));
  const readable = checked.filter(({ file }) => file.errors.length === 0);
  const found = checkAll(readable);
  return checked.map((one) => inspection(one, found[readable.indexOf(one)] ?? []));
}

function checkedOf(text: string, { base, ...subject }: Subject): Checked {
  return {
    ...subject,
    smoke: isSmokeRun(subject.name),
    file: readConfig(text),
    ...(base !== undefined && { base: readConfig(base).settings }),
  };
}

/** Whether a file has keys, and none of the trainer's sections: it is the configuration of something else. */
export function isForeign({ value }: Pick<ConfigFile, 'value'>): boolean {
  const names = isPyMapping(value) ? Object.keys(value) : [];
  return names.length > 0 && !names.some((name) => Object.hasOwn(SECTIONS, folded(name)));
}

/** The id of the one issue of a file that is of something else. */
export const NOT_OURS = 'not-a-configuration';

const foreign = ({ settings }: ConfigFile): Issue => ({
  ...REJECTED,
  id: NOT_OURS,
  path: '',
  message: `this is no configuration of the trainer: it has none of its sections (${Object.keys(SECTIONS)
    .filter((path) => path !== '' && !path.includes('.'))
    .join(', ')}). It is shown for reading, and no fix is offered`,
  place: settings.placeOf(''),
  evidence: PYDANTIC,
});

/** What a file holds may be long, and a message quotes it. */
const MAX_MESSAGE = 2000;
const cut = (message: string): string =>
  message.length > MAX_MESSAGE ? `${message.slice(0, MAX_MESSAGE - 1)}…` : message;

function inspection(checked: Checked, found: readonly Issue[]): Inspection {
  const { file, verdict } = checked;
  if (isForeign(file)) return { file, accepted: false, issues: [foreign(file)], silenced: [], verdict };
  const errors = validationErrors(file);
  errors.sort((a, b) => a.place.from - b.place.from);
  const all = [...errors, ...found].map((issue) => ({ ...issue, message: cut(issue.message) }));
  // Of a file that cannot be read nothing is known but that.
  const left =
    file.errors.length > 0 ? { issues: all, silenced: [] } : silence(file.text, all, known(checked));
  return { file, accepted: errors.length === 0, ...left, verdict };
}

export const YAML = 'PyYAML’s safe_load, with which the trainer reads its files, rejects it.';
export const PYDANTIC = `${SOURCE}: its pydantic models reject it, and neither validate nor train continues.`;
const NO_NAME = `${SOURCE}: the file’s mapping becomes keyword arguments, and Python raises a TypeError.`;

function validationErrors({ errors, settings }: ConfigFile): Issue[] {
  const yaml = errors.map(({ message, place }): Issue => ({
    ...REJECTED,
    id: 'yaml',
    path: '',
    message,
    place,
    evidence: YAML,
  }));
  const invalid = settings.rejected.map((setting): Issue => {
    const { path, problem = '', kind, written, read, elsewhere } = setting;
    const fix = fixOf(setting, settings);
    const message = elsewhere
      ? `${problem}; PyYAML reads ${shape(read ?? null)}, other readers ${shape(elsewhere.value)}`
      : kind === 'section' && read === undefined
        ? `${problem}: ${insteadOf(fix?.[0])}`
        : problem;
    const about =
      kind === 'unknown' && written
        ? { place: written.key, evidence: NO_NAME }
        : { place: settings.placeOf(path), evidence: PYDANTIC };
    return { ...REJECTED, id: 'validation-error', path, message, ...about, ...(fix && { fix }) };
  });
  return [...yaml, ...invalid];
}

/** What to do where a section is missing. */
const insteadOf = (fix: Change | undefined): string =>
  fix?.renames === undefined
    ? `add “${fix?.path ?? ''}: ${fix?.value ?? ''}”`
    : `rename ${fix.renames}, which is likely meant`;

/** Every rule that a comment can name, and whether it would have found what it finds. */
const known = ({ target, verdict, base }: Checked): Known[] => [
  ...RULES.map(({ id, targets, needs }) => ({
    id,
    judged:
      (targets === undefined || targets.includes(target.name)) &&
      (needs === undefined || (needs === 'verdict' ? verdict : base) !== undefined),
  })),
  ...[COLLISION.id, 'validation-error'].map((id) => ({ id, judged: false })),
];

const REJECTED = { severity: 'invalid', fixable: true } as const;

/** Ways to fix it, the best first; empty where a person has to decide. */
export const waysToFix = ({ fix, instead = [] }: Pick<Issue, 'fix' | 'instead'>): (readonly Change[])[] =>
  fix ? [fix, ...instead] : [...instead];

/** What it says, with the key that it is about. */
export const sentence = ({ path, message }: Pick<Issue, 'path' | 'message'>): string =>
  path === '' ? message : `${path}: ${message}`;

/** The sentences of a message that has more than two, each for a line of its own; else the message. */
export function linesOf({ message }: Pick<Issue, 'message'>): readonly string[] {
  const sentences = message.split(/(?<=\.) (?=[A-Z])/);
  return sentences.length > 2 ? sentences : [message];
}

/** Whether an issue means that the file is rejected, or that its run is wasted, crashes or costs much. */
export const isSevere = ({ severity }: Pick<Issue, 'severity'>): boolean =>
  severity === 'invalid' || severity === 'critical' || severity === 'high';

/**
 * Whether a run can be launched, by the issues of its file: not; only after a person confirmed what no edit fixes; yes. The
 * exit codes of the commands and the page follow it. A run that won't fit has an issue that says so, unless a comment of the
 * file silences it.
 */
export const launchFit = (issues: readonly Issue[]): Fit =>
  issues.some(failing) ? "won't fit" : issues.some(isSevere) ? 'borderline' : 'fits';

/** Whether a file with this issue should not be launched: the trainer rejects it, or an edit fixes a severe issue. */
export const failing = ({ severity, fixable }: Pick<Issue, 'severity' | 'fixable'>): boolean =>
  severity === 'invalid' || (fixable && isSevere({ severity }));
