/** Issues as other tools read them: SARIF 2.1.0 (OASIS, 2020-03-27) and the commands of GitHub's workflows. */
import { relative, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Log, Region, ReportingDescriptor, Result } from 'sarif';
import { version } from '../../package.json';
import { editsFor } from '../config/edit';
import { failing, isSevere, sentence, waysToFix, type Inspection, type Issue } from '../config/issues';
import { RULE_LIST, type RuleEntry } from '../config/rule_list';
import { rulePage } from '../handoff/rule_pages';

export interface InspectedFile {
  /** As it was given. */
  readonly file: string;
  readonly text: string;
  readonly inspection: Inspection;
}

type Level = 'error' | 'warning' | 'note';

/** What ends a check is an error; what no edit fixes, a warning at most. */
function levelOf(issue: Pick<Issue, 'severity' | 'fixable'>): Level {
  if (failing(issue)) return 'error';
  return isSevere(issue) || issue.severity === 'medium' ? 'warning' : 'note';
}

/** A place counts lines and columns from 1, columns in UTF-16 units, which SARIF's columnKind says. */
function regionOf(text: string, from: number, to: number): Region {
  const at = (offset: number): { line: number; column: number } => {
    const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
    return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
  };
  const [start, end] = [at(from), at(to)];
  return { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column };
}

/** Below the working folder where it is, as code scanning wants it; else as a file's address. */
function uriOf(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith('..') ? pathToFileURL(file).href : path.split(sep).map(encodeURIComponent).join('/');
}

/** What a rule is; its page is made of a run of its examples. */
function descriptorOf(rule: RuleEntry): ReportingDescriptor {
  const page = rulePage(rule);
  return {
    id: rule.id,
    shortDescription: { text: `${rule.title}.` },
    fullDescription: { text: rule.evidence },
    help: { text: page, markdown: page },
    defaultConfiguration: { level: levelOf({ ...rule, fixable: !rule.note }) },
    properties: { tags: ['configuration', rule.severity] },
  };
}

function resultOf({ file, text }: InspectedFile, issue: Issue, reason?: string): Result {
  const artifactLocation = { uri: uriOf(file) };
  const fixes = waysToFix(issue).flatMap((changes) => {
    try {
      const replacements = editsFor(text, changes).map(({ from, to, insert }) => ({
        deletedRegion: regionOf(text, from, to),
        ...(insert !== '' && { insertedContent: { text: insert } }),
      }));
      const said = changes.map(({ path, value }) =>
        value === undefined ? `remove ${path}` : `${path}: ${value}`,
      );
      return [
        { description: { text: said.join(', ') }, artifactChanges: [{ artifactLocation, replacements }] },
      ];
    } catch (error) {
      // A change that cannot be made in this file on its own is offered by its message alone.
      if (error instanceof RangeError) return [];
      throw error;
    }
  });
  return {
    ruleId: issue.id,
    level: levelOf(issue),
    message: { text: sentence(issue) },
    locations: [
      { physicalLocation: { artifactLocation, region: regionOf(text, issue.place.from, issue.place.to) } },
    ],
    ...(fixes.length > 0 && { fixes }),
    ...(reason !== undefined && { suppressions: [{ kind: 'inSource' as const, justification: reason }] }),
    properties: { severity: issue.severity, evidence: issue.evidence },
  };
}

/**
 * The issues of files as one SARIF log, with the rules that found them; those that comments silence are suppressed in it.
 * `problems`: a sentence for each file of which nothing is known, so that a log without results is not taken for a clean check.
 */
export function toSarif(files: readonly InspectedFile[], problems: readonly string[]): Log {
  const found = files.flatMap((one) => [
    ...one.inspection.issues.map((issue) => resultOf(one, issue)),
    ...one.inspection.silenced.map(({ issue, reason }) => resultOf(one, issue, reason)),
  ]);
  const rules = RULE_LIST.filter(({ id }) => found.some(({ ruleId }) => ruleId === id));
  const notifications = problems.map((text) => ({ level: 'error' as const, message: { text } }));
  const results = found.map((one) => ({ ...one, ruleIndex: rules.findIndex(({ id }) => id === one.ruleId) }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Smokescan', semanticVersion: version, rules: rules.map(descriptorOf) } },
        invocations: [
          { executionSuccessful: problems.length === 0, toolExecutionNotifications: notifications },
        ],
        columnKind: 'utf16CodeUnits',
        results,
      },
    ],
  };
}

const GITHUB = { error: 'error', warning: 'warning', note: 'notice' } as const;

/** A note of a GitHub workflow: https://docs.github.com/actions/reference/workflow-commands-for-github-actions. */
export function toGithub(file: string, issue: Issue): string {
  const data = (text: string): string =>
    text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  const property = (text: string): string => data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
  const { line, column } = issue.place;
  const path = relative(process.cwd(), file).split(sep).join('/');
  return `::${GITHUB[levelOf(issue)]} file=${property(path)},line=${line},col=${column},title=${property(`${issue.severity}: ${issue.id}`)}::${data(sentence(issue))}`;
}
