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

/** A number as Python and pandas write them; undefined for an empty cell, null for a text. */
function numberIn(cells: readonly string[], i: number): number | undefined | null {
  const cell = (cells[i] ?? '').trim();
  if (cell === '') return undefined;
  const value = Number(cell);
  return Number.isNaN(value) && !/^[-+]?(nan|inf|infinity)$/i.test(cell) ? null : value;
}

/** Columns that a sentence names. */
const MAX_NAMED = 5;

export interface ReadMetrics {
  /** By the names of their runs; an empty one where the file names none. */
  readonly runs: ReadonlyMap<string, Log>;
  /** Which columns were left out: a sentence; null where there are none. */
  readonly remark: string | null;
}

/**
 * Reads what metricsCsv writes, any CSV with a column `step` or `epoch` and a column for each tag, or what TensorBoard saves of one
 * tag. Values of tags other than Loss/step count epochs where a line has one. A column with a text in it is left out. Throws
 * DataError.
 */
export function readMetricsCsv(text: string, name: string): ReadMetrics {
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
      'it has no column step or epoch; open metrics of a run in UTF-8, with a first line of names and commas between them',
    );
  const single = at('value') >= 0 && at('wall time') >= 0;
  const [, saved] = SAVED_TAG.exec(name) ?? [];
  // A slash of the tag is an underline in the file's name.
  const savedTag = saved?.replace('_', '/') ?? name;
  const columns = head.flatMap((cell, i) =>
    NO_TAGS.includes(names[i] ?? '') ? [] : [{ tag: single ? savedTag : cell, i }],
  );
  if (columns.length === 0) fail('line 1', 'it has no column of values');
  /** Of the first cell of a column that is no number. */
  const textIn = (i: number): { line: string; cell: string } | undefined => {
    const row = lines.findIndex((cells) => numberIn(cells, i) === null);
    return row < 0 ? undefined : { line: `line ${row + 2}`, cell: quoted(lines[row]?.[i] ?? '') };
  };
  const left = columns.flatMap(({ i }) => {
    const found = textIn(i);
    return found ? [{ i, column: quoted(head[i] ?? ''), ...found }] : [];
  });
  const counts = [step, epoch].flatMap((i) => {
    const found = i < 0 ? undefined : textIn(i);
    return found ? [{ column: quoted(head[i] ?? ''), ...found }] : [];
  });
  const [wrong] = left.length === columns.length ? [...counts, ...left] : counts;
  if (wrong) fail(`${wrong.line}, ${wrong.column}`, `${wrong.cell} is no number`);
  const tags = columns.filter(({ i }) => !left.some((one) => one.i === i));
  const runs = new Map<string, Points>();
  for (const cells of lines) {
    const points = runs.get(cells[run] ?? '') ?? new Points();
    runs.set(cells[run] ?? '', points);
    const [atStep, atEpoch] = [numberIn(cells, step), numberIn(cells, epoch)];
    for (const { tag, i } of tags) {
      const value = numberIn(cells, i);
      const counted = tag === STEP_LOSS ? (atStep ?? atEpoch) : (atEpoch ?? atStep);
      if (Number.isFinite(value) && Number.isFinite(counted)) points.add(tag, Number(counted), Number(value));
    }
  }
  if (runs.size === 0) fail('line 2', 'it has no values; was the run stopped before its first step?');
  const named = left.slice(0, MAX_NAMED).map(({ column, line, cell }) => `${column} (${line}: ${cell})`);
  const more = left.length > MAX_NAMED ? ` and ${left.length - MAX_NAMED} more` : '';
  return {
    runs: new Map([...runs].map(([runName, points]) => [runName, points.log])),
    remark:
      left.length === 0
        ? null
        : `Columns of ${quoted(name)} that have a text in them were left out: ${named.join(', ')}${more}.`,
  };
}
