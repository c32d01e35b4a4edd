/** Configurations side by side: what differs, from what, by how much. */
import { csvLine } from '../base/csv';
import { GIB } from '../base/units';
import type { Effect } from '../config/keys';
import { EFFECT_NAMES } from '../config/documentation';
import { KEY_AT, KEYS } from '../config/keys';
import type { MemoryFigure } from './evidence';
import { SEVERITIES, type Inspection } from '../config/issues';
import { tableOf } from './markdown';
import { inList } from '../config/path';
import { sameValue, type PyValue } from '../config/plain';
import { scalarText } from '../config/scalar';
import { readConfig, type ConfigFile } from '../config/settings';
import { withoutGpu, type Target } from '../config/targets';
import type { Judged } from '../config/verdict';
import { inspectRun, verdictFor } from '../estimate/forecast';
import { scaled, type Quantity } from '../base/quantity';

export interface Compared {
  /** Path of the file, the column's head. */
  readonly name: string;
  readonly text: string;
  readonly target: Target;
  /** A few words, as “Original”; without, experiment.description or the first sentence of the comment at the file's top. */
  readonly purpose?: string;
  /** What became of it there, as “killed after 127 batches”. */
  readonly outcome?: string;
  /** Memory as a document claims it, beside what is predicted. */
  readonly memory?: readonly MemoryFigure[];
}

export type RowKind = 'purpose' | 'environment' | 'setting' | 'memory' | 'issues';

export interface Cell {
  /** As it is shown: “8”, or “– (0.2)” for a default, or “–” for a key that is not there and has none. */
  readonly text: string;
  /** As it is shown beside a baseline: “16 → 8, 50 % less”. The same as `text` where nothing differs. */
  readonly change: string;
  readonly differs: boolean;
}

export interface Row {
  readonly kind: RowKind;
  /** The key's path, or what the row is about. */
  readonly label: string;
  readonly unit?: string;
  /** `unknown` is a key that the trainer does not know, and drops. */
  readonly effect?: Effect | 'unknown';
  readonly cells: readonly Cell[];
}

export interface Matrix {
  readonly columns: readonly { readonly name: string; readonly baseline: boolean }[];
  readonly rows: readonly Row[];
}

export interface MatrixOptions {
  /** Also the settings that are alike. */
  readonly all?: boolean;
  /** Index of the column that the others are compared with; −1 for none. The first by default. */
  readonly baseline?: number;
}

/** Compares any number of configurations. A file that cannot be read has a column without settings and says so. */
export function compare(
  configs: readonly Compared[],
  { all = false, baseline = 0 }: MatrixOptions = {},
): Matrix {
  const inspected = configs.map(({ text, name, target }) => inspectRun(text, { name, target }));
  const memory = configs.map(memoryOf);
  const files = inspected.map(({ file }) => file);
  const settings = pathsOf(inspected)
    .map((path) => settingRow(path, files, baseline))
    .filter(({ cells }) => all || cells.some(({ differs }) => differs));
  return {
    columns: configs.map(({ name }, i) => ({ name, baseline: i === baseline })),
    rows: [
      plainRow('purpose', 'Purpose', configs.map(purposeOf)),
      plainRow('environment', 'Environment', configs.map(environmentOf)),
      ...settings,
      ...(memory.some((text) => text !== '–') ? [plainRow('memory', 'Predicted memory', memory)] : []),
      plainRow('issues', 'Issues', inspected.map(issuesOf)),
    ],
  };
}

/** The schema's keys, and after each section's those that the trainer does not know. */
function pathsOf(inspected: readonly Inspection[]): string[] {
  const known = KEYS.map(({ path }) => path);
  const unknown = inspected.flatMap(({ file }) =>
    [...file.settings.values()]
      .filter(
        ({ path, read, declaration }) =>
          path !== '' && !declaration && !inList(path) && read !== undefined && isLeaf(read),
      )
      .map(({ path }) => path)
      .filter((path) => !known.some((one) => path.startsWith(`${one}.`))),
  );
  const section = (path: string): string => path.split('.')[0] ?? '';
  const sections = [...new Set([...known, ...unknown].map(section))];
  return sections.flatMap((one) => [
    ...known.filter((path) => section(path) === one),
    ...new Set(unknown.filter((path) => section(path) === one)),
  ]);
}

const isLeaf = (value: PyValue): boolean =>
  typeof value !== 'object' || value === null || Array.isArray(value) || Object.keys(value).length === 0;

const plainRow = (kind: RowKind, label: string, texts: readonly string[]): Row => ({
  kind,
  label,
  cells: texts.map((text) => ({ text, change: text, differs: texts.some((one) => one !== texts[0]) })),
});

function settingRow(path: string, files: readonly ConfigFile[], baseline: number): Row {
  const key = KEY_AT.get(path);
  const unread = { text: 'cannot be read', value: undefined, unread: true };
  const read = files.map(({ errors, settings }) => {
    if (errors.length > 0) return unread;
    const value = settings.value(path);
    const given = settings.read(path) !== undefined;
    const text = given ? shown(value) : key ? `– (${shown(value)})` : '–';
    return { text, value, unread: false };
  });
  const base = read[baseline];
  const readable = read.filter((one) => !one.unread);
  const cells = read.map((one): Cell => {
    const reference = base ?? readable[0];
    const differs =
      !one.unread && reference !== undefined && !reference.unread && !sameValue(one.value, reference.value);
    const ratio = differs ? ratioOf(reference.value, one.value) : undefined;
    return {
      text: one.text,
      change: differs && base ? `${base.text} → ${one.text}${ratio ? `, ${ratio}` : ''}` : one.text,
      differs,
    };
  });
  return {
    kind: 'setting',
    label: path,
    ...(key?.unit !== undefined && { unit: key.unit }),
    effect: key?.effect ?? 'unknown',
    cells,
  };
}

const shown = (value: PyValue | undefined): string =>
  value === undefined ? '–' : typeof value === 'string' ? value : scalarText(value);

/** “50 % less”, “4× more”; nothing where one is no number, or 0 or less. Exported for its tests. */
export function ratioOf(from: unknown, to: unknown): string | undefined {
  if (typeof from !== 'number' || typeof to !== 'number' || !(from > 0) || !(to > 0)) return undefined;
  if (!Number.isFinite(from) || !Number.isFinite(to) || from === to) return undefined;
  const ratio = to / from;
  if (ratio >= 2) return `${digits(ratio)}× more`;
  const percent = digits(100 * Math.abs(ratio - 1));
  return `${percent} % ${ratio > 1 ? 'more' : 'less'}`;
}

const digits = (value: number): string => String(Number(value.toPrecision(value >= 100 ? 3 : 2)));

function purposeOf({ purpose, text }: Compared): string {
  if (purpose !== undefined) return purpose;
  const [comment = ''] = /^\ufeff?(?:[ \t]*#[^\n]*\n?)+/.exec(text) ?? [];
  const words = comment
    .replace(/^\ufeff?[ \t]*#+[ \t]?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
  return /^.*?[.:;](?= |$)/.exec(words)?.[0].slice(0, -1) ?? (words === '' ? '–' : words);
}

const environmentOf = ({ target, outcome }: Compared): string =>
  `${target.title}: ${target.gpu.name}, ${target.ramGiB} GiB RAM, ${target.cores} cores${outcome === undefined ? '' : `; ${outcome}`}`;

function memoryOf({ text, name, target, memory = [] }: Compared): string {
  const verdict = verdictFor(text, name, target);
  const claimed = memory.map(
    ({ unit = 'GiB', of, ...figure }) => `${of === undefined ? '' : `${of} `}${figureText(figure, unit)}`,
  );
  const predicted = ({ need, fit }: Judged, of: string): string =>
    `${of} ${fit}: ${figureText(scaled(need, 1 / GIB), 'GiB')}`;
  const { gpu, ram } = verdict ?? {};
  const all = [
    ...claimed,
    ...(gpu ? [predicted(gpu, 'GPU')] : []),
    ...(ram
      ? [predicted(ram.training, 'system RAM in training'), predicted(ram.validation, 'in validation')]
      : []),
  ];
  const { settings } = readConfig(text);
  return all.length > 0 ? all.join('; ') : (withoutGpu(settings.value('experiment.device')) ?? '–');
}

/** “6.0 GiB (5.1 to 7.4; derived: …)”. */
export function figureText({ likely, low, high, basis, source }: Quantity, unit: string): string {
  const range = low !== likely || high !== likely ? `${amount(low)} to ${amount(high)}; ` : '';
  return `${amount(likely)} ${unit} (${range}${basis}: ${source})`;
}

const amount = (value: number): string => String(Number(value.toPrecision(3)));

function issuesOf({ accepted, issues }: Inspection): string {
  const fixable = issues.filter((one) => one.fixable);
  const counts = SEVERITIES.map((severity) => ({
    severity,
    count: fixable.filter((one) => one.severity === severity).length,
  }))
    .filter(({ count }) => count > 0)
    .map(({ severity, count }) => `${count} ${severity}`);
  const notes = issues.length - fixable.length;
  return [
    accepted ? '' : 'rejected by the trainer',
    counts.length === 0 ? 'nothing to fix' : counts.join(', '),
    notes === 0 ? '' : `${notes} before launch`,
  ]
    .filter((part) => part !== '')
    .join('; ');
}

const labelOf = ({ label, unit, effect }: Row): string =>
  `${label}${unit === undefined ? '' : ` (${unit})`}${effect === undefined || effect === 'live' ? '' : ` [${EFFECT_NAMES[effect]}]`}`;

const head = ({ columns }: Matrix): string[] => [
  'Setting',
  ...columns.map(({ name, baseline }) => (baseline ? `${name} (baseline)` : name)),
];

/** The table in Markdown. */
export const toMarkdown = (matrix: Matrix): string =>
  tableOf(
    head(matrix),
    matrix.rows.map((row) => [labelOf(row), ...row.cells.map(({ change }) => change)]),
  );

/** The table as CSV (RFC 4180), safe to open in a spreadsheet. */
export const toCsv = (matrix: Matrix): string =>
  [head(matrix), ...matrix.rows.map((row) => [labelOf(row), ...row.cells.map(({ change }) => change)])]
    .map(csvLine)
    .join('');
