/** One head of Mamba-2 as a matrix: M[i, j] = (C_i · B_j) · exp(A Σ Δ) · Δ_j, what step i hears of step j. */
import { Graph, type Tensor } from '../../engine/graph';
import { ssdScan } from '../../engine/ops/ssd_scan';
import type { SsdAttrs } from '../../engine/ops/ssd_scan_shared';
import type { Both, Lab } from '../course/lab';

/** What a scan of a single head is given for one sequence. */
export interface Head {
  readonly attrs: SsdAttrs;
  readonly length: number;
  /** [length, headdim + 2 dState]: x, B and C side by side. */
  readonly xbc: Float32Array;
  /** [length], before bias and softplus. */
  readonly dt: Float32Array;
  readonly A: number;
  readonly dtBias: number;
}

/** Δ of each step. */
export const deltaOf = ({ dt, dtBias }: Head): Float64Array =>
  Float64Array.from(dt, (value) => Math.log1p(Math.exp(value + dtBias)));

/** Whether step i hears step j at all. */
export const hears = ({ attrs }: Head, i: number, j: number): boolean => (attrs.reverse ? i <= j : i >= j);

/** What M[i, j] is the product of, in float64; where step i does not hear step j the mask is 0. */
export interface Parts {
  /** What is left of the state after the steps between. */
  readonly mask: number;
  /** C_i · B_j. */
  readonly match: number;
  /** Δ_j, the step size with which j writes. */
  readonly delta: number;
}

/** Parts of the entry [i, j], by the formula. */
export function partsOf(head: Head): (i: number, j: number) => Parts {
  const { attrs, length, xbc, A } = head;
  const { headdim, dState } = attrs;
  const width = headdim + 2 * dState;
  const deltas = deltaOf(head);
  const elapsed = new Float64Array(length + 1);
  for (let i = 0; i < length; i++) elapsed[i + 1] = (elapsed[i] as number) + (deltas[i] as number);
  // Decay lies over the steps after the one that is heard, up to the one that hears.
  const since = attrs.reverse ? elapsed : elapsed.subarray(1);
  return (i, j) => {
    let match = 0;
    for (let n = 0; n < dState; n++)
      match += (xbc[i * width + headdim + dState + n] as number) * (xbc[j * width + headdim + n] as number);
    const decay = Math.exp(A * Math.abs((since[i] as number) - (since[j] as number)));
    return { mask: hears(head, i, j) ? decay : 0, match, delta: deltas[j] as number };
  };
}

/** M [length, length] in float64, by the formula. */
export function matrixOf(head: Head): Float64Array {
  const { length } = head;
  const parts = partsOf(head);
  const matrix = new Float64Array(length * length);
  for (let i = 0; i < length; i++)
    for (let j = 0; j < length; j++) {
      if (!hears(head, i, j)) continue;
      const { mask, match, delta } = parts(i, j);
      matrix[i * length + j] = match * mask * delta;
    }
  return matrix;
}

/** y [batch, length, headdim] of the scan alone, without D, for other x [batch, length, headdim]. Exported for its tests. */
export async function scanOf(lab: Lab, head: Head, batch: number, x: Float32Array): Promise<Both> {
  const { attrs, length, xbc, dt, A, dtBias } = head;
  const { headdim } = attrs;
  const width = headdim + 2 * attrs.dState;
  const graph = new Graph();
  const inputs = {
    xbc: graph.input('xbc', [batch, length, width]),
    dt: graph.input('dt', [batch, length, 1]),
    A: graph.input('A', [1]),
    D: graph.input('D', [1]),
    dtBias: graph.input('dt_bias', [1]),
  };
  const y = ssdScan(graph, inputs, attrs);
  const rows = batch * length;
  const others = Float32Array.from({ length: rows * width }, (_, i) => {
    const column = i % width;
    const row = Math.floor(i / width);
    return (column < headdim ? x[row * headdim + column] : xbc[(row % length) * width + column]) as number;
  });
  const feed = new Map<Tensor, Float32Array>([
    [inputs.xbc, others],
    [inputs.dt, Float32Array.from({ length: rows }, (_, i) => dt[i % length] as number)],
    [inputs.A, Float32Array.of(A)],
    [inputs.D, Float32Array.of(0)],
    [inputs.dtBias, Float32Array.of(dtBias)],
  ]);
  return (await lab.evaluate(graph, feed, new Map(), [y]))(y);
}

/** M as the scan itself computes it: each channel of x is 1 at one step and 0 elsewhere, so its y is a column. */
export async function scannedMatrix(lab: Lab, head: Head): Promise<Float64Array> {
  const { attrs, length } = head;
  const { headdim } = attrs;
  const batch = Math.ceil(length / headdim);
  const x = new Float32Array(batch * length * headdim);
  for (let j = 0; j < length; j++) {
    const [b, p] = [Math.floor(j / headdim), j % headdim];
    x[(b * length + j) * headdim + p] = 1;
  }
  const { got } = await scanOf(lab, head, batch, x);
  return Float64Array.from({ length: length * length }, (_, at) => {
    const [i, j] = [Math.floor(at / length), at % length];
    return got[(Math.floor(j / headdim) * length + i) * headdim + (j % headdim)] as number;
  });
}

/** Part [rows, columns] of M from (i, j) on. */
export function blockOf(
  matrix: Float64Array,
  length: number,
  [i, j]: readonly [number, number],
  size: number,
): Float64Array {
  return Float64Array.from(
    { length: size * size },
    (_, at) => matrix[(i + Math.floor(at / size)) * length + j + (at % size)] as number,
  );
}

/** Means of |M| or of M over squares of `size` steps, [length / size, length / size]. */
export function coarse(matrix: Float64Array, length: number, size: number): number[] {
  const side = length / size;
  const sums = Array.from({ length: side * side }, () => 0);
  for (let i = 0; i < length; i++)
    for (let j = 0; j < length; j++) {
      const at = Math.floor(i / size) * side + Math.floor(j / size);
      sums[at] = (sums[at] as number) + (matrix[i * length + j] as number) / size ** 2;
    }
  return sums;
}

/** Over how many steps a row collects `share` of its |M|, the median of the rows from `first` on and before `end`. */
export function reachOf(
  matrix: Float64Array,
  { length, attrs }: Head,
  share: number,
  [first, end]: readonly [number, number] = [0, length],
): number {
  const steps = Array.from({ length: end - first }, (_, at) => {
    const i = first + at;
    const row = matrix.subarray(i * length, (i + 1) * length).map(Math.abs);
    const all = row.reduce((sum, value) => sum + value, 0);
    let sum = 0;
    for (let distance = 0; distance < length; distance++) {
      sum += row[attrs.reverse ? i + distance : i - distance] ?? 0;
      if (sum >= share * all) return distance;
    }
    return length;
  });
  return medianOf(steps);
}

export const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

/** Sums of the rows of M. */
export const rowSums = (matrix: Float64Array, length: number): number[] =>
  Array.from({ length }, (_, i) =>
    matrix.subarray(i * length, (i + 1) * length).reduce((sum, value) => sum + value, 0),
  );
