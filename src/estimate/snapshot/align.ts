/** Two sequences of allocations laid beside each other, by size and order (Needleman and Wunsch, 1970, in a band). */

/** What a pair, a pair of other sizes and one that stays alone are worth. */
const SCORE = { same: 4, other: -1, alone: -2 } as const;
/** Two sizes can be of the same allocation within such a factor. */
const FACTOR = 2;
/** Of the table of decisions: a byte each. */
const MAX_CELLS = 64 * 2 ** 20;

const PAIR = 1;
const SKIP_WANTED = 2;
const SKIP_GIVEN = 3;

/**
 * Which of `given` stands for each of `wanted`; −1 for none. What `given` has before and after costs nothing, so that a part
 * of it is found.
 */
export function align(wanted: Float64Array, given: Float64Array): Int32Array<ArrayBuffer> {
  const [n, m] = [wanted.length, given.length];
  const pairs = new Int32Array(n).fill(-1);
  if (n === 0 || m === 0) return pairs;
  // Columns j − i from −below up to m − n + below, as far as the table may be large.
  const below = Math.max(0, Math.min(n, Math.floor((MAX_CELLS / n - Math.abs(m - n)) / 2)));
  const low = Math.min(0, m - n) - below;
  const high = Math.max(0, m - n) + below;
  const width = high - low + 1;
  const decisions = new Uint8Array((n + 1) * width);
  let above = new Float64Array(width).fill(-Infinity);
  let row = new Float64Array(width);
  for (let k = 0; k < width; k++) if (k + low >= 0 && k + low <= m) above[k] = 0;
  for (let i = 1; i <= n; i++) {
    row.fill(-Infinity);
    const size = wanted[i - 1] as number;
    for (let k = Math.max(0, -i - low); k < width; k++) {
      const j = i + k + low;
      if (j > m) break;
      let best = k + 1 < width ? (above[k + 1] as number) + SCORE.alone : -Infinity;
      let decision = SKIP_WANTED;
      if (j > 0) {
        const pair = (above[k] as number) + worth(size, given[j - 1] as number);
        if (pair >= best) [best, decision] = [pair, PAIR];
        // After the last of `wanted` the rest is free.
        const skip = k > 0 ? (row[k - 1] as number) + (i === n ? 0 : SCORE.alone) : -Infinity;
        if (skip > best) [best, decision] = [skip, SKIP_GIVEN];
      }
      row[k] = best;
      decisions[i * width + k] = decision;
    }
    [above, row] = [row, above];
  }
  let k = m - n - low;
  let i = n;
  while (i > 0) {
    const decision = decisions[i * width + k];
    if (decision === PAIR) {
      pairs[i - 1] = i + k + low - 1;
      i--;
    } else if (decision === SKIP_GIVEN) k--;
    else {
      i--;
      k++;
    }
    if (k < 0 || k >= width) break;
  }
  return pairs;
}

const worth = (a: number, b: number): number =>
  a === b ? SCORE.same : a <= FACTOR * b && b <= FACTOR * a ? SCORE.other : -Infinity;

/** Where in `given` a stretch as long as `wanted` has the most sizes in common with it, in whatever order; the last of equal ones. */
export function likest(wanted: Float64Array, given: Float64Array): number {
  const n = wanted.length;
  const missing = new Map<number, number>();
  for (const size of wanted) missing.set(size, (missing.get(size) ?? 0) + 1);
  let common = 0;
  let best = -1;
  let at = 0;
  for (let i = 0; i < given.length; i++) {
    const enters = given[i] as number;
    const wants = missing.get(enters);
    if (wants !== undefined) {
      if (wants > 0) common++;
      missing.set(enters, wants - 1);
    }
    if (i >= n) {
      const leaves = given[i - n] as number;
      const wanted = missing.get(leaves);
      if (wanted !== undefined) {
        if (wanted >= 0) common--;
        missing.set(leaves, wanted + 1);
      }
    }
    if (common >= best) {
      best = common;
      at = Math.max(0, i - n + 1);
    }
  }
  return at;
}
