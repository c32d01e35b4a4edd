/** The issues of a file before and after, as risks with their state. */
import type { Risk } from '../../config/incidents';
import { SEVERITIES, type Issue, type Silenced } from '../../config/issues';
import { inspectRun } from '../../estimate/forecast';
import { tableOf } from '../markdown';
import type { Compared } from '../matrix';

const ORDER: readonly string[] = SEVERITIES;

export interface FileRisks {
  readonly name: string;
  /** Found in the base for the same target, and in this file no more. */
  readonly fixed: readonly Issue[];
  /** An edit of the file would fix them. */
  readonly left: readonly Issue[];
  /** No edit of the file fixes them. */
  readonly launch: readonly Issue[];
  /** A comment of the file silences them. */
  readonly silenced: readonly Silenced[];
}

/** Of each file against the base it was made from, on its own target. */
export function risksOf(before: Compared, after: readonly Compared[]): FileRisks[] {
  return after.map(({ name, text, target }) => {
    const { issues, silenced } = inspectRun(text, { name, target, base: before.text });
    const once = inspectRun(before.text, { name: before.name, target }).issues;
    const still = new Set(
      [...issues, ...silenced.map(({ issue }) => issue)].map(({ id, path }) => `${id} ${path}`),
    );
    return {
      name,
      fixed: once.filter(({ id, path, fixable }) => fixable && !still.has(`${id} ${path}`)),
      left: issues.filter(({ fixable }) => fixable),
      launch: issues.filter(({ fixable }) => !fixable),
      silenced,
    };
  });
}

/** Each once, or “none”. */
export const idsOf = (issues: readonly { readonly id: string }[]): string =>
  [...new Set(issues.map(({ id }) => id))].join(', ') || 'none';

type Line = readonly [level: string, risk: string, state: string, files: string, evidence: string];

/** The issues of all files, equal ones in one line, and the other risks, the worst first. */
export function riskTable(files: readonly FileRisks[], others: readonly Risk[]): string {
  const lines = new Map<string, { issue: Issue; state: string; names: string[] }>();
  const add = (state: string, name: string, issues: readonly Issue[]): void => {
    for (const issue of issues) {
      const key = [state, issue.id, issue.path, issue.message].join('\n');
      const line = lines.get(key) ?? { issue, state, names: [] };
      if (!line.names.includes(name)) line.names.push(name);
      lines.set(key, line);
    }
  };
  for (const { name, fixed, left, launch, silenced } of files) {
    add('open: fix the file', name, left);
    add('open: before launch', name, launch);
    for (const { issue, reason } of silenced)
      add(`silenced in the file: ${reason || 'without a reason'}`, name, [issue]);
    add('fixed', name, fixed);
  }
  const found = [...lines.values()].map(({ issue, state, names }): Line => [
    issue.severity,
    `${issue.id}: ${issue.path === '' ? '' : `${issue.path} – `}${issue.message}`,
    state,
    names.join(', '),
    issue.evidence,
  ]);
  const given = others.map(({ level, risk, state, note }): Line => [level, risk, state, '–', note]);
  const sorted = [...found, ...given].sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0]));
  return tableOf(['Level', 'Risk', 'State', 'Files', 'Evidence'], sorted);
}
