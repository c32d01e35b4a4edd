/** Curves of runs laid over each other: one tag of each run's log. */
import { STEP_LOSS, type Log, type Point } from '../../../training/logs/log';
import type { Line } from '../../ui/chart';
import { smooth } from '../../ui/smooth';

export interface Curve {
  readonly id: string;
  readonly label: string;
  readonly log: Log;
  /** Opened from a file, as of a production run. */
  readonly opened: boolean;
}

/** Tags that any of them has. */
export const tagsOf = (curves: readonly Curve[]): string[] => [
  ...new Set(curves.flatMap(({ log }) => [...log.keys()])),
];

/** What a tag's curve shows, and what its steps count. */
export const titleOf = (tag: string): string =>
  tag === STEP_LOSS ? 'Loss by step, smoothed where all steps are known' : `${tag} by epoch`;

const COLOURS = ['--accent', '--seizure', '--good', '--syntax-text', '--caution', '--text', '--ghost'];

/** How the curve of this place looks: opened ones and those whose colour is taken are dashed. */
export const lineOf = ({ opened }: Pick<Curve, 'opened'>, i: number): Line => ({
  colour: COLOURS[i % COLOURS.length] ?? '--accent',
  ...(opened ? { dash: [6, 4] } : i >= COLOURS.length && { dash: [2, 3] }),
});

/**
 * A tag's points as they are drawn: the loss of steps smoothed, so that curves can be told from each other. A mean over points far
 * from each other would lag behind them.
 */
export function pointsOf({ log }: Pick<Curve, 'log'>, tag: string): readonly Point[] {
  const points = log.get(tag) ?? [];
  const span = (points.at(-1)?.step ?? 0) - (points[0]?.step ?? 0);
  if (tag !== STEP_LOSS || points.length < span / 2) return points;
  const smoothed = smooth(points.map(({ value }) => value));
  return points.map(({ step }, i) => ({ step, value: smoothed[i] ?? NaN }));
}

/** All steps that any has, and a value at each for every one of them; undefined where it has none, which a line passes over. */
export function alignedPoints(lines: readonly (readonly Point[])[]): [number[], ...(number | undefined)[][]] {
  const steps = [...new Set(lines.flatMap((points) => points.map(({ step }) => step)))].sort((a, b) => a - b);
  return [
    steps,
    ...lines.map((points) => {
      const values = new Map(points.map(({ step, value }) => [step, value]));
      return steps.map((step) => values.get(step));
    }),
  ];
}
