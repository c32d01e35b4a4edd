/** Logs of runs as text: one CSV of all of them, JSON Lines of one, and both read back; also TensorBoard's own CSV of a tag. */
import { csvLine, readCsv } from '../../base/csv';
import { quoted } from '../../base/text';
import { DataError } from '../../eeg/errors';
import { STEP_LOSS, tagsOf, type Log, type Point, type Row } from './log';

export interface NamedRows {
  readonly name: string;
  readonly seed: number;
  readonly rows: readonly Row[];
}

/** A line a step of each run: its name and seed, the step, the epoch that it ends, and a column a tag. */
export function metricsCsv(runs: readonly NamedRows[]): string {
  const tags = tagsOf(runs.flatMap(({ rows }) => rows));
  const lines = runs.flatMap(({ name, seed, rows }) =>
    rows.map(({ step, epoch, values }) => [
      name,
      seed,
      step,
      epoch ?? '',
      ...tags.map((tag) => values[tag] ?? ''),
    ]),
  );
  return [['run', 'seed', 'step', 'epoch', ...tags], ...lines]
    .map((line) => csvLine(line.map(String)))
    .join('');
}

/** A line of JSON a step: `step`, `epoch` where it ends one, and each tag. */
export const metricsJsonl = (rows: readonly Row[]): string =>
  rows.map(({ step, epoch, values }) => `${JSON.stringify({ step, epoch, ...values })}\n`).join('');

/** Reads what metricsJsonl writes. Throws DataError, which names the line. */
export function readMetricsJsonl(text: string, name: string): Row[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i) => {
      let read: unknown;
      try {
        read = JSON.parse(line);
      } catch {
        read = null;
      }
      const { step, epoch, ...values } = (read ?? {}) as Record<string, unknown>;
      if (
        typeof step !== 'number' ||
        !(epoch === undefined || typeof epoch === 'number') ||
        !Object.values(values).every((value) => typeof value === 'number')
      )
        throw new DataError(quoted(name), `line ${i + 1}`, 'this is no step of a run');
      return { step, ...(epoch !== undefined && { epoch }), values: values as Record<string, number> };
    });
}

/** The tag of a CSV that TensorBoard saves, which its name alone has: run-NAME-tag-Loss_train.csv. */
const SAVED_TAG = /(?:^|-)tag-(.+)\.csv$/i;

/** Columns that are no tags, in lower case. */
const NO_TAGS = ['run', 'seed', 'step', 'epoch', 'wall time', 'time'];

/** One value at a step; a later one of the same step holds. */
class Points {
  readonly #tags = new Map<string, Map<number, number>>();

  add(tag: string, step: number, value: number): void {
    const points = this.#tags.get(tag) ?? new Map<number, number>();
    this.#tags.set(tag, points.set(step, value));
  }

  get log(): Log {
    return new Map(
      [...this.#tags].map(([tag, points]): [string, Point[]] => [
        tag,
        [...points].map(([step, value]) => ({ step, value })).sort((a, b) => a.step - b.step),
      ]),
    );
  }
}

/**
 * Reads logs by the names of their runs: what metricsCsv writes, any CSV with a column `step` or `epoch` and a column for each tag,
 * or what TensorBoard saves of one tag. Values of tags other than Loss/step count epochs where a line has one. Throws DataError.
 */
export function readMetricsCsv(text: string, name: string): ReadonlyMap<string, Log> {
  const [head = [], ...lines] = readCsv(text.replace(/^\ufeff/, ''));
  const names = head.map((cell) => cell.trim().toLowerCase());
  const at = (column: string): number => names.indexOf(column);
  const [run, step, epoch] = [at('run'), at('step'), at('epoch')];
  const fail = (where: string, problem: string): never => {
    throw new DataError(quoted(name), where, problem);
  };
  if (step < 0 && epoch < 0)
    fail(
      'line 1',
      'it has no column step or epoch; open metrics of a run, with a first line of names and commas between them',
    );
  const single = at('value') >= 0 && at('wall time') >= 0;
  const [, saved] = SAVED_TAG.exec(name) ?? [];
  // A slash of the tag is an underline in the file's name.
  const savedTag = saved?.replace('_', '/') ?? name;
  const tags = head.flatMap((cell, i) =>
    NO_TAGS.includes(names[i] ?? '') ? [] : [{ tag: single ? savedTag : cell, i }],
  );
  if (tags.length === 0) fail('line 1', 'it has no column of values');
  const runs = new Map<string, Points>();
  lines.forEach((cells, row) => {
    const number = (i: number): number | undefined => {
      const cell = (cells[i] ?? '').trim();
      if (cell === '') return undefined;
      const value = Number(cell);
      // Python and pandas write these.
      if (!Number.isNaN(value) || /^[-+]?(nan|inf|infinity)$/i.test(cell)) return value;
      return fail(`line ${row + 2}, ${quoted(head[i] ?? '')}`, `${quoted(cell)} is no number`);
    };
    const points = runs.get(cells[run] ?? '') ?? new Points();
    runs.set(cells[run] ?? '', points);
    const [atStep, atEpoch] = [number(step), number(epoch)];
    for (const { tag, i } of tags) {
      const value = number(i);
      const counted = tag === STEP_LOSS ? (atStep ?? atEpoch) : (atEpoch ?? atStep);
      if (value !== undefined && Number.isFinite(value) && counted !== undefined)
        points.add(tag, counted, value);
    }
  });
  if (runs.size === 0) fail('line 2', 'it has no values; was the run stopped before its first step?');
  return new Map([...runs].map(([runName, points]) => [runName, points.log]));
}
