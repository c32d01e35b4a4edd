/** How far a result may be from the expected one, and the verdict on a case. */

/** Bounds of relativeError; `half` of a loss with activations in float16. */
export const BOUNDS = { output: 1e-5, gradient: 1e-4, step: 1e-3, final: 1e-2, half: 2e-2 } as const;

export interface Measurement {
  /** As in the file: `out.y`, `grad.A`. */
  readonly tensor: string;
  readonly error: number;
  readonly bound: number;
}

export type Verdict =
  | { readonly name: string; readonly passed: boolean; readonly tensor: string; readonly error: number }
  | { readonly name: string; readonly passed: false; readonly problem: string };

/** ‖values‖ */
export const size = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0));

/**
 * ‖got − want‖ / ‖want‖, or ‖got‖ where want is 0; NaN when either holds a NaN. A ‖want‖ up to `floor` is the rounding
 * error of a zero: the gradient of a bias that BatchNorm undoes, computed in float64, is 1e-15.
 */
export function relativeError(got: ArrayLike<number>, want: ArrayLike<number>, floor = 0): number {
  if (got.length !== want.length)
    throw new RangeError(`${got.length} values cannot be compared with ${want.length}`);
  const difference = size(Float64Array.from(got, (value, i) => value - (want[i] as number)));
  const norm = size(want);
  return norm <= floor ? difference : difference / norm;
}

/** The verdict is that of the tensor furthest out in terms of its bound; NaN is further than anything. */
export function judge(name: string, measurements: readonly Measurement[]): Verdict {
  const excess = ({ error, bound }: Measurement): number => (Number.isNaN(error) ? Infinity : error / bound);
  const [worst] = [...measurements].sort((a, b) => excess(b) - excess(a) || 0);
  if (!worst) return { name, passed: false, problem: 'it has nothing to compare' };
  const { tensor, error, bound } = worst;
  return { name, passed: error <= bound, tensor, error };
}

/** One line: name, worst tensor, its error (or what went wrong), pass or FAIL. */
export function formatVerdict(verdict: Verdict): string {
  const result =
    'problem' in verdict
      ? verdict.problem.replace(/\s+/g, ' ')
      : `${verdict.tensor.padEnd(32)} ${verdict.error.toExponential(2)}`;
  return `${verdict.name.padEnd(26)} ${result}  ${verdict.passed ? 'pass' : 'FAIL'}`;
}
