/**
 * Singular values of a matrix [rows, columns], largest first, by one-sided Jacobi rotations (Golub & Van Loan, Matrix
 * Computations, 4th edition, 8.6.3): columns are turned until they are orthogonal; their lengths are the values.
 */
export function singularValues(values: ArrayLike<number>, rows: number, columns: number): number[] {
  const turned = Array.from({ length: columns }, (_, j) =>
    Float64Array.from({ length: rows }, (_, i) => values[i * columns + j] as number),
  );
  const TURNS = 60;
  for (let turn = 0; turn < TURNS; turn++) {
    let rotated = false;
    for (let p = 0; p < columns; p++)
      for (let q = p + 1; q < columns; q++)
        rotated = rotate(turned[p] as Float64Array, turned[q] as Float64Array) || rotated;
    if (!rotated) break;
  }
  return turned.map((column) => Math.sqrt(dot(column, column))).toSorted((a, b) => b - a);
}

/** Turns two columns in their plane so that they are orthogonal; false where they are already. */
function rotate(a: Float64Array, b: Float64Array): boolean {
  const [aa, bb, ab] = [dot(a, a), dot(b, b), dot(a, b)];
  if (ab === 0 || Math.abs(ab) <= Number.EPSILON * Math.sqrt(aa * bb)) return false;
  const zeta = (bb - aa) / (2 * ab);
  const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
  const cosine = 1 / Math.hypot(1, tangent);
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    a[i] = cosine * (x - tangent * y);
    b[i] = cosine * (tangent * x + y);
  }
  return true;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

/** How many of some singular values, largest first, are above `share` of the largest. */
export const rankOf = (values: readonly number[], share: number): number =>
  values.filter((value) => value > share * (values[0] as number)).length;
