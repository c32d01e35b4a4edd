/**
 * The sign-off report that a senior engineer signs before a run is paid for, as Markdown: made of the given configurations,
 * their issues, and the evidence that is passed in. It claims nothing else.
 */
import { EFFECT_NAMES } from '../config/documentation';
import type { Change } from '../config/change';
import { READ_AT } from '../config/facts';
import { several } from '../base/text';
import { commandsFor } from './commands';
import { whyNotRun } from './commands/steps';
import { derive, variantFor, type Variant } from './derive';
import { applyChanges, EditError } from '../config/edit';
import type { Check, Statement } from '../config/incidents';
import { inspect, isSevere } from '../config/issues';
import { block, code, escaped, list, numbered, tableOf } from './markdown';
import { compare, toMarkdown, type Compared, type Row } from './matrix';
import { sameValue } from '../config/plain';
import { checklistOf } from './review/checklist';
import { costTable, dollars } from './review/cost';
import { issueSummary, previousIssue, rootCause } from './review/incident';
import type { ReviewInput } from './review/input';
import { LAUNCHER_FACTS, launchFacts } from './review/launcher';
import { idsOf, risksOf, riskTable, type FileRisks } from './review/risks';
import { smokeVerdict, smokeTable } from './review/smoke';
import { readConfig } from '../config/settings';
import type { Target } from '../config/targets';
import { inspectRun } from '../estimate/forecast';

export type { ReviewInput } from './review/input';

interface Facts extends ReviewInput {
  readonly files: readonly FileRisks[];
  readonly checklist: readonly Check[];
}

/** The whole document. Throws a RangeError with a sentence where a configuration cannot be read. */
export function reviewDocument(input: ReviewInput): string {
  for (const { name, text, target } of [input.before, ...input.after]) {
    const { file } = inspect(text, { name, target });
    if (file.errors.length > 0)
      throw new RangeError(
        `${name} cannot be reviewed, because it cannot be read: ${file.errors.map(({ message }) => message).join('; ')}. Fix the file first.`,
      );
  }
  const files = risksOf(input.before, input.after);
  const facts: Facts = { ...input, files, checklist: checklistOf(input, files) };
  const sections = [
    headOf(facts),
    ['## Executive summary', ...summaryOf(facts)],
    ['## Previous issue', ...previousIssue(facts.incident)],
    ['## Root cause', ...rootCause(facts.incident), ...saidIn(facts, 'cause')],
    ['## Changes', ...changesOf(facts), ...saidIn(facts, 'changes')],
    ['## Comparison matrix', ...matrixOf(facts)],
    ['## Deployment', ...deploymentOf(facts), ...saidIn(facts, 'deployment')],
    ['## Cost and time', ...costsOf(facts), ...saidIn(facts, 'cost')],
    ['## Risks', ...risksSection(facts), ...saidIn(facts, 'risks')],
    ['## Recommendations', ...recommendationsOf(facts), ...saidIn(facts, 'recommendations')],
    ['## Commands', ...commandsSection(facts), ...saidIn(facts, 'commands')],
    ['## Checklist', ...checklistSection(facts), ...saidIn(facts, 'checklist')],
    ['Signed: ____________________ Date: ____________'],
  ];
  return `${sections.flat().join('\n\n')}\n`;
}

const fixable = (file: FileRisks): number => file.left.filter(isSevere).length;
const openChecks = ({ checklist }: Facts): number => checklist.filter(({ verified }) => !verified).length;

/** Ids of the severe issues that no edit fixes, of all files. */
const severeBeforeLaunch = ({ files }: Facts): string[] => [
  ...new Set(files.flatMap(({ launch }) => launch.filter(isSevere).map(({ id }) => id))),
];

function headOf(facts: Facts): string[] {
  const { title = 'Review of the training configuration', date, preparedBy, files } = facts;
  const left = files.reduce((sum, file) => sum + fixable(file), 0);
  const launch = severeBeforeLaunch(facts).length;
  const state = [
    left > 0
      ? `not ready, ${several(left, 'critical or high issue')} can be fixed in the files`
      : 'nothing critical or high is left to fix in the files',
    `${several(launch, 'critical or high issue')} to resolve before launch`,
    `${several(openChecks(facts), 'line')} of the checklist not verified`,
  ].join('; ');
  return [
    `# ${escaped(title)}`,
    list([
      `Date: ${escaped(date)}`,
      `Prepared by: ${preparedBy === undefined ? '____________________' : escaped(preparedBy)}`,
      `State: ${state}`,
    ]),
  ];
}

function summaryOf(facts: Facts): string[] {
  const { goal, before, after, incident, costs = [], smoke = [] } = facts;
  const made = after.map((one, i) => {
    const changed = rowsOf(before, one).length;
    const file = facts.files[i];
    return `${code(one.name)} (${escaped(one.target.title)}): ${several(changed, 'setting')} changed from ${code(before.name)}; ${several(file?.fixed.length ?? 0, 'issue')} fixed, ${file ? fixable(file) : 0} critical or high left to fix, ${file?.launch.length ?? 0} before launch.`;
  });
  const all = costs
    .flatMap(({ title, dollars: of }) => (of ? [{ title, paid: of.likely }] : []))
    .sort((a, b) => a.paid - b.paid);
  const [min, max] = [all[0], all.at(-1)];
  const cost =
    min && max
      ? `Cost of a run: ${dollars(min.paid)} (${min.title}) to ${dollars(max.paid)} (${max.title}), by the figures under Cost and time.`
      : 'No cost was computed.';
  const open = severeBeforeLaunch(facts);
  const launch =
    open.length === 0
      ? 'No critical or high issue is left to resolve before launch.'
      : `Before launch (no edit of the files fixes these): ${open.join(', ')} (see Risks).`;
  const tried =
    smoke.length === 0
      ? 'No smoke run was made.'
      : smoke
          .map(smokeVerdict)
          .map(({ text }) => text)
          .join(' ');
  return [
    ...(goal === undefined ? [] : [escaped(goal)]),
    list(made),
    issueSummary(incident),
    escaped(launch),
    escaped(cost),
    escaped(tried),
  ];
}

const rowsOf = (before: Compared, after: Compared): Row[] =>
  compare([before, after]).rows.filter(({ kind }) => kind === 'setting');

function changesOf(facts: Facts): string[] {
  return facts.after.flatMap((after, i) => {
    const rows = rowsOf(facts.before, after);
    const reason = reasonsFor(facts, after);
    const { fixed = [], left = [] } = facts.files[i] ?? {};
    return [
      `### ${code(after.name)}`,
      `From ${code(facts.before.name)}. Target: ${escaped(after.target.environment)}`,
      rows.length === 0
        ? 'No setting differs.'
        : tableOf(
            ['Setting', 'Change', 'Reason'],
            rows.map(({ label, cells }) => [label, cells[1]?.change ?? '', reason(label)]),
          ),
      `Fixed issues: ${idsOf(fixed)}. Left to fix: ${idsOf(left)}.`,
    ];
  });
}

/** Nothing where a value of the file cannot be changed on its own: then the rules alone give reasons. */
function derivedFrom(text: string, variant: Variant, target: Target): readonly Change[] {
  try {
    return derive(text, variant, target).changes;
  } catch (error) {
    if (error instanceof EditError) return [];
    throw error;
  }
}

/** Why a setting differs: what the variant needs, a rule's message on the base, or what was passed in. */
function reasonsFor(
  { before, reasons = {} }: Facts,
  { name, text, target }: Compared,
): (path: string) => string {
  const derived =
    target.name === 'browser' ? [] : derivedFrom(before.text, variantFor(name, target.name), target);
  const derivedSettings = readConfig(applyChanges(before.text, derived)).settings;
  const { issues } = inspectRun(before.text, { name: before.name, target });
  const { settings } = readConfig(text);
  return (path) => {
    const change = derived.find((one) => one.path === path);
    // The reason for another value may not hold for this one.
    const same = change && sameValue(derivedSettings.value(path), settings.value(path));
    return (
      (same ? change.reason : undefined) ??
      issues.find((issue) => issue.path === path && issue.fixable)?.message ??
      reasons[path] ??
      'a choice: no rule requires it'
    );
  };
}

function matrixOf({ before, after, others = [] }: Facts): string[] {
  return [
    `Settings that differ, as changes from the baseline. “–” is not in the file; the trainer’s default follows in brackets. “${EFFECT_NAMES.unknown}” is a key that the trainer does not know, “${EFFECT_NAMES.unused}” one that it never reads, “${EFFECT_NAMES.partial}” one of which it runs some values only. Issues: invalid (rejected by the trainer), critical (the run is wasted), high (crash or large cost), medium (misleading), low (hygiene); those before launch cannot be fixed in the file.`,
    toMarkdown(compare([before, ...after, ...others])),
  ];
}

function deploymentOf({ after, data = [], smoke = [] }: Facts): string[] {
  const modal = after.some(({ target }) => target.name === 'modal');
  return [
    ...after.map((one) => `${code(one.name)}: ${launchFacts(one)}`),
    ...(modal ? [`On Modal (read in the launcher’s source at ${READ_AT}):`, list(LAUNCHER_FACTS)] : []),
    ...(data.length > 0 ? ['Data:', list(data.map(escaped))] : []),
    ...(smoke.length > 0 ? ['Smoke runs:', smokeTable(smoke)] : []),
  ];
}

function costsOf({ costs = [] }: Facts): string[] {
  if (costs.length === 0) return ['There are no rates or hours, so no cost is computed.'];
  return [
    costTable(costs),
    'Hours are of the whole run: what a job reads before its first epoch, the epochs, and of each further job the epoch that it re-trains and what the end of the job before it interrupted. The low end stops early where the configuration may. Dollars are hours × rate. The page and the command estimate say the same of a configuration.',
  ];
}

const risksSection = ({ files, risks = [] }: Facts): string[] => [riskTable(files, risks)];

function recommendationsOf(facts: Facts): string[] {
  const { after, files, smoke = [] } = facts;
  const left = files.flatMap(({ name, left }) =>
    left.filter(isSevere).map(({ path, message }) => `${code(name)}: ${escaped(`${path} ${message}`)}.`),
  );
  const launch = new Set(files.flatMap(({ launch }) => launch.map(({ id }) => id)));
  const settings = after
    .filter(({ target }) => target.name !== 'browser')
    .map((one) => readConfig(one.text).settings);
  const some = (path: string): boolean => settings.some((one) => Boolean(one.value(path)));
  const resumes = settings.some((one) => one.number('training.epochs') > 1);
  const modal = after.some(({ target }) => target.name === 'modal');
  const untried = after.filter(
    (one) =>
      !smoke.some(({ config }) => config === one.name) &&
      whyNotRun(one) === undefined &&
      commandsFor(one).some(({ id }) => id === 'smoke'),
  );
  return [
    numbered([
      ...left.map((one) => `Fix ${one}`),
      ...untried.map(
        ({ name }) =>
          `Do the smoke run of ${code(name)} before launch (the step smoke below), and read its log.`,
      ),
      ...(some('data.use_balanced_sampling')
        ? [
            'Build the cache with the commands below, and check the counts of scan-cache: without a seizure in the manifest the trainer takes all windows, or ends with an error.',
          ]
        : []),
      ...(modal && resumes ? ['Start with --resume, in an output folder without an older last.pt.'] : []),
      ...(resumes ? ['Back up best.pt before every resume: the first resumed epoch overwrites it.'] : []),
      ...(launch.has('modal-fallback')
        ? [
            'Decide on the convolution fallback: the launcher trains it and evaluates Mamba-2 with untrained weights. Remove the forced fallback from the launcher, or evaluate with it too.',
          ]
        : []),
      ...(some('data.validation_split')
        ? [
            'Report scores on the corpus’s own dev and eval sets: the validation files come from the training set. The command evaluate has annotations only where build-cache has prepared the recordings, in test/ below data.cache_dir.',
          ]
        : []),
    ]),
  ];
}

function commandsSection({ after }: Facts): string[] {
  return after.flatMap((one) => {
    const why = whyNotRun(one);
    if (why !== undefined) return [escaped(why)];
    const commands = commandsFor(one);
    if (commands.length === 0)
      return [`${code(one.name)}: no command is needed for ${escaped(one.target.title)}.`];
    const lines = commands.map(({ text, purpose, caution }) =>
      [`# ${purpose}`, ...(caution === undefined ? [] : [`# ${caution}`]), text].join('\n'),
    );
    return [`### ${code(one.name)}`, block('bash', lines.join('\n\n'))];
  });
}

function checklistSection({ checklist }: Facts): string[] {
  const line = ({ text, verified, by }: Check): string =>
    `[${verified ? 'x' : ' '}] ${escaped(text)} – ${verified ? 'verified' : 'not verified'}: ${escaped(by)}`;
  return [list(checklist.map(line))];
}

function saidIn({ statements = [] }: Facts, section: Statement['section']): string[] {
  const said = statements.filter((one) => one.section === section);
  if (said.length === 0) return [];
  return [
    '**Claims of the earlier review:**',
    tableOf(
      ['Claim', 'Status', 'What is known'],
      said.map((one) => [one.said, one.state, one.found]),
    ),
  ];
}
