/** A run on several machines as a picture: its time across, its cost upwards, both on a log axis. */
import type { Quantity } from '../../../base/quantity';
import type { Fit } from '../../../config/verdict';
import type { StopCost } from '../../../estimate/scenario';
import type { Limits } from './prediction';
import type { ScenarioView } from './time_view';
import { dollars, hours } from './text';

/** Pixels around the plot, for what the axes say. */
const AROUND = { left: 58, right: 12, top: 12, bottom: 38 };
const HEIGHT = 300;
/** Pixels between the baselines of two names. */
const LINE = 15;

/** A range on one axis, in pixels, cut at the plot's edges. */
interface Span {
  readonly likely: number;
  readonly from: number;
  readonly to: number;
}

export interface CostTimeDot {
  readonly title: string;
  readonly fits: Fit;
  readonly chosen: boolean;
  readonly time: Span;
  readonly cost: Span;
  /** Where the name stands, beside the dot or as near as the others leave room. */
  readonly name: { readonly x: number; readonly y: number; readonly anchor: 'start' | 'end' };
}

export interface CostTimePicture {
  readonly width: number;
  readonly height: number;
  /** Edges of the plot. */
  readonly plot: {
    readonly left: number;
    readonly right: number;
    readonly top: number;
    readonly bottom: number;
  };
  readonly times: readonly { readonly at: number; readonly text: string }[];
  readonly costs: readonly { readonly at: number; readonly text: string }[];
  /** Where deadline and budget lie, cut at the plot's edges. */
  readonly deadline: number;
  readonly budget: number;
  readonly dots: readonly CostTimeDot[];
  /** The same in words. */
  readonly said: string;
}

interface Axis {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Decades on an axis; what is smaller than these lies at its edge. */
const MAX_DECADES = 6;

/** Decades that hold the largest of `values` and those within reach of it, from pixel `from` to pixel `to`. */
function logAxis(values: readonly number[], from: number, to: number): Axis {
  const known = values.filter((value) => value > 0 && Number.isFinite(value)).map(Math.log10);
  const lowest = known.length === 0 ? 0 : Math.floor(Math.min(...known));
  const high = Math.max(lowest + 1, Math.ceil(Math.max(...known)));
  const low = Math.max(lowest, high - MAX_DECADES);
  const at = (value: number): number =>
    from + ((to - from) * (Math.min(high, Math.max(low, Math.log10(value))) - low)) / (high - low);
  return { at, ticks: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)) };
}

const spanOf = ({ at }: Axis, { low, likely, high }: Quantity): Span => ({
  likely: at(likely),
  from: at(low),
  to: at(high),
});

/** Baselines of the names of dots from top to bottom: beside the dot, or as near as keeps a line between two and all above `bottom`. */
function baselinesOf<T extends { readonly cost: Span }>(dots: readonly T[], bottom: number): [T, number][] {
  let last = -Infinity;
  const lines = dots.map(({ cost }) => (last = Math.max(cost.likely + 4, last + LINE)));
  let next = bottom;
  for (let i = lines.length - 1; i >= 0; i--) {
    lines[i] = Math.min(lines[i] ?? next, next);
    next = (lines[i] ?? next) - LINE;
  }
  return dots.map((dot, i) => [dot, lines[i] ?? bottom]);
}

/** What is known of a machine. */
type Placed = Pick<ScenarioView, 'title' | 'fits' | 'chosen'> & {
  readonly all: Pick<StopCost, 'hours' | 'dollars'> | undefined;
};

/** Undefined where no machine has a time and a price. `width`: pixels. */
export function costTimePicture(
  machines: readonly Placed[],
  limits: Limits,
  width: number,
): CostTimePicture | undefined {
  const priced = machines.flatMap(({ title, fits, chosen, all }) =>
    all?.dollars && Number.isFinite(all.hours.likely)
      ? [{ title, fits, chosen, hours: all.hours, dollars: all.dollars }]
      : [],
  );
  if (priced.length === 0) return undefined;
  const plot = {
    left: AROUND.left,
    right: Math.max(AROUND.left + 100, width - AROUND.right),
    top: AROUND.top,
    bottom: HEIGHT - AROUND.bottom,
  };
  const time = logAxis([limits.hours, ...priced.map((one) => one.hours.likely)], plot.left, plot.right);
  const cost = logAxis([limits.dollars, ...priced.map((one) => one.dollars.likely)], plot.bottom, plot.top);
  const middle = (plot.left + plot.right) / 2;
  const placed = priced
    .map(({ hours, dollars, ...one }) => ({ ...one, time: spanOf(time, hours), cost: spanOf(cost, dollars) }))
    .sort((a, b) => a.cost.likely - b.cost.likely);
  const isLeft = ({ time }: (typeof placed)[number]): boolean => time.likely <= middle;
  const sides = [placed.filter(isLeft), placed.filter((one) => !isLeft(one))];
  const baselines = new Map(sides.flatMap((side) => baselinesOf(side, plot.bottom)));
  const dots = placed.map((one): CostTimeDot => {
    // The name of a dot on the left is to its right, where there is room.
    const toRight = isLeft(one);
    const x = one.time.likely + (toRight ? 9 : -9);
    return { ...one, name: { x, y: baselines.get(one) ?? 0, anchor: toRight ? 'start' : 'end' } };
  });
  const within = priced.filter(
    (one) =>
      one.fits !== "won't fit" && one.hours.likely <= limits.hours && one.dollars.likely <= limits.dollars,
  );
  const names = within.map(({ title }) => title).join('; ');
  return {
    width,
    height: HEIGHT,
    plot,
    times: time.ticks.map((value) => ({ at: time.at(value), text: hours(value) })),
    costs: cost.ticks.map((value) => ({ at: cost.at(value), text: dollars(value).replace(/\.00$/, '') })),
    deadline: time.at(limits.hours),
    budget: cost.at(limits.dollars),
    dots,
    said: `Within ${hours(limits.hours)} and ${dollars(limits.dollars)}: ${names || 'no machine'}.`,
  };
}
