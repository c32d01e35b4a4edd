/** What the pictures and the tables of GPU memory show. */
import type { VramLayer, VramPart, VramPrediction } from '../../../estimate/vram/predict';
import { livingAt, type Timeline, type TimelineBlock } from '../../../estimate/vram/replay';
import type { Phase, Use } from '../../../estimate/vram/events';
import { bytes } from '../../ui/format';
import { VRAM_ORDER } from './parts';
import type { Caption } from './stack';

export interface Segment {
  readonly part: VramPart;
  /** Percent of the bar. */
  readonly from: number;
  readonly width: number;
}

export interface Bar {
  readonly segments: readonly Segment[];
  /** Percent at which the GPU's memory ends. */
  readonly capacity: number;
  /** Percent at which the range of the whole starts, and how wide it is. */
  readonly low: number;
  readonly span: number;
  /** Likely bytes as a share of the GPU's memory. */
  readonly share: number;
}

/** Parts side by side in the order of the pictures; the bar is as long as the memory of the GPU, or as the highest prediction. */
export function barOf({ parts, total }: VramPrediction, gpuBytes: number): Bar {
  const whole = Math.max(gpuBytes, total.high) * 1.02;
  const percent = (bytes: number): number => (100 * bytes) / whole;
  let from = 0;
  const segments = VRAM_ORDER.flatMap((name) => {
    const part = parts.find((one) => one.name === name);
    if (!part) return [];
    const segment = { part, from, width: percent(part.bytes.likely) };
    from += segment.width;
    return [segment];
  });
  return {
    segments,
    capacity: percent(gpuBytes),
    low: percent(total.low),
    span: percent(total.high - total.low),
    share: total.likely / gpuBytes,
  };
}

export interface LayerRow extends VramLayer {
  readonly total: number;
  /** Percent of the largest row. */
  readonly share: number;
}

export function layerRows(layers: readonly VramLayer[]): LayerRow[] {
  const rows = layers.map((layer) => ({ ...layer, total: layer.parameters + layer.saved + layer.casts }));
  const largest = Math.max(1, ...rows.map(({ total }) => total));
  return rows.map((row) => ({ ...row, share: (100 * row.total) / largest }));
}

export const USES: readonly Use[] = VRAM_ORDER.filter(
  (name): name is Use => name !== 'context' && name !== 'reserve' && name !== 'unexplained',
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
  readonly largest: readonly TimelineBlock[];
  readonly others: number;
  readonly othersBytes: number;
}

/** The tensors that are allocated during the operation at a point; the `max` largest by themselves. */
export function largestAt(timeline: Timeline, point: number, max: number): Living {
  const living = livingAt(timeline, point);
  const rest = living.slice(max);
  return {
    largest: living.slice(0, max),
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

/** The memory of the GPU, where the picture would not shrink to a stripe below it. */
export const limitsOf = (picture: StepPicture, gpuBytes: number): number[] =>
  gpuBytes <= heightOf(picture) ? [gpuBytes] : [];

/** Operations of a phase that is too short to be written under the picture. */
const SHORT = 5;

export const captionsOf = ({ phases }: StepPicture): Caption[] => {
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
