/** What a lesson is made of, for the page that shows it and the worker that computes it. */
import type { Lab } from './lab';

/** The seed and the sliders of a step, by name. */
export type Settings = Readonly<Record<string, number>>;

/** Numbers that a sentence of the lesson names. */
export type Facts = Readonly<Record<string, number>>;

export interface Axis {
  readonly min: number;
  readonly max: number;
  readonly log?: boolean;
}

/** What the learner guesses: some numbers within bounds, or one (or several) of at most eight options. */
export type Guess =
  | { readonly kind: 'numbers'; readonly count: number; readonly range: Axis }
  | { readonly kind: 'choice'; readonly count: number; readonly many?: boolean };

/**
 * The picture before anything is measured. A guessed number is drawn across the axis `mark`, or as
 * a hollow bar at the place that `guessed` has for it.
 */
export type Frame =
  | { readonly kind: 'lines'; readonly x: Axis; readonly y: Axis; readonly mark?: 'x' | 'y' }
  | { readonly kind: 'bars'; readonly y: Axis; readonly guessed?: readonly number[] }
  | { readonly kind: 'matrix' };

/** A setting that may be changed once the answer is known; it is then measured again. */
export interface Control extends Axis {
  readonly name: string;
  readonly initial: number;
  /** The only values there are; without it any of the axis. */
  readonly values?: readonly number[];
}

export interface Step {
  /** Part of no address: that has the step's number. */
  readonly id: string;
  readonly guess: Guess;
  readonly frame: Frame;
  readonly controls?: readonly Control[];
  /** Whether its answer depends on the seed. */
  readonly seeded?: boolean;
  /** The last question: within 5 % counts as understood. */
  readonly transfer?: boolean;
}

export interface LessonPlan {
  /** The address is `#/…/name/step`. */
  readonly name: string;
  readonly steps: readonly Step[];
}

/** `reference` is the same in float64, NaN where it was not computed. */
export interface Line {
  readonly name: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly reference: readonly number[];
  /** Drawn in the colour of the measurement; others are faint. */
  readonly strong?: boolean;
}

export interface Bar {
  readonly name: string;
  /** Of one of many bars, as a token has. */
  readonly place?: number;
  readonly value: number;
  readonly reference: number;
}

/** Values [rows, columns], row by row. */
export interface Matrix {
  readonly name: string;
  readonly columns: number;
  readonly values: readonly number[];
  readonly reference: readonly number[];
  /** What each value is made of, by name. */
  readonly parts?: readonly Facts[];
}

/** A value of a matrix that is pointed at; rows and columns count from 0. */
export interface Entry {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly reference: number;
  readonly parts: Facts;
}

export interface Measured {
  /** What the guess is compared with: numbers, or the indices of the right options. */
  readonly answer: readonly number[];
  /** Where along x an answer stands that is marked on y; in the middle where left out. */
  readonly at?: readonly number[];
  readonly facts: Facts;
  readonly lines?: readonly Line[];
  readonly bars?: readonly Bar[];
  readonly matrix?: Matrix;
  /** Whether a training was recorded beforehand, because it cannot run here. */
  readonly recorded?: boolean;
}

/** Texts of a step. Sentences in which numbers stand get them as they were measured. */
export interface StepText {
  readonly question: string;
  readonly options?: readonly string[];
  /** Of the numbers that are guessed. */
  readonly labels?: readonly string[];
  readonly unit?: string;
  readonly x?: string;
  readonly y?: string;
  readonly controls?: Readonly<Record<string, string>>;
  /** Says what an entry of the step’s matrix joins, and its value. */
  readonly entry?: (entry: Entry) => string;
  readonly reveal: (facts: Facts, guess: readonly number[]) => string;
  readonly why: (facts: Facts) => string;
  readonly formula: string;
  /** For the teacher: what to ask, and what usually surprises. */
  readonly ask: string;
  readonly surprise: string;
}

export interface LessonText {
  readonly title: string;
  /** What the models and numbers of the lesson are. */
  readonly about: string;
  /** For the teacher with ten minutes. */
  readonly path: string;
  /** How curves and bars are called that a measurement names; its own name where left out, as of `K = 4`. */
  readonly names?: Readonly<Record<string, string>>;
  readonly steps: Readonly<Record<string, StepText>>;
}

export type Measure = (lab: Lab, settings: Settings) => Promise<Measured>;
export type Measures = Readonly<Record<string, Measure>>;

/** Three significant digits, and more where the number is whole and longer; below a ten-thousandth as `1e-6`. */
export function say(value: number, locale = 'en-US'): string {
  if (!Number.isFinite(value)) return '–';
  if (value !== 0 && Math.abs(value) < 1e-4) return String(Number(value.toPrecision(3)).toExponential());
  const rounded = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3));
  return rounded.toLocaleString(locale, { maximumSignificantDigits: 8 });
}

/** A share as `94 %`, with one decimal below 10 %. */
export const sharePercent = (share: number): string =>
  `${(100 * share).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`;

/** Whether a transfer answer counts as understood. */
export const understood = (guess: readonly number[], answer: readonly number[]): boolean =>
  guess.length === answer.length &&
  guess.every((value, i) => Math.abs(value - (answer[i] as number)) <= 0.05 * Math.abs(answer[i] as number));

/** What was measured, with its curves and bars called as the texts call them. */
export function named(measured: Measured, names: LessonText['names'] = {}): Measured {
  const call = <T extends { readonly name: string }>(one: T): T => ({
    ...one,
    name: names[one.name] ?? one.name,
  });
  const { lines, bars, matrix } = measured;
  return {
    ...measured,
    ...(lines && { lines: lines.map(call) }),
    ...(bars && { bars: bars.map(call) }),
    ...(matrix && { matrix: call(matrix) }),
  };
}

/** All values of a picture beside those in float64, in the order in which a table lists them. */
export function rowsOf({ lines = [], bars = [], matrix }: Measured) {
  const rows: { name: string; place: number | null; value: number; reference: number }[] = [];
  for (const { name, x, y, reference } of lines)
    y.forEach((value, i) =>
      rows.push({ name, place: x[i] as number, value, reference: reference[i] ?? NaN }),
    );
  for (const { name, place = null, value, reference } of bars) rows.push({ name, place, value, reference });
  matrix?.values.forEach((value, i) =>
    rows.push({
      name: `${matrix.name} ${Math.floor(i / matrix.columns) + 1}`,
      place: (i % matrix.columns) + 1,
      value,
      reference: matrix.reference[i] ?? NaN,
    }),
  );
  return rows;
}

/** The largest difference from float64, of the largest value; NaN where nothing was compared. */
export function differenceOf(measured: Measured): number {
  const compared = rowsOf(measured).filter(({ reference }) => !Number.isNaN(reference));
  const largest = Math.max(...compared.map(({ reference }) => Math.abs(reference)));
  const apart = Math.max(...compared.map(({ value, reference }) => Math.abs(value - reference)));
  if (compared.length === 0) return NaN;
  return apart === 0 ? 0 : apart / largest;
}
