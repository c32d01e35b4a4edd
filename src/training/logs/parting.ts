/** Where two logs part: the first step at which they have a tag in common and its values differ. */
import type { Log } from './log';

export interface Parting {
  readonly tag: string;
  /** Steps that both have. */
  readonly common: number;
  /** undefined where they are alike at all of them. */
  readonly first: { readonly step: number; readonly values: readonly [number, number] } | undefined;
}

/**
 * Each tag that both have at some step, in the first's order. `tolerance`: the largest difference of values that are alike, as a
 * share of the larger.
 */
export function partings(one: Log, other: Log, tolerance: number): Parting[] {
  return [...one].flatMap(([tag, points]) => {
    const others = new Map(other.get(tag)?.map(({ step, value }) => [step, value]));
    const pairs = points.flatMap(({ step, value }) => {
      const theirs = others.get(step);
      return theirs === undefined ? [] : [{ step, values: [value, theirs] as const }];
    });
    if (pairs.length === 0) return [];
    const first = pairs.find(
      ({ values: [a, b] }) => Math.abs(a - b) > tolerance * Math.max(Math.abs(a), Math.abs(b)),
    );
    return [{ tag, common: pairs.length, first }];
  });
}
