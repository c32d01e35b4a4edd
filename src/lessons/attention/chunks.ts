/** A head's scan by chunks, as matrix products, with its arithmetic counted. */
import { deltaOf, type Head } from './head';

export interface Chunked {
  /** [length, headdim], without D. */
  readonly y: Float64Array;
  /** Two for each multiplication that is added. */
  readonly flops: number;
  /** Numbers of all states that enter a chunk. */
  readonly stored: number;
}

/**
 * Within a chunk of `size` steps the matrix, between chunks the state (Dao & Gu 2024, arXiv:2405.21060, section 6), in float64.
 * Counted are the products of C and B for pairs j ≤ i, those with x, the state's reading and its update; not the decays, as
 * the kernels do not count them either.
 */
export function chunkedScan(head: Head, size: number): Chunked {
  const { attrs, length, xbc, A } = head;
  const { headdim: P, dState: N, reverse } = attrs;
  const width = P + 2 * N;
  const delta = deltaOf(head);
  const row = (step: number): number => (reverse ? length - 1 - step : step);
  const X = (step: number, p: number): number => xbc[row(step) * width + p] as number;
  const B = (step: number, n: number): number => xbc[row(step) * width + P + n] as number;
  const C = (step: number, n: number): number => xbc[row(step) * width + P + N + n] as number;
  const elapsed = new Float64Array(length + 1);
  for (let step = 0; step < length; step++)
    elapsed[step + 1] = (elapsed[step] as number) + (delta[row(step)] as number);
  /** What is left of a state after steps `from + 1` to `to`. */
  const decayed = (from: number, to: number): number =>
    Math.exp(A * ((elapsed[to + 1] as number) - (elapsed[from + 1] as number)));
  const y = new Float64Array(length * P);
  const state = new Float64Array(N * P);
  let [madds, stored] = [0, 0];
  for (let first = 0; first < length; first += size) {
    const end = Math.min(first + size, length);
    stored += N * P;
    for (let i = first; i < end; i++) {
      const since = decayed(first - 1, i);
      for (let p = 0; p < P; p++) {
        let sum = 0;
        for (let n = 0; n < N; n++) sum += C(i, n) * (state[n * P + p] as number);
        y[row(i) * P + p] = since * sum;
      }
      madds += N * P;
      for (let j = first; j <= i; j++) {
        let weight = 0;
        for (let n = 0; n < N; n++) weight += C(i, n) * B(j, n);
        weight *= decayed(j, i) * (delta[row(j)] as number);
        for (let p = 0; p < P; p++) {
          const at = row(i) * P + p;
          y[at] = (y[at] as number) + weight * X(j, p);
        }
        madds += N + P;
      }
    }
    const whole = decayed(first - 1, end - 1);
    for (let at = 0; at < state.length; at++) state[at] = whole * (state[at] as number);
    madds += N * P;
    for (let j = first; j < end; j++) {
      const weight = decayed(j, end - 1) * (delta[row(j)] as number);
      for (let n = 0; n < N; n++)
        for (let p = 0; p < P; p++) {
          const at = n * P + p;
          state[at] = (state[at] as number) + weight * B(j, n) * X(j, p);
        }
      madds += N * P;
    }
  }
  return { y, flops: 2 * madds, stored };
}
