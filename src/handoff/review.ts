/**
 * The review that a senior engineer signs before a run is paid for, as Markdown: made of the configurations at hand, what the
 * rules find in them, and the evidence that is passed in. It claims nothing else.
 */
import type { Change } from '../config/change';
import { commandsFor } from './commands';
import { derive, variantFor, type Variant } from './derive';
import { applyChanges, EditError } from '../config/edit';
import type { Check, Statement } from '../config/incidents';
import { inspect } from '../config/findings';
import { block, code, escaped, list, numbered, tableOf } from './markdown';
import { compare, toMarkdown, type Compared, type Row } from './matrix';
import { readConfig, sameValue } from '../config/pyyaml';
import { checklistOf } from './review/checklist';
import { costOf, costTable, dollars } from './review/cost';
import { issueSummary, previousIssue, rootCause } from './review/incident';
import type { ReviewInput } from './review/input';
import { LAUNCHER_FACTS, launchFacts } from './review/launcher';
import { idsOf, isGrave, risksOf, riskTable, type FileRisks } from './review/risks';
import { smokeFindings, smokeTable } from './review/smoke';
import { settingAt } from '../config/schema';
import type { Target } from '../config/targets';

export type { ReviewInput } from './review/input';

interface Facts extends ReviewInput {
  readonly files: readonly FileRisks[];
  readonly checklist: readonly Check[];
}

/** The whole document. Throws a RangeError with a sentence where a configuration cannot be read. */
export function reviewDocument(input: ReviewInput): string {
  for (const { name, text, target } of [input.before, ...input.after]) {
    const { file } = inspect(text, { name, target });
    if (file.value === undefined)
      throw new RangeError(
        `${name} cannot be reviewed, because it cannot be read: ${file.refusals.map(({ message }) => message).join('; ')}. Mend that first.`,
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

const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

const mendable = (file: FileRisks): number => file.left.filter(isGrave).length;
const openChecks = ({ checklist }: Facts): number => checklist.filter(({ verified }) => !verified).length;

/** Ids of what no edit mends, of all files. */
const graveForLaunch = ({ files }: Facts): string[] => [
  ...new Set(files.flatMap(({ launch }) => launch.filter(isGrave).map(({ id }) => id))),
];

function headOf(facts: Facts): string[] {
  const { title = 'Review of the training configuration', date, preparedBy, files } = facts;
  const left = files.reduce((sum, file) => sum + mendable(file), 0);
  const launch = graveForLaunch(facts).length;
  const state = [
    left > 0
      ? `not ready, ${counted(left, 'critical or high finding')} can be mended in the files`
      : 'nothing critical or high is left to mend in the files',
    `${counted(launch, 'critical or high point')} open for the launch`,
    `${counted(openChecks(facts), 'line')} of the checklist not verified`,
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
    return `${code(one.name)} (${escaped(one.target.title)}): ${counted(changed, 'setting')} changed from ${code(before.name)}; ${counted(file?.mended.length ?? 0, 'finding')} mended, ${file ? mendable(file) : 0} critical or high left to mend, ${file?.launch.length ?? 0} for the launch.`;
  });
  const all = costs
    .map((figures) => ({ title: figures.title, paid: costOf(figures).withRepeats }))
    .sort((a, b) => a.paid - b.paid);
  const [least, most] = [all[0], all.at(-1)];
  const cost =
    least && most
      ? `Cost of a run: from ${dollars(least.paid)} (${least.title}) to ${dollars(most.paid)} (${most.title}), derived from the figures under Cost and time.`
      : 'No cost was figured.';
  const open = graveForLaunch(facts);
  const launch =
    open.length === 0
      ? 'Nothing critical or high is open for the launch.'
      : `Open for the launch, and mended by no edit of the files: ${open.join(', ')} (see Risks).`;
  const tried =
    smoke.length === 0
      ? 'No smoke run was made.'
      : smoke
          .map(smokeFindings)
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
    const { mended = [], left = [] } = facts.files[i] ?? {};
    return [
      `### ${code(after.name)}`,
      `From ${code(facts.before.name)}, for: ${escaped(after.target.environment)}`,
      rows.length === 0
        ? 'No setting differs.'
        : tableOf(
            ['Setting', 'Change', 'Reason'],
            rows.map(({ label, cells }) => [label, cells[1]?.change ?? '', reason(label)]),
          ),
      `Findings that are mended: ${idsOf(mended)}. Left to mend: ${idsOf(left)}.`,
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

/** Why a setting differs: what the variant needs, what a rule found in the base, what was passed in. */
function reasonsFor(
  { before, reasons = {} }: Facts,
  { name, text, target }: Compared,
): (path: string) => string {
  const derived =
    target.name === 'browser' ? [] : derivedFrom(before.text, variantFor(name, target.name), target);
  const derivedValue = readConfig(applyChanges(before.text, derived)).value;
  const { findings } = inspect(before.text, { name: before.name, target });
  const value = readConfig(text).value;
  return (path) => {
    const change = derived.find((one) => one.path === path);
    // The reason for another value may not hold for this one.
    const same = change && sameValue(settingAt(derivedValue, path), settingAt(value, path));
    return (
      (same ? change.reason : undefined) ??
      findings.find((finding) => finding.path === path && finding.mendable)?.message ??
      reasons[path] ??
      'a choice: no rule asks for it'
    );
  };
}

function matrixOf({ before, after, others = [] }: Facts): string[] {
  return [
    'Settings that differ, as changes from the baseline. “–” is not in the file; what stands in brackets after it is production’s default. “ignored” is a key that the trainer does not know, “dead” one that it never reads, “half” one that works in part. Findings: R production refuses the file, C the run is wasted, H crash or large cost, M misleading, L hygiene; those for the launch can be mended by no edit of the file.',
    toMarkdown(compare([before, ...after, ...others])),
  ];
}

function deploymentOf({ after, data = [], smoke = [] }: Facts): string[] {
  const modal = after.some(({ target }) => target.name === 'modal');
  return [
    ...after.map((one) => `${code(one.name)}: ${launchFacts(one)}`),
    ...(modal ? ['On Modal (read in the launcher’s source at 2025-09-21):', list(LAUNCHER_FACTS)] : []),
    ...(data.length > 0 ? ['Data:', list(data.map(escaped))] : []),
    ...(smoke.length > 0 ? ['Smoke runs:', smokeTable(smoke)] : []),
  ];
}

function costsOf({ costs = [] }: Facts): string[] {
  if (costs.length === 0) return ['No rates or hours were passed in, so no cost is figured.'];
  return [
    costTable(costs),
    'Hours are epochs × hours an epoch, dollars are hours × rate. A launch that resumes repeats one epoch; starting up is not counted.',
  ];
}

const risksSection = ({ files, risks = [] }: Facts): string[] => [riskTable(files, risks)];

function recommendationsOf(facts: Facts): string[] {
  const { after, files, smoke = [] } = facts;
  const modal = after.filter(({ target }) => target.name === 'modal');
  const left = files.flatMap(({ name, left }) =>
    left.filter(isGrave).map(({ path, message }) => `${code(name)}: ${escaped(`${path} ${message}`)}.`),
  );
  const launch = new Set(files.flatMap(({ launch }) => launch.map(({ id }) => id)));
  const untried = after.filter(
    (one) =>
      !smoke.some(({ config }) => config === one.name) && commandsFor(one).some(({ id }) => id === 'check'),
  );
  return [
    numbered([
      ...left.map((one) => `Mend ${one}`),
      ...untried.map(
        ({ name }) =>
          `Try ${code(name)} on two files before it is launched (the command with timeout 60 below).`,
      ),
      ...(modal.length > 0 ? ['Make the smoke run on Modal before the run, and read its log.'] : []),
      ...(launch.has('empty-manifest')
        ? ['Run scan-cache and read its counts: a manifest without seizures trains a useless model.']
        : []),
      ...(launch.has('modal-no-resume')
        ? ['Launch with --resume from the start, into an output folder without an older last.pt.']
        : []),
      ...(launch.has('resume-semantics')
        ? ['Copy best.pt away before every resume: the first resumed epoch overwrites it.']
        : []),
      ...(launch.has('modal-fallback')
        ? [
            'Decide on the convolution fallback: the launcher trains it and evaluates Mamba-2. Take the forced fallback out of the launcher, or evaluate with it too.',
          ]
        : []),
      ...(launch.has('patient-leak')
        ? [
            'Report scores on the corpus’s own dev and eval sets; those of the file-level split come out too good.',
          ]
        : []),
    ]),
  ];
}

function commandsSection({ after }: Facts): string[] {
  return after.flatMap((one) => {
    const commands = commandsFor(one);
    if (commands.length === 0)
      return [`${code(one.name)}: nothing is launched for ${escaped(one.target.title)}.`];
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
    '**What the earlier review said:**',
    tableOf(
      ['It said', 'State', 'What is known'],
      said.map((one) => [one.said, one.state, one.found]),
    ),
  ];
}
