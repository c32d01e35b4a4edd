/** Geometry of pictures of amounts over an axis: stacked areas, lines, bands, ticks. Pixels, y down. */

export interface Frame {
  readonly width: number;
  readonly height: number;
  /** The value at the right edge; 0 is at the left. */
  readonly xMax: number;
  /** The value at the upper edge; 0 is at the lower. */
  readonly yMax: number;
}

/** A place on the x axis, and what is written there. */
export interface Caption {
  readonly at: number;
  readonly label: string;
}

export const xAt = ({ width, xMax }: Frame, x: number): number => round((width * x) / xMax);
export const yAt = ({ height, yMax }: Frame, y: number): number => round(height - (height * y) / yMax);

/** A tenth of a pixel is enough, and keeps paths short. */
const round = (value: number): number => Math.round(value * 10) / 10;

const line = (points: readonly (readonly [number, number])[]): string =>
  points.map(([x, y]) => `${x} ${y}`).join('L');

/**
 * Paths of areas that lie on each other, the first lowest. `xs` rise; `step` holds each value until the next x, for what
 * changes at once; otherwise values are joined by straight lines.
 */
export function areaPaths(
  frame: Frame,
  xs: ArrayLike<number>,
  series: readonly ArrayLike<number>[],
  step = false,
): string[] {
  const count = xs.length;
  let below = new Float64Array(count);
  return series.map((values) => {
    const above = below.map((base, i) => base + (values[i] ?? 0));
    const upper = edge(frame, xs, above, step);
    const lower = edge(frame, xs, below, step).reverse();
    below = above;
    return count === 0 ? '' : `M${line(upper)}L${line(lower)}Z`;
  });
}

export const linePath = (frame: Frame, xs: ArrayLike<number>, ys: ArrayLike<number>, step = false): string =>
  xs.length === 0 ? '' : `M${line(edge(frame, xs, ys, step))}`;

function edge(frame: Frame, xs: ArrayLike<number>, ys: ArrayLike<number>, step: boolean): [number, number][] {
  const points: [number, number][] = [];
  for (let i = 0; i < xs.length; i++) {
    const y = yAt(frame, ys[i] ?? 0);
    points.push([xAt(frame, xs[i] ?? 0), y]);
    if (step) points.push([xAt(frame, xs[i + 1] ?? frame.xMax), y]);
  }
  return points;
}

/** Round values from 0 to `max`, about `count` of them, apart by 1, 2 or 5 times a power of `base`. */
export function ticks(max: number, count: number, unit = 1): number[] {
  if (!(max > 0)) return [0];
  const rough = max / unit / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power * unit;
  return Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** Pixels of a character of small text, on the wide side, and between two captions. */
const CHARACTER = 7;
const GAP = 8;

/** The captions, each starting at its x, that do not run into the one before. */
export function apart(frame: Frame, captions: readonly Caption[]): Caption[] {
  let free = -Infinity;
  return captions.filter(({ at, label }) => {
    const left = xAt(frame, at);
    if (left < free) return false;
    free = left + CHARACTER * label.length + GAP;
    return true;
  });
}

/** Index of the value of `xs` nearest to `x`. Exported for its tests. */
export function nearest(xs: ArrayLike<number>, x: number): number {
  let [low, high] = [0, xs.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) <= x) low = middle;
    else high = middle;
  }
  return Math.abs((xs[high] ?? 0) - x) < Math.abs((xs[low] ?? 0) - x) ? high : low;
}

/** The value of `xs` at a pixel. */
export const atPixel = (frame: Frame, xs: ArrayLike<number>, pixel: number): number =>
  nearest(xs, (pixel / Math.max(1, frame.width)) * frame.xMax);

/** Where a key moves a cursor over `count` places; undefined where it does not. */
export function moved(key: string, at: number, count: number): number | undefined {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: Math.max(1, Math.round(count / 20)),
    PageDown: -Math.max(1, Math.round(count / 20)),
    Home: -count,
    End: count,
  };
  const by = steps[key];
  return by === undefined ? undefined : Math.min(count - 1, Math.max(0, at + by));
}
