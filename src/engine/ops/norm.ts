/** What LayerNorm and RMSNorm have in common; shaders/norm.wgsl has the kernels. */
import source from '../../../shaders/norm.wgsl?raw';
import stepsSource from '../../../shaders/norm_steps.wgsl?raw';
import { elements, formatShape, GraphError, type Shape, type Tensor, type TensorSpec } from '../graph';
import type { Defines } from '../wgsl';
import { channelSums } from './channel_sums';
import type { Binding, Dispatch, Lowering, Value64, Variant } from './definition';
import { kernel, read, write } from './kernel';

export interface NormAttrs {
  /** Added to the variance, or to the mean square. */
  readonly eps: number;
  /** Equal parts of the last axis, each normalised by itself with weights of its own; 1 where left out. */
  readonly groups?: number;
}

/** Statistics that the forward pass saves for each row. */
export const LAYER_STATS = 2;
export const RMS_STATS = 1;

const width = (shape: Shape): number => shape.at(-1) as number;
const rowsOf = (shape: Shape): number => elements(shape) / width(shape);

/** Output shapes; the weights must be [d] for x [..., d], and the groups divide d. */
export function normShapes(
  x: Tensor,
  weights: Readonly<Record<string, Tensor>>,
  stats: number,
  groups = 1,
): { y: TensorSpec; stats: TensorSpec } {
  for (const [name, { shape }] of Object.entries(weights))
    if (formatShape(shape) !== formatShape([width(x.shape)]))
      throw new GraphError(`${name} must be [${width(x.shape)}], it is ${formatShape(shape)}`);
  if (width(x.shape) % groups !== 0)
    throw new GraphError(`${groups} groups do not divide the ${width(x.shape)} channels of x`);
  return {
    y: { shape: x.shape, dtype: 'f32' },
    stats: { shape: [groups * rowsOf(x.shape), stats], dtype: 'f32' },
  };
}

/** Elements of each tensor that a lane keeps in registers at most. */
const MAX_PER_LANE = 8;
/** Rows that a team walks: more share the loads of weights and make fewer partial sums, fewer fill a GPU. */
export const FORWARD_RUN = 4;
export const BACKWARD_RUN = 8;
/** Rows that a quad or a column walks, where every load counts. */
const LONG_RUN = 16;
/** Above this many runs they grow longer in the backward pass: each is a partial sum. */
const MAX_RUNS = { software: 512, gpu: 1024 } as const;

/** How rows, one for each group, are read: `size` values as `d` elements of `type`. */
function layout(x: Tensor, groups: number) {
  const size = width(x.shape) / groups;
  const vector = size % 4 === 0;
  const type = vector ? ('vec4f' as const) : ('f32' as const);
  return { size, rows: groups * rowsOf(x.shape), vector, type, d: vector ? size / 4 : size };
}

type NormVariant = Variant & { LANES: number; RUN: number; WORKGROUP: number; QUAD: boolean };

/** Two steps without teams (shaders/norm_steps.wgsl). */
const STEPS: NormVariant = { name: 'two steps', LANES: 1, RUN: LONG_RUN, WORKGROUP: 64, QUAD: false };

/** The first is taken untuned: quads or columns on CPU-backed adapters, else wide teams. `run` is for teams of more than four lanes. */
export function normVariants(
  x: Tensor,
  { subgroups, software, limits }: Lowering,
  run: number,
  groups = 1,
): readonly [Variant, ...Variant[]] {
  const { d } = layout(x, groups);
  const team = (LANES: number, RUN: number, WORKGROUP: number, QUAD: boolean): NormVariant => ({
    name: `${LANES} lanes a row${QUAD ? ' in quads' : ''}`,
    LANES,
    RUN,
    WORKGROUP,
    QUAD,
  });
  const narrow: [NormVariant, ...NormVariant[]] =
    software && subgroups && d >= 4 && d <= 4 * MAX_PER_LANE ? [team(4, LONG_RUN, 16, true), STEPS] : [STEPS];
  // About four elements a lane, on GPUs two, which have registers for that.
  const wanted = Math.max(8, 2 ** Math.ceil(Math.log2(d / (software ? 4 : 2))));
  const lanes = Math.min(limits.maxComputeInvocationsPerWorkgroup, wanted);
  const wide =
    d >= 8 && d <= lanes * MAX_PER_LANE
      ? (subgroups ? [true, false] : [false]).map((quad) => team(lanes, run, Math.max(64, lanes), quad))
      : [];
  return (software ? [...narrow, ...wide] : [...wide, ...narrow]) as [NormVariant, ...NormVariant[]];
}

/** What all kernels of a node share: the division of work and the defines. */
function divide(
  x: Tensor,
  groups: number,
  variant: Variant | undefined,
  centered: boolean,
  mostRuns = Infinity,
) {
  const { size, rows, vector, type, d } = layout(x, groups);
  const { LANES, RUN, WORKGROUP, QUAD } = (variant ?? STEPS) as NormVariant;
  // A run's rows are of one group, and each group has its runs.
  const run = Math.max(RUN, Math.ceil(rows / groups / mostRuns));
  const runs = groups * Math.ceil(rows / groups / run);
  const common = {
    SIZE: size,
    GROUPS: groups,
    ROWS: rows,
    VECTOR: vector,
    TYPE: type,
    D: d,
    RUN: run,
    CENTER: centered,
  };
  const teams = { RUNS: runs, LANES, QUAD, PER: Math.ceil(d / LANES), TAIL: d % LANES !== 0 };
  const steps = { STATS: false, APPLY: false, SUMS: false, COLUMNS: false, DX: false, WEIGHTS: false };
  return {
    type,
    size,
    rows,
    runs,
    columns: runs * d,
    byTeam: LANES > 1,
    team: (name: string, flags: Defines, bindings: readonly Binding[]): Dispatch =>
      kernel({
        name,
        source,
        defines: { ...common, ...teams, ...flags },
        bindings,
        workgroup: WORKGROUP,
        workgroups: Math.ceil((runs * LANES) / WORKGROUP),
        subgroups: QUAD,
      }),
    step: (name: string, threads: number, flags: Defines, bindings: readonly Binding[]): Dispatch =>
      kernel({
        name,
        source: stepsSource,
        defines: { ...common, ...steps, ...flags },
        bindings,
        threads,
      }),
  };
}

interface Forward {
  readonly name: string;
  readonly x: Tensor;
  readonly weight: Tensor;
  /** LayerNorm has one, RMSNorm has none; that is all the difference a kernel needs. */
  readonly bias?: Tensor;
  readonly y: Tensor;
  readonly stats: Tensor;
  readonly eps: number;
  readonly groups?: number;
}

/** The dispatches of the forward pass, by teams of lanes or in two steps. */
export function normKernels(
  { name, x, weight, bias, y, stats, eps, groups = 1 }: Forward,
  variant: Variant | undefined,
): Dispatch[] {
  const { type, rows, columns, byTeam, team, step } = divide(x, groups, variant, bias !== undefined);
  const EPS = String(eps);
  const inputs = [
    read('x', x, type),
    read('weight', weight, type),
    ...(bias ? [read('bias', bias, type)] : []),
    write('y', y, type),
  ];
  if (byTeam)
    return [
      team(name, { FORWARD: true, DX: false, WEIGHTS: false, EPS }, [...inputs, write('stats', stats)]),
    ];
  return [
    step(`${name}.stats`, rows, { STATS: true, EPS }, [read('x', x, type), write('stats', stats)]),
    step(name, columns, { APPLY: true }, [...inputs, read('stats', stats)]),
  ];
}

interface Backward {
  readonly name: string;
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly stats: Tensor;
  readonly dy: Tensor;
  readonly dx: Tensor;
  readonly dweight: Tensor;
  readonly dbias?: Tensor;
  /** More than 1 for RMSNorm alone. */
  readonly groups?: number;
}

/** The dispatches of the backward pass; gradients that no node reads are not computed. */
export function normBackwardKernels(
  { name, x, weight, stats, dy, dx, dweight, dbias, groups = 1 }: Backward,
  lowering: Lowering,
  variant: Variant | undefined,
): Dispatch[] {
  const { type, size, rows, runs, columns, byTeam, team, step } = divide(
    x,
    groups,
    variant,
    dbias !== undefined,
    MAX_RUNS[lowering.software ? 'software' : 'gpu'],
  );
  const PARTS = dbias ? 2 : 1;
  const DX = lowering.isUsed(dx);
  const WEIGHTS = lowering.isUsed(dweight) || (dbias !== undefined && lowering.isUsed(dbias));
  const partial = WEIGHTS ? lowering.scratch('partial', [runs, PARTS, size]) : undefined;
  const inputs = [read('x', x, type), read('dy', dy, type), read('stats', stats)];
  const outputs = [
    ...(DX ? [read('weight', weight, type), write('dx', dx, type)] : []),
    ...(partial ? [write('partial', partial, type)] : []),
  ];
  const dispatches: Dispatch[] = [];
  if (byTeam) dispatches.push(team(name, { FORWARD: false, DX, WEIGHTS, PARTS }, [...inputs, ...outputs]));
  else {
    const sums = DX ? lowering.scratch('sums', [rows, 2]) : undefined;
    if (sums) {
      const bindings = [...inputs, read('weight', weight, type), write('sums', sums)];
      dispatches.push(step(`${name}.sums`, rows, { SUMS: true }, bindings));
    }
    const bindings = [...inputs, ...(sums ? [read('sums', sums)] : []), ...outputs];
    dispatches.push(step(name, columns, { COLUMNS: true, DX, WEIGHTS, PARTS }, bindings));
  }
  // The runs of all groups with the same rows lie together.
  if (partial) dispatches.push(channelSums(partial, runs / groups, lowering, dweight, dbias));
  return dispatches;
}

const at = (data: Float64Array, i: number): number => data[i] as number;

/** The forward pass in float64: mean and bias only where `bias` is given. */
export function normReference(
  x: Value64,
  weight: Value64,
  bias: Value64 | undefined,
  { eps, groups = 1 }: NormAttrs,
) {
  const d = width(x.shape) / groups;
  const rows = groups * rowsOf(x.shape);
  const y = new Float64Array(x.data.length);
  const stats = new Float64Array(rows * (bias ? LAYER_STATS : RMS_STATS));
  for (let row = 0; row < rows; row++) {
    const values = x.data.subarray(row * d, row * d + d);
    const mean = bias ? values.reduce((sum, value) => sum + value, 0) / d : 0;
    const r = 1 / Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / d + eps);
    values.forEach((value, c) => {
      const scale = at(weight.data, (row % groups) * d + c);
      y[row * d + c] = (value - mean) * r * scale + (bias ? at(bias.data, c) : 0);
    });
    stats.set(bias ? [mean - at(values, 0), r] : [r], (row * stats.length) / rows);
  }
  return { y, stats };
}

/** The backward pass in float64, from the forward pass's `stats`. */
export function normBackwardReference(x: Value64, weight: Value64, stats: Value64, dy: Value64, groups = 1) {
  const d = width(x.shape) / groups;
  const rows = groups * rowsOf(x.shape);
  const centered = width(stats.shape) === LAYER_STATS;
  const dx = new Float64Array(x.data.length);
  const dweight = new Float64Array(groups * d);
  const dbias = new Float64Array(d);
  for (let row = 0; row < rows; row++) {
    const base = row * d;
    const first = (row % groups) * d;
    const mean = centered ? at(x.data, base) + at(stats.data, row * LAYER_STATS) : 0;
    const r = at(stats.data, centered ? row * LAYER_STATS + 1 : row);
    const normal = x.data.subarray(base, base + d).map((value) => (value - mean) * r);
    const g = dy.data.subarray(base, base + d).map((value, c) => value * at(weight.data, first + c));
    const meanG = centered ? g.reduce((sum, value) => sum + value, 0) / d : 0;
    const meanGx = g.reduce((sum, value, c) => sum + value * at(normal, c), 0) / d;
    for (let c = 0; c < d; c++) {
      dx[base + c] = r * (at(g, c) - meanG - at(normal, c) * meanGx);
      dweight[first + c] = at(dweight, first + c) + at(dy.data, base + c) * at(normal, c);
      dbias[c] = at(dbias, c) + at(dy.data, base + c);
    }
  }
  return { dx, dweight, dbias };
}
