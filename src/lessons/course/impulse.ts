/** What the scan makes of one input at its first token: the clock of a state, measured. */
import { Graph, type Tensor } from '../../engine/graph';
import { selectiveScan } from '../../engine/ops/selective_scan';
import type { Both, Lab } from './lab';

export interface Clock {
  readonly delta: number;
  /** |A| */
  readonly decay: number;
}

/**
 * y of a scan over `length` tokens for the input 1, 0, 0, … with B = C = 1, of each clock in a sequence of its own, one after
 * another: Δ · e^(−Δ |A| t) at token t, with a zero-order hold (1 − e^(−Δ |A|)) / |A| instead of the first Δ.
 */
export async function impulse(
  lab: Lab,
  clocks: readonly Clock[],
  length: number,
  zeroOrderHold = false,
): Promise<readonly Both[]> {
  const graph = new Graph();
  const batch = clocks.length;
  // A is shared by a batch, so each clock is a channel.
  const u = graph.input('u', [1, length, batch]);
  const delta = graph.input('delta', [1, length, batch]);
  const A = graph.input('A', [batch, 1]);
  const B = graph.input('B', [1, length, 1]);
  const C = graph.input('C', [1, length, 1]);
  const y = selectiveScan(graph, { u, delta, A, B, C }, { deltaSoftplus: false, zeroOrderHold });
  const ones = new Float32Array(length).fill(1);
  const feed = new Map<Tensor, Float32Array>([
    [u, Float32Array.from({ length: length * batch }, (_, i) => (i < batch ? 1 : 0))],
    [delta, Float32Array.from({ length: length * batch }, (_, i) => (clocks[i % batch] as Clock).delta)],
    [A, Float32Array.from(clocks, ({ decay }) => -decay)],
    [B, ones],
    [C, ones],
  ]);
  const { got, want } = (await lab.evaluate(graph, feed, new Map(), [y]))(y);
  const column = (values: ArrayLike<number>, channel: number): number[] =>
    Array.from({ length }, (_, t) => values[t * batch + channel] as number);
  return clocks.map((_, channel) => ({ got: column(got, channel), want: column(want, channel) }));
}

/** Tokens in which a decaying series halves, from its first value and its last above a millionth of that. */
export function halfLifeOf(series: ArrayLike<number>): number {
  const first = series[0] as number;
  let last = 0;
  while (last + 1 < series.length && (series[last + 1] as number) > first / 1e6) last++;
  return (Math.LN2 * last) / Math.log(first / (series[last] as number));
}
