/** The scan h_t = a_t h_{t−1} + b_t as joins of neighbours, in any order, in float32 or float64; each join is counted. */
import { Random } from '../../base/random';

/** A stretch of tokens: h after it is a · h before it + b. */
export interface Stretch {
  readonly a: number;
  readonly b: number;
}

export interface Arithmetic {
  readonly round: (value: number) => number;
}

export const FLOAT32: Arithmetic = { round: Math.fround };
export const FLOAT64: Arithmetic = { round: (value) => value };

/** First `left`, then `right`. */
export const join = ({ round }: Arithmetic, left: Stretch, right: Stretch): Stretch => ({
  a: round(left.a * right.a),
  b: round(round(right.a * left.b) + right.b),
});

/** Random tokens with decays between 0.5 and 1, values that float32 holds. */
export function randomTokens(count: number, seed: number): Stretch[] {
  const random = new Random(seed).stream('scan tree');
  return Array.from({ length: count }, () => ({
    a: Math.fround(random.uniform(0.5, 1)),
    b: Math.fround(random.normal()),
  }));
}

export interface Scanned {
  /** h after each token. */
  readonly h: readonly number[];
  readonly joins: number;
  /** Joins that wait for each other. */
  readonly rounds: number;
}

/** Counts joins, and for each stretch how many joins it waited for. */
class Joiner {
  joins = 0;
  rounds = 0;

  constructor(private readonly arithmetic: Arithmetic) {}

  join(left: Counted, right: Counted): Counted {
    this.joins++;
    const depth = Math.max(left.depth, right.depth) + 1;
    this.rounds = Math.max(this.rounds, depth);
    return { ...join(this.arithmetic, left, right), depth };
  }
}

interface Counted extends Stretch {
  readonly depth: number;
}

const counted = (tokens: readonly Stretch[]): Counted[] => tokens.map((token) => ({ ...token, depth: 0 }));

/** One token after another. */
export function walk(tokens: readonly Stretch[], arithmetic: Arithmetic): Scanned {
  const joiner = new Joiner(arithmetic);
  const prefixes = counted(tokens);
  for (let i = 1; i < prefixes.length; i++)
    prefixes[i] = joiner.join(prefixes[i - 1] as Counted, prefixes[i] as Counted);
  return result(prefixes, joiner);
}

/** Hillis & Steele 1986: in each round every token takes in the stretch that ends 1, 2, 4, … before it. */
export function doubling(tokens: readonly Stretch[], arithmetic: Arithmetic): Scanned {
  const joiner = new Joiner(arithmetic);
  let prefixes = counted(tokens);
  for (let reach = 1; reach < tokens.length; reach *= 2)
    prefixes = prefixes.map((own, i) => (i < reach ? own : joiner.join(prefixes[i - reach] as Counted, own)));
  return result(prefixes, joiner);
}

/** Blelloch 1990, for a power of two or padded to it with a = 1, b = 0: up to the root, then the prefixes down again. */
export function sweep(tokens: readonly Stretch[], arithmetic: Arithmetic): Scanned {
  const joiner = new Joiner(arithmetic);
  const length = 2 ** Math.ceil(Math.log2(tokens.length));
  const tree = counted([
    ...tokens,
    ...Array.from({ length: length - tokens.length }, () => ({ a: 1, b: 0 })),
  ]);
  for (let half = 1; half < length; half *= 2)
    for (let end = 2 * half - 1; end < length; end += 2 * half)
      tree[end] = joiner.join(tree[end - half] as Counted, tree[end] as Counted);
  for (let half = length / 4; half >= 1; half /= 2)
    for (let end = 3 * half - 1; end < length; end += 2 * half)
      tree[end] = joiner.join(tree[end - half] as Counted, tree[end] as Counted);
  return result(tree.slice(0, tokens.length), joiner);
}

/** Cut into intervals: each walked to its end, the ends walked, then each walked again from where the one before ended. */
export function intervals(tokens: readonly Stretch[], size: number, arithmetic: Arithmetic): Scanned {
  const joiner = new Joiner(arithmetic);
  const prefixes = counted(tokens);
  const ends: Counted[] = [];
  for (let start = 0; start < prefixes.length; start += size) {
    let end = prefixes[start] as Counted;
    for (let i = start + 1; i < Math.min(start + size, prefixes.length); i++)
      end = joiner.join(end, prefixes[i] as Counted);
    ends.push(end);
  }
  for (let k = 1; k < ends.length; k++) ends[k] = joiner.join(ends[k - 1] as Counted, ends[k] as Counted);
  for (let i = 1; i < prefixes.length; i++) {
    const first = i % size === 0;
    prefixes[i] = joiner.join(
      first ? (ends[i / size - 1] as Counted) : (prefixes[i - 1] as Counted),
      prefixes[i] as Counted,
    );
  }
  return result(prefixes, joiner);
}

const result = (prefixes: readonly Counted[], { joins, rounds }: Joiner): Scanned => ({
  h: prefixes.map(({ b }) => b),
  joins,
  rounds,
});

/** h after the last of some tokens, joined in a random order of neighbours. */
export function randomBracketing(tokens: readonly Stretch[], random: Random, arithmetic: Arithmetic): number {
  const left = [...tokens];
  while (left.length > 1) {
    const at = random.integer(left.length - 1);
    left.splice(at, 2, join(arithmetic, left[at] as Stretch, left[at + 1] as Stretch));
  }
  return (left[0] as Stretch).b;
}

const bits = new DataView(new ArrayBuffer(4));

/** A float32 as its eight hexadecimal digits. */
export function hexOf(value: number): string {
  bits.setFloat32(0, value);
  return bits.getUint32(0).toString(16).padStart(8, '0');
}

/** The distance of two neighbouring float32 values at this size. */
export const ulpOf = (value: number): number => 2 ** (Math.floor(Math.log2(Math.abs(value))) - 23);
