/** How uPlot draws a metric of the run. */
import uPlot from 'uplot';
import { count, percent, plain } from '../../app/ui/format';
import type { Charts } from './charts.svelte';
import type { Metric } from './series';

export interface ChartShape {
  readonly metric: Metric;
  readonly width: number;
  readonly height: number;
  readonly log: boolean;
  /** Accuracy of guessing; that and its cross-entropy are drawn as lines. */
  readonly chance: number;
}

/** A drag shorter than this is a click. */
const LEAST_DRAG_PIXELS = 5;

const color =
  (name: string) =>
  (u: uPlot): string =>
    getComputedStyle(u.root).getPropertyValue(name);

const FONT = '12px system-ui, sans-serif';

export function chartOptions(shape: ChartShape, charts: Charts): uPlot.Options {
  const { metric, width, height, log, chance } = shape;
  const guess = metric === 'loss' ? -Math.log(chance) : chance;
  const axis = { stroke: color('--muted'), font: FONT, ticks: { show: false } };
  const grid = { stroke: color('--line'), width: 1 };
  const say = metric === 'loss' ? plain : (value: number): string => percent(value);
  return {
    width,
    height,
    padding: [8, 20, 0, 0],
    legend: { show: false },
    scales: {
      x: { time: false },
      y:
        metric === 'accuracy'
          ? { range: [0, 1] }
          : log
            ? {
                distr: 3,
                range: (_, least: number | null, most: number | null) => logRange(least, most, guess),
              }
            : { range: (_, __, most: number | null) => [0, 1.05 * Math.max(most ?? 0, guess)] },
    },
    series: [
      {},
      { stroke: color('--accent-faint'), width: 1, points: { show: false } },
      { stroke: color('--accent'), width: 2, points: { show: false } },
      { stroke: color('--ghost'), width: 1.5, dash: [6, 4], points: { show: false } },
    ],
    axes: [
      {
        ...axis,
        size: 28,
        gap: 4,
        grid: { show: false },
        values: (_, steps) => steps.map((step) => count(step)),
      },
      {
        ...axis,
        size: 52,
        gap: 6,
        grid,
        values: (_, values) => values.map((value: number | null) => (value === null ? '' : say(value))),
      },
    ],
    cursor: {
      y: false,
      points: { show: false },
      drag: { x: true, y: false, setScale: false },
      bind: {
        mousemove: (u, _, handle) => (event) => {
          handle(event);
          const step = u.posToVal(event.offsetX, 'x');
          charts.cursor = u.data[0][u.valToIdx(step)] ?? null;
          return null;
        },
        mouseleave: (_, __, handle) => (event) => {
          handle(event);
          charts.cursor = null;
          return null;
        },
        dblclick: () => () => {
          charts.showAll();
          return null;
        },
      },
    },
    hooks: {
      setSelect: [
        (u) => {
          const { left, width: pixels } = u.select;
          if (pixels >= LEAST_DRAG_PIXELS) charts.zoom(u.posToVal(left, 'x'), u.posToVal(left + pixels, 'x'));
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      drawAxes: [(u) => drawGuess(u, guess)],
    },
  };
}

/** Around the values, or before there are any around what guessing reaches. */
function logRange(least: number | null, most: number | null, guess: number): uPlot.Range.MinMax {
  if (least === null || most === null) return [guess / 100, guess * 2];
  return uPlot.rangeLog(least, most, 10, false);
}

/** A dotted line at what guessing reaches. */
function drawGuess(u: uPlot, guess: number): void {
  const { ctx, bbox } = u;
  const y = u.valToPos(guess, 'y', true);
  if (!(y > bbox.top && y < bbox.top + bbox.height)) return;
  const scale = devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = color('--muted')(u);
  ctx.setLineDash([2 * scale, 3 * scale]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${12 * scale}px system-ui, sans-serif`;
  ctx.textAlign = 'right';
  ctx.textBaseline = 'bottom';
  ctx.fillText('guessing', bbox.left + bbox.width, y - 2 * scale);
  ctx.restore();
}
