/** The table of runs: its columns, their order by a column, what a search finds, and groups of runs that differ by their seed. */
import { formText } from '../../../training/fields';
import { FIELDS, valueOf, type EegSettings } from '../../../training/settings';
import { duration, short } from '../../ui/format';
import { bestOf, statusOf, stepOf } from './facts';
import type { ShownRun } from './shown_run';

export interface Cell {
  /** What it is sorted by; undefined where there is none, which comes last. */
  readonly value: number | string | undefined;
  readonly text: string;
}

export interface Column {
  readonly name: string;
  readonly label: string;
  /** Measured in a run, so that it has a mean over runs; as text. */
  readonly measured?: (value: number) => string;
  readonly cell: (one: ShownRun) => Cell;
}

const NONE: Cell = { value: undefined, text: '' };
const said = (text: string): Cell => ({ value: text || undefined, text });

const measured = (
  name: string,
  label: string,
  of: (one: ShownRun) => number | undefined,
  text: (value: number) => string = short,
): Column => ({
  name,
  label,
  measured: text,
  cell: (one) => {
    const value = of(one);
    return value === undefined || !Number.isFinite(value) ? NONE : { value, text: text(value) };
  },
});

/** What every run has, in the order of the table; settings have names without `run`. */
const ABOUT: readonly Column[] = [
  {
    name: 'run.started',
    label: 'Started',
    cell: ({ run }) => ({ value: run.created, text: new Date(run.created).toLocaleString() }),
  },
  { name: 'run.status', label: 'Status', cell: (one) => said(statusOf(one)) },
  {
    name: 'run.step',
    label: 'Step',
    cell: (one) => {
      const step = stepOf(one);
      return step === undefined ? NONE : { value: step, text: String(step) };
    },
  },
  measured('run.loss', 'Loss', ({ summary }) => summary?.losses.at(-1)),
  measured('run.auroc', 'Best AUROC', (one) => bestOf(one)?.auroc),
  measured('run.taes', 'Best TAES', (one) => bestOf(one)?.taes),
  measured('run.sensitivity', 'Sensitivity', (one) => bestOf(one)?.sensitivity),
  measured('run.false_alarms', 'FA/24 h', (one) => bestOf(one)?.falseAlarmsPer24Hours),
  measured('run.seconds', 'Training time', ({ summary }) => summary?.seconds || undefined, duration),
  { name: 'run.device', label: 'Device', cell: ({ run }) => said(run.device) },
  { name: 'run.tags', label: 'Tags', cell: ({ run }) => said((run.tags ?? []).join(', ')) },
  { name: 'run.note', label: 'Note', cell: ({ run }) => said(run.note ?? '') },
];

/** One for each setting. */
const SETTINGS: readonly Column[] = FIELDS.map(([name, field]) => ({
  name,
  label: field.label,
  cell: ({ summary }) => {
    if (!summary) return NONE;
    const value = valueOf(summary.settings, name);
    return {
      value: typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value),
      text: formText(field, value),
    };
  },
}));

export const COLUMNS: readonly Column[] = [...ABOUT, ...SETTINGS];
export const DEFAULT_COLUMNS: readonly string[] = ['status', 'loss', 'auroc', 'taes', 'seconds', 'tags'].map(
  (name) => `run.${name}`,
);

export const columnsOf = (names: readonly string[]): Column[] =>
  COLUMNS.filter(({ name }) => names.includes(name));

/** Settings in which runs differ. */
export const differing = (runs: readonly ShownRun[]): string[] => {
  const known = runs.filter(({ summary }) => summary);
  return SETTINGS.filter(({ cell }) => new Set(known.map((one) => cell(one).text)).size > 1).map(
    ({ name }) => name,
  );
};

/** Runs with all words of a search in their name, tags, note, status, device or settings that were changed. */
export function found(runs: readonly ShownRun[], search: string): readonly ShownRun[] {
  const words = search.toLowerCase().split(/\s+/);
  return runs.filter((one) => {
    const { name, tags = [], note = '', device } = one.run;
    const settings = one.differences.map(({ label, texts }) => `${label} ${texts[1]}`);
    const text = [name, ...tags, note, device, statusOf(one), ...settings].join('\n').toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export interface Sort {
  /** Of a column; `name` of the run's own. */
  readonly by: string;
  readonly down: boolean;
}

/** In the order of a column; what has no value comes last either way. */
export function sorted(runs: readonly ShownRun[], { by, down }: Sort): ShownRun[] {
  const column = COLUMNS.find(({ name }) => name === by);
  const valueOfRun = (one: ShownRun) => (column ? column.cell(one).value : one.run.name);
  return runs.toSorted((a, b) => {
    const [one, other] = [valueOfRun(a), valueOfRun(b)];
    if (one === undefined || other === undefined)
      return Number(one === undefined) - Number(other === undefined);
    const order =
      typeof one === 'number' && typeof other === 'number'
        ? one - other
        : String(one).localeCompare(String(other), 'en', { numeric: true });
    return down ? -order : order;
  });
}

export interface Group {
  readonly key: string;
  readonly runs: readonly ShownRun[];
}

/** All of them but the seed. */
const withoutSeed = (settings: EegSettings): string => JSON.stringify({ ...settings, seed: 0 });

/** Runs whose settings differ by nothing but the seed, in the order of the first of each; runs without settings are alone. */
export function groupsBySeed(runs: readonly ShownRun[]): Group[] {
  const groups = new Map<string, ShownRun[]>();
  for (const one of runs) {
    const key = one.summary ? withoutSeed(one.summary.settings) : one.run.id;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(one);
  }
  return [...groups].map(([key, runs]) => ({ key, runs }));
}

/** Mean and standard deviation of a sample (n − 1); the latter is NaN of one value. Exported for its tests. */
export function meanAndSd(values: readonly number[]): { readonly mean: number; readonly sd: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, sd: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : NaN };
}

/** What a column says of a group: mean ± standard deviation of what is measured, else what all have in common. */
export function groupText({ cell, measured }: Column, runs: readonly ShownRun[]): string {
  const cells = runs.map(cell);
  if (!measured) return new Set(cells.map(({ text }) => text)).size === 1 ? (cells[0]?.text ?? '') : '…';
  const values = cells.flatMap(({ value }) => (typeof value === 'number' ? value : []));
  if (values.length === 0) return NONE.text;
  const { mean, sd } = meanAndSd(values);
  return Number.isNaN(sd) ? measured(mean) : `${measured(mean)} ± ${measured(sd)}`;
}
