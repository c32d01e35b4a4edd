/** The issues of a file before and after, as risks with their state. */
import type { Risk } from '../../config/incidents';
import { type Remark, type Weight } from '../../config/findings';
import { inspectRun } from '../../estimate/forecast';
import { tableOf } from '../markdown';
import type { Compared } from '../matrix';

const LEVELS: Readonly<Record<Weight, string>> = {
  R: 'invalid',
  C: 'critical',
  H: 'high',
  M: 'medium',
  L: 'low',
};
const ORDER = ['invalid', 'critical', 'high', 'medium', 'low'];

export interface FileRisks {
  readonly name: string;
  /** Found in the base for the same target, and in this file no more. */
  readonly fixed: readonly Remark[];
  /** An edit of the file would fix them. */
  readonly left: readonly Remark[];
  /** No edit of the file fixes them. */
  readonly launch: readonly Remark[];
}

/** Of each file against the base it was made from, on its own target. */
export function risksOf(before: Compared, after: readonly Compared[]): FileRisks[] {
  return after.map(({ name, text, target }) => {
    const { findings } = inspectRun(text, { name, target, base: before.text });
    const once = inspectRun(before.text, { name: before.name, target }).findings;
    const still = new Set(findings.map(({ id, path }) => `${id} ${path}`));
    return {
      name,
      fixed: once.filter(({ id, path, mendable }) => mendable && !still.has(`${id} ${path}`)),
      left: findings.filter(({ mendable }) => mendable),
      launch: findings.filter(({ mendable }) => !mendable),
    };
  });
}

export const isSevere = ({ severity }: Remark): boolean => 'RCH'.includes(severity);

/** Each once, or “none”. */
export const idsOf = (remarks: readonly { readonly id: string }[]): string =>
  [...new Set(remarks.map(({ id }) => id))].join(', ') || 'none';

type Line = readonly [level: string, risk: string, state: string, files: string, evidence: string];

/** The findings of all files, equal ones in one line, and the other risks, the worst first. */
export function riskTable(files: readonly FileRisks[], others: readonly Risk[]): string {
  const lines = new Map<string, { remark: Remark; state: string; names: string[] }>();
  const add = (state: string, name: string, remarks: readonly Remark[]): void => {
    for (const remark of remarks) {
      const key = [state, remark.id, remark.path, remark.message].join('\n');
      const line = lines.get(key) ?? { remark, state, names: [] };
      if (!line.names.includes(name)) line.names.push(name);
      lines.set(key, line);
    }
  };
  for (const { name, fixed, left, launch } of files) {
    add('open: fix the file', name, left);
    add('open: before launch', name, launch);
    add('fixed', name, fixed);
  }
  const found = [...lines.values()].map(({ remark, state, names }): Line => [
    LEVELS[remark.severity],
    `${remark.id}: ${remark.path === '' ? '' : `${remark.path} – `}${remark.message}`,
    state,
    names.join(', '),
    remark.evidence,
  ]);
  const given = others.map(({ level, risk, state, note }): Line => [level, risk, state, '–', note]);
  const sorted = [...found, ...given].sort((a, b) => ORDER.indexOf(a[0]) - ORDER.indexOf(b[0]));
  return tableOf(['Level', 'Risk', 'State', 'Files', 'Evidence'], sorted);
}
