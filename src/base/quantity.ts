/**
 * A predicted number with its uncertainty and where it comes from. Everything that `estimate` says is one of these, in the
 * unit that its name carries (bytes, seconds, dollars).
 */

/** From the most certain to the least. */
export const BASES = ['measured', 'derived', 'assumed'] as const;
/**
 * `measured`: read off a machine or a file. `derived`: follows from shapes, source code or documents by arithmetic.
 * `assumed`: a judgement; nothing was measured and nothing forces it.
 */
export type Basis = (typeof BASES)[number];

/** A number with its range, all three of one unit. */
export interface Range {
  readonly low: number;
  /** What to show where there is room for one number. */
  readonly likely: number;
  readonly high: number;
}

/** Which of the three. */
export type Bound = keyof Range;

export interface Quantity extends Range {
  readonly basis: Basis;
  /** A clause: which source, formula or measurement. */
  readonly source: string;
}

/** Throws RangeError unless low ≤ likely ≤ high. */
export function quantity(
  [low, likely, high]: readonly [number, number, number],
  basis: Basis,
  source: string,
): Quantity {
  if (!(low <= likely && likely <= high))
    throw new RangeError(`a quantity needs low ≤ likely ≤ high, it got ${low}, ${likely}, ${high}`);
  return { low, likely, high, basis, source };
}

export const exactly = (value: number, basis: Basis, source: string): Quantity =>
  quantity([value, value, value], basis, source);

/** A sum is as certain as its least certain term. */
export const weakest = (bases: readonly Basis[]): Basis =>
  BASES[Math.max(0, ...bases.map((basis) => BASES.indexOf(basis)))] as Basis;

/**
 * Lows, likely values and highs added each by themselves: a range that no combination of the terms leaves, wider than
 * what independent errors would give.
 */
export function sum(terms: readonly Quantity[], source: string): Quantity {
  const add = (bound: Bound): number => terms.reduce((total, term) => total + term[bound], 0);
  return quantity([add('low'), add('likely'), add('high')], weakest(terms.map(({ basis }) => basis)), source);
}

/** Every bound times a positive number. */
export const scaled = (term: Quantity, factor: number, source = term.source): Quantity =>
  quantity([term.low * factor, term.likely * factor, term.high * factor], term.basis, source);
