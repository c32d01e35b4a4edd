/** How long the recordings of a corpus are, in windows, and the draw of a random window's file. */
import type { Random } from '../base/random';
import type { Quantity } from '../base/quantity';

/** Lengths that are known, or a distribution that stands for them. */
export type RecordingLengths =
  | { readonly kind: 'given'; readonly windows: readonly number[] }
  | {
      /** Log-normal, cut off at the longest and then moved so that the mean holds. */
      readonly kind: 'lognormal';
      /** Windows of a recording. */
      readonly mean: number;
      /** Standard deviation of the logarithm; where it is a range, each simulated run has one of it. */
      readonly spread: Quantity;
      readonly longest: number;
    };

/** Of files that stand for a distribution. */
const FILES = 4096;
/** Entries of the table that is drawn from. */
const SLOTS = 1 << 16;

/** Windows of each recording, at least one each; throws RangeError where there is none. */
export function lengthsOf(
  lengths: RecordingLengths,
  spread = lengths.kind === 'lognormal' ? lengths.spread.likely : 0,
): Float64Array {
  if (lengths.kind === 'given') {
    const windows = lengths.windows.filter((count) => count >= 1);
    if (windows.length === 0) throw new RangeError('No recording is as long as one window.');
    return Float64Array.from(windows);
  }
  const { mean, longest } = lengths;
  if (!(mean >= 1 && spread >= 0 && longest > mean))
    throw new RangeError(
      `Recordings have a mean of at least 1 window (${mean}), a spread of at least 0 (${spread}) and a longest above the mean (${longest}).`,
    );
  const shape = Float64Array.from({ length: FILES }, (_, i) => Math.exp(spread * probit((i + 0.5) / FILES)));
  const cut = (value: number, scale: number): number => Math.max(1, Math.min(longest, scale * value));
  const meanAt = (scale: number): number => {
    let sum = 0;
    for (const value of shape) sum += cut(value, scale);
    return sum / FILES;
  };
  let [low, high] = [0, longest * mean];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (meanAt(middle) < mean) low = middle;
    else high = middle;
  }
  return shape.map((value) => cut(value, high));
}

/**
 * Lengths in windows of the files that random windows lie in: a file with more windows is met more often, so what a batch
 * decompresses is longer than the mean recording by 1 + its squared coefficient of variation.
 */
export class WindowFiles {
  /** Of a window's file: where its length is in `#lengths`, each slot as likely as another. Small enough for a core's cache. */
  readonly #slots = new Uint16Array(SLOTS);
  readonly #lengths: Float64Array;
  readonly files: number;
  /** Windows of a recording. */
  readonly mean: number;
  /** Windows of a random window's recording. */
  readonly meanMet: number;
  readonly longest: number;

  /** `spread`: of a log-normal distribution, instead of its likely one. */
  constructor(lengths: RecordingLengths, spread?: number) {
    const sorted = lengthsOf(lengths, spread).sort();
    const total = sorted.reduce((sum, value) => sum + value, 0);
    const windows: number[] = [];
    let [file, until] = [0, sorted[0] ?? 0];
    for (let slot = 0; slot < SLOTS; slot++) {
      const at = ((slot + 0.5) / SLOTS) * total;
      while (until < at && file < sorted.length - 1) until += sorted[++file] ?? 0;
      const length = sorted[file] ?? 0;
      if (windows.at(-1) !== length) windows.push(length);
      this.#slots[slot] = windows.length - 1;
    }
    this.#lengths = Float64Array.from(windows);
    this.files = sorted.length;
    this.mean = total / sorted.length;
    this.meanMet = sorted.reduce((sum, value) => sum + value * value, 0) / total;
    this.longest = sorted[sorted.length - 1] ?? 0;
  }

  /** Windows of the file of a random window. */
  draw(random: Random): number {
    return this.#lengths[this.#slots[random.bits() >>> 16] as number] as number;
  }
}

/** Tables for a range of spreads, each as likely as another. */
const TABLES = 5;

/** The tables made so far: a search for what fits asks for the same ones many times. */
const known = new WeakMap<RecordingLengths, readonly WindowFiles[]>();

/** One table, or several where the spread is a range. */
export function windowFiles(lengths: RecordingLengths): readonly WindowFiles[] {
  const tables = known.get(lengths) ?? makeTables(lengths);
  known.set(lengths, tables);
  return tables;
}

function makeTables(lengths: RecordingLengths): WindowFiles[] {
  if (lengths.kind === 'given' || lengths.spread.low === lengths.spread.high)
    return [new WindowFiles(lengths)];
  const { spread } = lengths;
  return Array.from(
    { length: TABLES },
    (_, i) => new WindowFiles(lengths, triangular(spread, (i + 0.5) / TABLES)),
  );
}

/** Quantile `share` of the triangular distribution over low, likely, high. */
export function triangular({ low, likely, high }: Quantity, share: number): number {
  if (high === low) return likely;
  return share < (likely - low) / (high - low)
    ? low + Math.sqrt(share * (high - low) * (likely - low))
    : high - Math.sqrt((1 - share) * (high - low) * (high - likely));
}

/**
 * Quantile of the standard normal distribution, within 5·10⁻⁴: Abramowitz & Stegun (1964), 26.2.23.
 */
function probit(p: number): number {
  if (p > 0.5) return -probit(1 - p);
  const t = Math.sqrt(-2 * Math.log(p));
  const above = 2.515517 + t * (0.802853 + t * 0.010328);
  const below = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return above / below - t;
}
