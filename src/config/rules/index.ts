/**
 * What the trainer accepts and still wastes, crashes or misleads. Facts: the trainer's and the launcher's source at
 * 2025-09-21, the review of its configurations, measurements, estimates; every rule says which. An issue that no edit of the
 * file fixes is a note for the launch.
 */
import { MODAL } from '../facts';
import { resultsName } from '../launcher';
import { EVERY_LAUNCH } from './every_launch';
import { KEY_RULES } from './keys';
import { DATA_RULES } from './data';
import { MODAL_RULES } from './modal';
import { TRAINING_RULES } from './training';
import type { ConfigFile } from '../settings';
import { LAUNCHER, set, SEVERITIES, type Checked, type Issue, type Found, type Rule } from './rule';

export type { Checked, Issue, Rule, Severity } from './rule';

/** Over one file. */
export const RULES: readonly Rule[] = [
  ...MODAL_RULES,
  ...TRAINING_RULES,
  ...DATA_RULES,
  ...KEY_RULES,
  EVERY_LAUNCH,
];

/** Over several files: `output-collision`. */
export const COLLISION = {
  id: 'output-collision',
  severity: 'medium',
  evidence: `${LAUNCHER}: of experiment.output_dir it keeps the last name alone, below ${MODAL.results}, and ${MODAL.results}/run where there is none.`,
} as const;

const OUTPUT = 'experiment.output_dir';

/** All issues about the values that the trainer accepts, the worst first; those of equal severity in the file's order. */
export function check(checked: Checked): Issue[] {
  const { target, file } = checked;
  const settings = file.settings.accepted;
  return sorted(
    RULES.filter(({ targets }) => targets === undefined || targets.includes(target.name)).flatMap((rule) =>
      rule
        .check(settings, checked)
        .filter(({ path }) => !file.settings.rejects(path))
        .map((found) => issueOf(rule, found, file)),
    ),
  );
}

/** The issues about each of several files, in their order, with those that no file shows by itself. */
export function checkAll(files: readonly Checked[]): Issue[][] {
  const modal = files.filter(({ target, file }) => target.name === 'modal' && file.errors.length === 0);
  return files.map((checked) => {
    const others = modal.includes(checked)
      ? modal
          .filter((other) => other !== checked && output(other) === output(checked))
          .map(({ name }) => name)
      : [];
    if (others.length === 0) return check(checked);
    const own = `${MODAL.results}/${output(checked)}_${stem(checked.name)}`;
    const found: Found = {
      path: OUTPUT,
      message: `${others.join(', ')} ${others.length > 1 ? 'write' : 'writes'} to the same folder ${MODAL.results}/${output(checked)}, because the launcher keeps its last name alone; write ${own}`,
      fix: [set(OUTPUT, own, 'a folder of its own')],
    };
    return sorted([...check(checked), issueOf(COLLISION, found, checked.file)]);
  });
}

const output = ({ file }: Checked): string => resultsName(file.settings);

const stem = (name: string): string => (name.split(/[\\/]/).at(-1) ?? name).replace(/\.ya?ml$/i, '');

function issueOf(
  { id, severity, evidence, note }: Pick<Rule, 'id' | 'severity' | 'evidence' | 'note'>,
  { place, ...found }: Found,
  { settings }: ConfigFile,
): Issue {
  const fixable = note !== true;
  return { id, severity, evidence, fixable, ...found, place: place ?? settings.placeOf(found.path) };
}

const sorted = (issues: readonly Issue[]): Issue[] =>
  [...issues].sort(
    (a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.place.from - b.place.from,
  );
