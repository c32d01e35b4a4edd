/** One training step's memory as a picture: stacked by use over its operations, and what lives at each. */
import { livingAt, type Timeline, type TimelineBlock } from '../../../estimate/vram/replay';
import type { Phase, Use } from '../../../estimate/vram/events';
import { bytes } from '../../ui/format';
import { VRAM_ORDER } from './parts';

export const USES: readonly Use[] = VRAM_ORDER.filter(
  (name): name is Use => name !== 'context' && name !== 'reserve',
);

export interface PhaseSpan {
  readonly phase: Phase;
  /** First and last point. */
  readonly from: number;
  readonly to: number;
}

export interface StepPicture {
  readonly timeline: Timeline;
  /** The points’ indices. */
  readonly xs: Float64Array;
  /** Of each of `USES`, bytes at the highest moment of each operation. */
  readonly series: readonly Float64Array[];
  readonly phases: readonly PhaseSpan[];
  /** The point of the highest moment of all. */
  readonly peak: number;
}

export function stepPicture(timeline: Timeline): StepPicture {
  const { points } = timeline;
  return {
    timeline,
    xs: Float64Array.from(points, (_, at) => at),
    series: USES.map((use) => Float64Array.from(points, ({ uses }) => uses[use])),
    phases: phasesOf(timeline),
    peak: points.reduce((best, { peak }, at) => (peak > (points[best]?.peak ?? 0) ? at : best), 0),
  };
}

function phasesOf({ points }: Timeline): PhaseSpan[] {
  const phases: { phase: Phase; from: number; to: number }[] = [];
  points.forEach(({ phase }, at) => {
    const last = phases.at(-1);
    if (last?.phase === phase) last.to = at;
    else phases.push({ phase, from: at, to: at });
  });
  return phases;
}

export interface Living {
  /** Those that take most. */
  readonly largest: readonly TimelineBlock[];
  readonly others: number;
  readonly othersBytes: number;
}

/** What lives during the operation at a point. */
export function largestAt(timeline: Timeline, point: number, most: number): Living {
  const living = livingAt(timeline, point);
  const rest = living.slice(most);
  return {
    largest: living.slice(0, most),
    others: rest.length,
    othersBytes: rest.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

export interface UseBytes {
  readonly use: Use;
  readonly bytes: number;
}

/** Of each use at a point, the lowest of the picture last, as a person reads it from above. */
export const usesAt = ({ timeline }: StepPicture, point: number): UseBytes[] =>
  USES.map((use) => ({ use, bytes: timeline.points[point]?.uses[use] ?? 0 })).reverse();

/** Bytes at the upper edge of the picture. */
export const heightOf = ({ timeline, peak }: StepPicture): number =>
  1.08 * (timeline.points[peak]?.peak ?? 1);

/** The card's capacity, where the picture would not shrink to a stripe below it. */
export const limitsOf = (picture: StepPicture, cardBytes: number): number[] =>
  cardBytes <= heightOf(picture) ? [cardBytes] : [];

/** Operations of a phase that is too short to be written under the picture. */
const SHORT = 5;

export const captionsOf = ({ phases }: StepPicture): { readonly at: number; readonly label: string }[] => {
  const long = phases.filter(({ from, to }) => to - from >= SHORT);
  const several = long.length > 2;
  return long.map(({ phase, from }, i) => ({
    at: from,
    label: several ? `${phase} ${Math.floor(i / 2) + 1}` : `${phase} pass`,
  }));
};

/** For a screen reader. */
export function describePoint({ timeline }: StepPicture, index: number): string {
  const point = timeline.points[index];
  if (!point) return '';
  return `${bytes(point.peak)} in ${point.op} of ${point.layer}, ${point.phase}, operation ${index + 1} of ${timeline.points.length}`;
}
