/** All that is to say about a file: what production refuses, and what it would regret. The page and the terminal show this. */
import { mending } from './mending';
import { readConfig, type ConfigFile } from './pyyaml';
import { check, checkAll, type Checked, type Finding, type Severity } from './rules';
import { placeOf } from './rules/place';
import { SOURCE } from './rules/rule';
import { invalidities } from './schema';
import type { Figures, Target } from './targets';

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
  /** What the run is predicted to take, where somebody computed it. */
  readonly figures?: Figures;
  /** The text of the file that this one was made from. */
  readonly base?: string;
}

/** Reads, validates and checks a file. Never throws. */
export function inspect(text: string, subject: Subject): Inspection {
  const checked = checkedOf(text, subject);
  return inspection(checked, checked.file.value === undefined ? [] : check(checked));
}

/** The same for files that belong together: two of them may write to one folder. In the order of the files. */
export function inspectAll(
  files: readonly { readonly text: string; readonly subject: Subject }[],
): Inspection[] {
  const checked = files.map(({ text, subject }) => checkedOf(text, subject));
  const readable = checked.filter(({ file }) => file.value !== undefined);
  const found = checkAll(readable);
  return checked.map((one) => inspection(one, found[readable.indexOf(one)] ?? []));
}

function checkedOf(text: string, { name, target, figures, base }: Subject): Checked {
  return {
    name,
    target,
    file: readConfig(text),
    ...(figures && { figures }),
    ...(base !== undefined && { base: readConfig(base) }),
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

const PYDANTIC = `${SOURCE}: its pydantic models refuse it, and neither validate nor train goes on.`;

function refusals(file: ConfigFile): Remark[] {
  const yaml = file.refusals.map(({ message, place }): Remark => ({
    id: 'yaml',
    severity: 'R',
    path: '',
    message,
    place,
    mendable: true,
    evidence: 'PyYAML’s safe_load, with which the trainer reads its files, refuses it.',
  }));
  if (file.value === undefined) return yaml;
  const invalid = invalidities(file.value).map(({ path, problem }): Remark => ({
    id: 'invalid',
    severity: 'R',
    path,
    message: problem,
    place: placeOf(file, path),
    mendable: true,
    evidence: PYDANTIC,
    ...mending(path, file),
  }));
  return [...yaml, ...invalid, ...keys(file)];
}

/** The trainer hands the sections on as keyword arguments, which must be texts. */
function keys(file: ConfigFile): Remark[] {
  return file.entries
    .filter(({ path, keyType }) => keyType !== 'str' && !/[.[]/.test(path))
    .map(({ path, key: place, keyType }) => ({
      id: 'invalid',
      severity: 'R',
      path,
      message: `PyYAML takes this key for a value of type ${keyType}, and the trainer takes texts alone for sections; quote or remove it`,
      place,
      mendable: true,
      evidence: `${SOURCE}: the file’s mapping becomes keyword arguments, and Python raises a TypeError.`,
    }));
}

/** What it says, with the key that it is about. */
export const sentence = ({ path, message }: Pick<Remark, 'path' | 'message'>): string =>
  path === '' ? message : `${path}: ${message}`;

/** Whether a file with this finding should not be launched: it is refused, or an edit mends a C or an H. */
export const failing = ({ severity, mendable }: Pick<Remark, 'severity' | 'mendable'>): boolean =>
  severity === 'R' || (mendable && (severity === 'C' || severity === 'H'));
