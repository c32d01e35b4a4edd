/** All that is to say about a file: what production refuses, and what it would regret. The page and the terminal show this. */
import { fixOf } from './fixes';
import { check, checkAll, type Checked, type Finding, type Severity } from './rules';
import { SOURCE } from './rules/rule';
import { readConfig, type ConfigFile } from './settings';
import { isSmokeRun, type Target } from './targets';
import type { Verdict } from './verdict';

/** R: production refuses the file. C, H, M, L as the rules weigh. */
export type Weight = Severity | 'R';

/** `place` is of the exact characters. */
export type Remark = Omit<Finding, 'severity'> & { readonly severity: Weight };

export interface Inspection {
  readonly file: ConfigFile;
  /** Whether production takes the file. */
  readonly accepted: boolean;
  /** The worst first, those of equal weight in the file's order. */
  readonly findings: readonly Remark[];
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

function inspection({ file }: Checked, found: readonly Finding[]): Inspection {
  const refused = refusals(file);
  // What a rule says about a refused value says more, and how to mend it.
  const told = refused.map(
    (refusal) => found.find(({ path, severity }) => path === refusal.path && severity === 'H') ?? refusal,
  );
  const rest = found.filter((finding) => !told.includes(finding));
  const worst: Remark[] = told.map((finding) => ({ ...finding, severity: 'R' }));
  worst.sort((a, b) => a.place.from - b.place.from);
  return { file, accepted: refused.length === 0, findings: [...worst, ...rest] };
}

const YAML = 'PyYAML’s safe_load, with which the trainer reads its files, refuses it.';
const PYDANTIC = `${SOURCE}: its pydantic models refuse it, and neither validate nor train goes on.`;
const NO_NAME = `${SOURCE}: the file’s mapping becomes keyword arguments, and Python raises a TypeError.`;

function refusals({ errors, settings }: ConfigFile): Remark[] {
  const yaml = errors.map(({ message, place }): Remark => ({
    ...REFUSED,
    id: 'yaml',
    path: '',
    message,
    place,
    evidence: YAML,
  }));
  const invalid = settings.rejected.map((setting): Remark => {
    const { path, problem: message = '', kind, written } = setting;
    const fix = fixOf(setting, settings);
    const about =
      kind === 'unknown' && written
        ? { place: written.key, evidence: NO_NAME }
        : { place: settings.placeOf(path), evidence: PYDANTIC };
    return { ...REFUSED, id: 'invalid', path, message, ...about, ...(fix && { fix }) };
  });
  return [...yaml, ...invalid];
}

const REFUSED = { severity: 'R', mendable: true } as const;

/** What it says, with the key that it is about. */
export const sentence = ({ path, message }: Pick<Remark, 'path' | 'message'>): string =>
  path === '' ? message : `${path}: ${message}`;

/** Whether a file with this finding should not be launched: it is refused, or an edit mends a C or an H. */
export const failing = ({ severity, mendable }: Pick<Remark, 'severity' | 'mendable'>): boolean =>
  severity === 'R' || (mendable && (severity === 'C' || severity === 'H'));
