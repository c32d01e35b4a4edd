/** How every chart of curves is drawn: uPlot's options from what a page has to say of one. */
import uPlot from 'uplot';
import { count } from './format';

/** A curve: its colour is the name of a custom property of app.css. */
export interface Line {
  readonly colour: string;
  readonly width?: number;
  readonly dash?: number[];
}

/** A horizontal dotted line that the curves are measured against. */
export interface Mark {
  readonly value: number;
  readonly label: string;
}

export interface ChartShape {
  readonly lines: readonly Line[];
  /** Writes a value of the y axis. */
  readonly say: (value: number) => string;
  /** The y axis for the smallest and the largest value; both are null where there is none. */
  readonly range: (min: number | null, max: number | null) => uPlot.Range.MinMax;
  /** Whether the y axis is logarithmic. */
  readonly log: boolean;
  readonly mark: Mark | undefined;
}

/** What a pointer does on a chart; steps are values of the x axis. */
export interface Pointing {
  /** The step under the pointer; null where it left. */
  readonly onpoint: (step: number | null) => void;
  /** The stretch that was dragged across. */
  readonly onzoom: (from: number, to: number) => void;
  /** Double click. */
  readonly onreset: () => void;
  /** The line nearest to the pointer, by its index, which then stands out; null where none is near. */
  readonly onpick?: (line: number | null) => void;
}

/** From 0 to a little above the largest value. */
export const fromZero = (_: number | null, max: number | null): uPlot.Range.MinMax => [0, 1.05 * (max ?? 1)];

/** Around the values of a logarithmic axis, in whole decades. */
export const decades = (min: number, max: number): uPlot.Range.MinMax => uPlot.rangeLog(min, max, 10, false);

/** A drag shorter than this is a click. */
const MIN_DRAG_PIXELS = 5;
/** A line that is further from the pointer is not picked. */
const PICK_PIXELS = 24;
const FONT_PIXELS = 12;
const FONT = 'system-ui, sans-serif';
/** Steps are whole. */
const INCREMENTS = [1, 2, 5].flatMap((digit) => [0, 1, 2, 3, 4, 5, 6].map((power) => digit * 10 ** power));

/** Read when the chart is drawn, so that a redraw is enough where the theme changes. */
const colour =
  (name: string) =>
  (u: uPlot): string =>
    getComputedStyle(u.root).getPropertyValue(name);

export function chartOptions(
  { lines, say, range, log, mark }: ChartShape,
  size: { width: number; height: number },
  pointing: Pointing | undefined,
): uPlot.Options {
  const axis = { stroke: colour('--muted'), font: `${FONT_PIXELS}px ${FONT}`, ticks: { show: false } };
  return {
    ...size,
    // Before there are values there is no x axis to hold the lower half of a 0.
    padding: [8, 20, 6, 0],
    legend: { show: false },
    scales: {
      x: { time: false },
      y: {
        distr: log ? 3 : 1,
        range: (_, min: number | null, max: number | null) => range(min, max),
      },
    },
    series: [
      {},
      ...lines.map(({ colour: name, width = 2, dash }) => ({
        stroke: colour(name),
        width,
        points: { show: false },
        ...(dash && { dash }),
      })),
    ],
    axes: [
      {
        ...axis,
        size: 28,
        gap: 4,
        grid: { show: false },
        incrs: INCREMENTS.toSorted((a, b) => a - b),
        values: (_, steps) => steps.map((step) => count(step)),
      },
      {
        ...axis,
        size: 52,
        gap: 6,
        grid: { stroke: colour('--line'), width: 1 },
        values: (_, values) => values.map((value: number | null) => (value === null ? '' : say(value))),
      },
    ],
    cursor: pointing ? cursorOf(pointing) : { show: false },
    ...(pointing?.onpick && { focus: { alpha: 0.3 } }),
    hooks: {
      // The first series of uPlot's is the x axis.
      setSeries: pointing?.onpick ? [(_, i) => pointing.onpick?.(i === null ? null : i - 1)] : [],
      setSelect: pointing ? [(u) => zoom(u, pointing)] : [],
      drawAxes: mark ? [(u) => drawMark(u, mark)] : [],
    },
  };
}

function cursorOf({ onpoint, onreset, onpick }: Pointing): uPlot.Cursor {
  return {
    y: false,
    ...(onpick && { focus: { prox: PICK_PIXELS } }),
    points: { show: false },
    drag: { x: true, y: false, setScale: false },
    bind: {
      mousemove: (u, _, handle) => (event) => {
        handle(event);
        onpoint(u.data[0][u.valToIdx(u.posToVal(event.offsetX, 'x'))] ?? null);
        return null;
      },
      mouseleave: (_, __, handle) => (event) => {
        handle(event);
        onpoint(null);
        return null;
      },
      dblclick: () => () => {
        onreset();
        return null;
      },
    },
  };
}

function zoom(u: uPlot, { onzoom }: Pointing): void {
  const { left, width } = u.select;
  if (width >= MIN_DRAG_PIXELS) onzoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
  u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

function drawMark(u: uPlot, { value, label }: Mark): void {
  const { ctx, bbox } = u;
  const y = u.valToPos(value, 'y', true);
  if (!(y > bbox.top && y < bbox.top + bbox.height)) return;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('--muted')(u);
  ctx.setLineDash([2 * scale, 3 * scale]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${FONT_PIXELS * scale}px ${FONT}`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  ctx.fillText(label, bbox.left + bbox.width, y - 2 * scale);
  ctx.restore();
}
