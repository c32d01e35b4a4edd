/**
 * How a run is cut into submits. While a GPU computes a submit it may draw nothing else, and drivers take one that lasts for
 * seconds for a hang (two seconds on Windows); so none is meant to last long. Where the cuts are changes no result.
 */
import type { Node } from './graph';
import type { Cost } from './ops/definition';

/** Milliseconds that a submit is meant to take at most, by what the runs before took. */
const LONGEST_MS = 150;
/** The same before anything is measured. */
const LONGEST_FIRST_MS = 500;

/** So many times as many submits are made where the GPU was lost twice at one place. */
const SHORTER = 10;

/** A slow device, for what is not measured yet: a small integrated GPU reaches more with these kernels. */
const SLOW = { flopsPerMs: 1e7, bytesPerMs: 5e6 } as const;

const slowMs = ({ flops, bytes }: Cost): number => Math.max(flops / SLOW.flopsPerMs, bytes / SLOW.bytesPerMs);

/** Milliseconds that each dispatch would take on a slow device: its share of its node's cost. */
export function slowTimes(dispatches: readonly { readonly node: Node }[]): readonly number[] {
  const counts = new Map<Node, number>();
  for (const { node } of dispatches) counts.set(node, (counts.get(node) ?? 0) + 1);
  return dispatches.map(({ node }) => slowMs(node.op.cost(node)) / (counts.get(node) ?? 1));
}

/**
 * The indices at which submits end, the last one being the number of dispatches. `times` are those of the dispatches on a slow
 * device; `measuredMs` is what all of them took on this one, undefined before it is known. `shorter`: a tenth as long.
 */
export function submitEnds(
  times: readonly number[],
  measuredMs: number | undefined,
  shorter = false,
): readonly number[] {
  const total = times.reduce((sum, time) => sum + time, 0);
  const count = Math.ceil(measuredMs === undefined ? total / LONGEST_FIRST_MS : measuredMs / LONGEST_MS);
  const longest = total / Math.max(1, count) / (shorter ? SHORTER : 1);
  const ends: number[] = [];
  let filled = 0;
  for (const [index, time] of times.entries()) {
    // A dispatch cannot be cut; one that is too long has a submit of its own.
    if (filled > 0 && filled + time > longest * (1 + 1e-9)) {
      ends.push(index);
      filled = 0;
    }
    filled += time;
  }
  return [...ends, times.length];
}
