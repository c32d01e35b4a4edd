/**
 * Comments that silence issues: `# smokescan: ignore RULE – reason` at the end of a line for that line, on a line of its own for
 * the key below it and all within it; `ignore-file` for the whole file. What the trainer rejects no comment silences.
 */
import { Lexer } from 'yaml';
import { nearestOf } from './letters';
import type { Edit } from './pieces';
import { MARKS } from './brackets';
import type { Place } from './pyyaml';
import type { Issue } from './rules/rule';

/** An issue that a comment silences. */
export interface Silenced {
  readonly issue: Issue;
  /** As the comment says; '' where it says none. */
  readonly reason: string;
}

interface Ignore {
  readonly rule: string;
  readonly reason: string;
  /** Of the comment. */
  readonly place: Place;
  /** Lines that it holds for, counted from 1. */
  readonly from: number;
  readonly to: number;
}

/** Of a rule: whether its silence can be judged here. Another machine, or the estimator, may still find something. */
export interface Known {
  readonly id: string;
  readonly judged: boolean;
}

const MARK = /^#+\s*smokescan:\s*(\S*)\s*(\S*)\s*(?:[-–—:]+\s+|[–—]+)?(.*)$/s;
const MAX_IGNORES = 200;

/** The issue about a comment that is no good. */
export const COMMENT = {
  id: 'ignore-comment',
  severity: 'low',
  evidence: 'Smokescan’s own: a comment that silences a rule says which and why, and silences something.',
} as const;

/** Splits what was found into what is shown, the comments that are no good among it, and what comments silence. */
export function silence(
  text: string,
  found: readonly Issue[],
  rules: readonly Known[],
): { readonly issues: Issue[]; readonly silenced: Silenced[] } {
  const complaints: Issue[] = [];
  const ignores = ignoresOf(text, (place, message) =>
    complaints.push({ ...COMMENT, path: '', message, place, fixable: true }),
  );
  if (ignores.length === 0) return { issues: [...found, ...complaints], silenced: [] };
  const used = new Set<Ignore>();
  const issues: Issue[] = [];
  const silenced: Silenced[] = [];
  for (const issue of found) {
    const ignore = ignores.find(({ rule, from, to }) => {
      const { line } = issue.place;
      return rule === issue.id && from <= line && line <= to;
    });
    if (ignore) used.add(ignore);
    if (ignore && issue.severity !== 'invalid') silenced.push({ issue, reason: ignore.reason });
    else issues.push(issue);
  }
  const ids = rules.map(({ id }) => id);
  for (const ignore of ignores) {
    const { rule, reason, place } = ignore;
    const complain = (message: string): void =>
      void complaints.push({ ...COMMENT, path: '', message, place, fixable: true });
    const known = rules.find(({ id }) => id === rule);
    if (!known) {
      const near = nearestOf(rule, ids);
      complain(`there is no rule ${rule}${near ? `; the nearest is ${near}` : ''}`);
    } else if (found.some(({ id, severity }) => id === rule && severity === 'invalid'))
      complain(`${rule} cannot be silenced: the trainer rejects the file with it and without the comment`);
    else if (!used.has(ignore) && known.judged)
      complain(`silences nothing: ${rule} finds nothing here; remove the comment`);
    else if (reason === '')
      complain(`gives no reason; write why, as in # smokescan: ignore ${rule} – agreed with the lab`);
  }
  return { issues: [...issues, ...complaints], silenced };
}

/** The comments of a text that speak to Smokescan; `complain` hears of those that it does not understand. */
function ignoresOf(text: string, complain: (place: Place, message: string) => void): Ignore[] {
  if (!/#\s*smokescan:/.test(text)) return [];
  const lines = text.split(/\r\n|\r|\n/);
  const found: Ignore[] = [];
  let offset = 0;
  let [line, start] = [1, 0];
  for (const token of new Lexer().lex(text.replace(/\r(?!\n)/g, '\n'))) {
    if (MARKS.includes(token)) continue;
    const from = offset;
    offset += token.length;
    const mark = token.startsWith('#') ? MARK.exec(token.trimEnd()) : null;
    if (mark) {
      const place: Place = { line, column: from - start + 1, from, to: from + token.trimEnd().length };
      const [, verb = '', rule = '', reason = ''] = mark;
      if (verb !== 'ignore' && verb !== 'ignore-file')
        complain(place, `there is no “smokescan: ${verb}”; write ignore or ignore-file, a rule, and why`);
      else if (rule === '') complain(place, `names no rule; write # smokescan: ${verb} RULE – why`);
      else if (found.length < MAX_IGNORES) {
        const alone = text.slice(start, from).trim() === '';
        const within =
          verb === 'ignore-file'
            ? { from: 1, to: lines.length }
            : alone
              ? blockBelow(lines, line)
              : { from: line, to: line };
        found.push({ rule, reason: reason.trim(), place, ...within });
      }
    }
    for (let at = token.indexOf('\n'); at >= 0; at = token.indexOf('\n', at + 1)) {
      line++;
      start = from + at + 1;
    }
  }
  return found;
}

const indentOf = (line: string): number => line.length - line.trimStart().length;
const isText = (line: string): boolean => !/^\s*(?:#|$)/.test(line);

/** The key below a line, and all lines within it. `after` and what is returned are counted from 1. */
function blockBelow(lines: readonly string[], after: number): { from: number; to: number } {
  let from = after + 1;
  while (from <= lines.length && !isText(lines[from - 1] ?? '')) from++;
  const indent = indentOf(lines[from - 1] ?? '');
  let to = from;
  for (let at = from + 1; at <= lines.length; at++) {
    const line = lines[at - 1] ?? '';
    if (!isText(line)) continue;
    // Items of a list may stand as far left as its key.
    if (indentOf(line) <= indent && !(indentOf(line) === indent && /^\s*-\s/.test(line))) break;
    to = at;
  }
  return { from, to };
}

/** The comment that silences an issue, as an edit; its reason is left to be written, at the edit's end. */
export function ignoreEdit(text: string, { id, place }: Pick<Issue, 'id' | 'place'>): Edit {
  if (place.from === place.to) return { from: 0, to: 0, insert: `# smokescan: ignore-file ${id} – \n` };
  const rest = text.slice(place.from);
  const end = /\r?\n|\r/.exec(rest)?.index ?? rest.length;
  const at = place.from + end;
  const start = Math.max(text.lastIndexOf('\n', place.from - 1), text.lastIndexOf('\r', place.from - 1)) + 1;
  const line = text.slice(start, at);
  // A line has one comment.
  if (/(?:^|\s)#/.test(line))
    return {
      from: start,
      to: start,
      insert: `${' '.repeat(indentOf(line))}# smokescan: ignore ${id} – \n`,
    };
  return { from: at, to: at, insert: ` # smokescan: ignore ${id} – ` };
}
