/** A page about each rule, made from the rule itself: what it finds, in which file, why, and how to silence it. */
import { exampleText, type Situation } from '../config/rules/guide';
import { RULE_LIST, type RuleEntry } from '../config/rule_list';
import { GPUS } from '../config/gpus';
import { sentence, type Issue } from '../config/issues';
import { PLATFORMS, TARGETS } from '../config/targets';
import { inspectRun } from '../estimate/forecast';
import { block, code, escaped, tableOf } from './markdown';

const DEFAULT_NAME = 'train.yaml';

/** The issues of an example; `text`: of another file in its place. Exported for its tests. */
export function issuesIn(situation: Situation, text = exampleText(situation.lines)): readonly Issue[] {
  const { target = 'local', gpu, name = DEFAULT_NAME, base } = situation;
  const usual = TARGETS[target];
  const machine = gpu && usual.name !== 'browser' ? { ...usual, gpu: GPUS[gpu] } : usual;
  return inspectRun(text, { name, target: machine, ...(base && { base: exampleText(base) }) }).issues;
}

/** Where a rule applies, as words; '' for everywhere. */
export const whereOf = ({ targets = PLATFORMS }: Pick<RuleEntry, 'targets'>): string =>
  targets.length < PLATFORMS.length ? targets.map((name) => TARGETS[name].title).join(', ') : '';

/** A situation beyond a file for a Linux machine. */
function circumstances({ target = 'local', gpu, name, base }: Situation): string {
  const parts = [
    ...(target === 'local' ? [] : [`for ${TARGETS[target].title}`]),
    ...(gpu ? [`with an ${GPUS[gpu].name}`] : []),
    ...(name ? [`called ${code(name)}`] : []),
    ...(base ? [`made from a file with ${base.map(code).join(', ')}`] : []),
  ];
  return parts.map((part) => `, ${part}`).join('');
}

function exampleOf({ examples }: RuleEntry, found: readonly Issue[]): string[] {
  if (!examples) return [];
  return [
    `## Found`,
    `In this file${circumstances(examples.bad)}:`,
    block('yaml', exampleText(examples.bad.lines)),
    ...found.map((issue) => `> **${issue.severity}** ${escaped(sentence(issue))}`),
    `## Not found`,
    `In this file${circumstances(examples.good)}:`,
    block('yaml', exampleText(examples.good.lines)),
  ];
}

/** The page as Markdown. */
export function rulePage(rule: RuleEntry): string {
  const { id, title, severity, evidence, examples, note } = rule;
  const where = whereOf(rule);
  const found = examples ? issuesIn(examples.bad).filter((one) => one.id === id) : [];
  const most = found.some((one) => one.severity !== severity) ? ' at most' : '';
  return `${[
    `# ${escaped(title)}`,
    `Rule ${code(id)}, ${severity}${most}${where ? `, only on ${where}` : ''}. ${note ? 'No edit of the file fixes it: it is a note for the launch.' : 'An edit of the file fixes it.'}`,
    ...exampleOf(rule, found),
    '## Evidence',
    escaped(evidence),
    ...(severity === 'invalid'
      ? []
      : [
          '## Silence it',
          `Write ${code(`# smokescan: ignore ${id} – why`)} at the end of the key’s line, or above a key for all that is below it; ${code(`# smokescan: ignore-file ${id} – why`)} anywhere for the whole file. A reason is part of it.`,
        ]),
  ].join('\n\n')}\n`;
}

/** All pages by their names, and a list of them. */
export const rulePages = (): { readonly name: string; readonly text: string }[] => [
  {
    name: 'README.md',
    text: `# Rules\n\nWhat ${code('smokescan validate')} and the page Config find in a configuration of the trainer.\n\n${tableOf(
      ['rule', 'severity', 'finds', 'where'],
      RULE_LIST.map((rule) => [rule.id, rule.severity, rule.title, whereOf(rule) || 'everywhere']),
    ).replace(/^\| ([\w.-]+|[\w.-]*\\[\w.-]+) \|/gm, (row, id: string) =>
      id === 'rule' ? row : `| [${id}](${id}.md) |`,
    )}\n`,
  },
  ...RULE_LIST.map((rule) => ({ name: `${rule.id}.md`, text: rulePage(rule) })),
];
