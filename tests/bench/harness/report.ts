/** The bench's results as text: numbers of one case side by side, and how they compare with what is meant to be reached. */
import type { Targets, Work } from './cases';
import type { ContenderName, EngineReport, Prepared } from './protocol';

interface Measured extends Prepared {
  readonly outcome: 'measured';
  /** Milliseconds of every run; none when the result was wrong. */
  readonly times: readonly number[];
}

export type Outcome =
  | Measured
  /** The contender leaves this work out. */
  | { readonly outcome: 'absent' }
  /** No result: out of memory, out of time. */
  | { readonly outcome: 'failed'; readonly reason: string };

export type Outcomes = ReadonlyMap<ContenderName, Outcome>;

export const TITLES: Readonly<Record<ContenderName, string>> = {
  ours: 'Smokescan',
  jax: 'jax-js',
  tfjs: 'TensorFlow.js',
  cpu: 'CPU loops',
};

/** Largest relative error of a float32 result: a wrong term shows as 0.01 or more, rounding as less than 0.00001. */
export const ERROR_BOUND = 1e-4;

export const isWrong = ({ worst }: Prepared): boolean => !(worst.error <= ERROR_BOUND);

export function titleOf({ kind, shape }: Work): string {
  switch (kind) {
    case 'matmul':
      return `matmul [${shape.m}, ${shape.k}] × [${shape.k}, ${shape.n}]`;
    case 'scan':
      return `selective scan, forward and backward, [b ${shape.batch}, l ${shape.length}, d ${shape.channels}, n ${shape.d_state}]`;
    case 'block':
      return `Mamba-1 block, training step (d_model ${shape.d_model}, batch ${shape.batch}, l ${shape.length})`;
    case 'conv':
      return `conv1d, forward and backward, [b ${shape.batch}, c ${shape.channels}, l ${shape.length}] to ${shape.outputs} channels, k ${shape.kernel}`;
    case 'norm':
      return `LayerNorm, forward and backward, [${shape.rows}, ${shape.channels}]`;
    case 'adamw':
      return `AdamW of ${shape.parameters.toLocaleString('en')} parameters`;
  }
}

const significant = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
const milliseconds = (value: number): string => `${significant(value)} ms`;
const seconds = (value: number): string => `${significant(value / 1000)} s`;
const megabytes = (value: number): string => `${significant(value / 1e6)} MB`;
const giga = (value: number): string => significant(value / 1e9);

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [upper = NaN, lower = upper] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}

/** Median of a contender's runs; undefined where there are none. */
function medianOf(outcomes: Outcomes, name: ContenderName): number | undefined {
  const outcome = outcomes.get(name);
  return outcome?.outcome === 'measured' && outcome.times.length > 0 ? median(outcome.times) : undefined;
}

const HEADINGS = [
  '',
  'median',
  'ratio',
  'runs',
  'range',
  'first run',
  'error',
  'dispatches',
  'submits',
  'peak',
];

/** The lines below a case's title. `targets` is undefined where the sizes are not those that the targets are for. */
export function formatCase(outcomes: Outcomes, targets: Targets | undefined): string {
  const ours = medianOf(outcomes, 'ours');
  const rows: string[][] = [HEADINGS];
  const notes: string[] = [];
  for (const [name, outcome] of outcomes) {
    if (outcome.outcome === 'failed') notes.push(`${TITLES[name]}: ${outcome.reason}`);
    if (outcome.outcome !== 'measured') continue;
    rows.push(rowOf(TITLES[name], outcome, ours));
    const { tensor, error } = outcome.worst;
    if (isWrong(outcome))
      notes.push(`${TITLES[name]} is WRONG: ${tensor} by ${error.toExponential(1)}, not timed`);
  }
  const engine = outcomes.get('ours');
  if (ours !== undefined && engine?.outcome === 'measured' && engine.engine)
    notes.push(shareOfLimit(engine.engine, ours), memoryAndTuning(engine.engine));
  if (targets) notes.push(...formatTargets(targets, outcomes));
  return [...table(rows), ...notes].map((line) => `  ${line}`).join('\n');
}

function rowOf(
  title: string,
  { times, firstMs, worst, usage }: Measured,
  ours: number | undefined,
): string[] {
  const timed = times.length > 0;
  const middle = median(times);
  return [
    title,
    timed ? milliseconds(middle) : '–',
    timed && ours !== undefined ? `${significant(middle / ours)}×` : '–',
    String(times.length),
    timed ? `${significant(Math.min(...times))} – ${significant(Math.max(...times))}` : '–',
    seconds(firstMs),
    worst.error.toExponential(1),
    usage ? String(usage.dispatches) : '–',
    usage ? String(usage.submits) : '–',
    usage ? megabytes(usage.bytesPeak) : '–',
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(width(i)) : cell.padStart(width(i)))).join('  '),
  );
}

/** How close a run comes to the highest that was measured on the device, by the profile or by the run itself, for the limit that binds. */
function shareOfLimit({ flops, bytes, profile }: EngineReport, ms: number): string {
  const reached = (amount: number, measured: number, unit: string) => {
    const rate = (amount * 1000) / ms;
    const limit = Math.max(measured, rate);
    return { share: rate / limit, text: `${giga(rate)} ${unit} of ${giga(limit)}` };
  };
  const arithmetic = reached(flops, profile.flopsPerSecond, 'GFLOP/s');
  const memory = reached(bytes, profile.bandwidthBytesPerSecond, 'GB/s');
  const [binding, other] = arithmetic.share > memory.share ? [arithmetic, memory] : [memory, arithmetic];
  const limit = binding === arithmetic ? 'FLOP rate' : 'bandwidth';
  return `${(100 * binding.share).toFixed(0)} % of the device's limit, its ${limit}: ${binding.text} (and ${other.text})`;
}

function memoryAndTuning({ planBytes, stagingBytes, tuningMs, variantsTimed }: EngineReport): string {
  const tuned =
    variantsTimed > 0 ? `${variantsTimed} variants tried in ${seconds(tuningMs)}` : 'nothing to tune';
  return `plan ${megabytes(planBytes)}, of which ${megabytes(stagingBytes)} to read results; ${tuned}`;
}

function formatTargets({ library, cpu, fewerDispatchesThan }: Targets, outcomes: Outcomes): string[] {
  const ours = medianOf(outcomes, 'ours');
  const lines: string[] = [];
  const target = (what: string, reached: boolean | undefined, is: string): void => {
    const verdict = reached === undefined ? 'not measured' : `${is}, ${reached ? 'reached' : 'NOT reached'}`;
    lines.push(`target ${what}: ${verdict}`);
  };
  const faster = (times: number, than: string, theirs: number | undefined): void => {
    const ratio = ours !== undefined && theirs !== undefined ? theirs / ours : undefined;
    const reached = ratio === undefined ? undefined : ratio >= times;
    target(`at least ${times}× as fast as ${than}`, reached, `${significant(ratio ?? NaN)}×`);
  };
  const libraries = (['jax', 'tfjs'] as const).map((name) => medianOf(outcomes, name));
  const best = libraries.filter((time) => time !== undefined).sort((a, b) => a - b)[0];
  faster(library, 'the better library', best);
  if (cpu !== undefined) faster(cpu, 'the loops on the CPU', medianOf(outcomes, 'cpu'));
  if (fewerDispatchesThan !== undefined) {
    const outcome = outcomes.get('ours');
    const count = outcome?.outcome === 'measured' ? outcome.usage?.dispatches : undefined;
    const reached = count === undefined ? undefined : count < fewerDispatchesThan;
    target(`under ${fewerDispatchesThan} dispatches`, reached, String(count));
  }
  return lines;
}
