/**
 * Interpolation of a missing electrode from the others by spherical splines (Perrin et al. 1989, "Spherical splines for
 * scalp potential and current density mapping", with the corrections of 1990), with MNE-Python's parameters: stiffness 4,
 * 50 Legendre terms, 1e-5 added to the diagonal, a constant besides the splines.
 *
 * MNE takes `standard_1020` positions in head coordinates and directions from the centre of the sphere that fits them. For
 * the 19 electrodes here MNE 1.3.0 finds the centre (−0.96, 15.64, 45.38) mm whether Fz and Pz are recorded or not; the
 * directions below are from there. One difference is wanted: the trainer also uses electrodes beyond the 19 where a file has
 * them with a known position, and where one has none MNE's failure is swallowed and the channel stays zero.
 */
import { CHANNELS, type Channel } from './montage';

/** Unit vectors to the right ear, the nose and the vertex. */
export const DIRECTIONS = {
  Fp1: [-0.285550935, 0.943701345, -0.166998308],
  F3: [-0.543737711, 0.759766012, 0.356517754],
  C3: [-0.742905175, 0.086618569, 0.663768879],
  P3: [-0.55537423, -0.614707632, 0.560083915],
  F7: [-0.759650646, 0.615558532, -0.209806077],
  T3: [-0.986293129, -0.008930116, -0.164760788],
  T5: [-0.785463702, -0.617353005, -0.043841068],
  O1: [-0.301874284, -0.948816512, 0.092839338],
  Fz: [-0.002754212, 0.80475445, 0.593601457],
  Cz: [-0.004295509, 0.125297635, 0.992109899],
  Pz: [-0.007344598, -0.599236969, 0.800538014],
  Fp2: [0.278602108, 0.945695869, -0.167452049],
  F4: [0.546277842, 0.765471073, 0.340050815],
  C4: [0.747818243, 0.089474172, 0.657846675],
  P4: [0.556713459, -0.611532227, 0.562226342],
  F8: [0.758213506, 0.616463704, -0.21233177],
  T4: [0.985681976, -0.004484873, -0.168555415],
  T6: [0.778463115, -0.626063479, -0.04516303],
  O2: [0.284352856, -0.954208788, 0.092892644],
} as const satisfies Readonly<Record<Channel, readonly [number, number, number]>>;

const STIFFNESS = 4;
const TERMS = 50;
const REGULARISATION = 1e-5;

/** g(x) = Σ_{n=1}^{50} (2n + 1) / (n⁴ (n + 1)⁴ 4π) P_n(x), by the recurrence of the Legendre polynomials. */
function spline(cosine: number): number {
  let sum = 0;
  for (let n = 1, previous = 1, current = cosine; n <= TERMS; n++) {
    sum += ((2 * n + 1) / ((n * (n + 1)) ** STIFFNESS * 4 * Math.PI)) * current;
    [previous, current] = [current, ((2 * n + 1) * cosine * current - n * previous) / (n + 1)];
  }
  return sum;
}

const between = (a: Channel, b: Channel): number => {
  const [ax, ay, az] = DIRECTIONS[a];
  const [bx, by, bz] = DIRECTIONS[b];
  return (ax * bx + ay * by + az * bz) / (Math.hypot(ax, ay, az) * Math.hypot(bx, by, bz));
};

/** Weights of the channels that are not `missing`, in the order of CHANNELS, whose sum of products is the missing one. */
export function splineWeights(target: Channel, missing: readonly Channel[]): Map<Channel, number> {
  const from = CHANNELS.filter((channel) => !missing.includes(channel));
  // [G + λI, 1; 1ᵀ, 0] w = [g; 1]; the matrix is symmetric, so this is MNE's [g, 1] C⁻¹.
  const rows = [...from, null].map((a) => [
    ...[...from, null].map((b) =>
      a === null || b === null ? Number(a !== b) : spline(between(a, b)) + (a === b ? REGULARISATION : 0),
    ),
    a === null ? 1 : spline(between(target, a)),
  ]);
  const solution = solve(rows);
  return new Map(from.map((channel, i) => [channel, solution[i] ?? 0]));
}

/** Gaussian elimination with partial pivoting of [A | b], n rows of n + 1. */
function solve(rows: number[][]): number[] {
  const n = rows.length;
  const cell = (i: number, j: number): number => rows[i]?.[j] ?? 0;
  for (let column = 0; column < n; column++) {
    let pivot = column;
    for (let i = column + 1; i < n; i++)
      if (Math.abs(cell(i, column)) > Math.abs(cell(pivot, column))) pivot = i;
    [rows[column], rows[pivot]] = [rows[pivot] ?? [], rows[column] ?? []];
    for (let i = column + 1; i < n; i++) {
      const factor = cell(i, column) / cell(column, column);
      const row = rows[i];
      for (let j = column; row && j <= n; j++) row[j] = cell(i, j) - factor * cell(column, j);
    }
  }
  const solution = new Array<number>(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    let sum = cell(i, n);
    for (let j = i + 1; j < n; j++) sum -= cell(i, j) * (solution[j] ?? 0);
    solution[i] = sum / cell(i, i);
  }
  return solution;
}
