/** Draws curves with their axes and names, as the picture that is saved: on a canvas, or as SVG. */
import { ticksOf } from '../../../lessons/course/scale';
import type { Point } from '../../../training/logs/log';
import { count, plain } from '../../ui/format';
import type { Pen } from '../../ui/svg_pen';

export interface CurveToDraw {
  readonly label: string;
  readonly colour: string;
  readonly dash: readonly number[];
  readonly points: readonly Point[];
}

export interface CurvesToDraw {
  readonly title: string;
  readonly curves: readonly CurveToDraw[];
  readonly colours: {
    readonly text: string;
    readonly muted: string;
    readonly line: string;
    readonly surface: string;
  };
}

export const CURVES_WIDTH = 960;
const [LEFT, RIGHT, TOP, BOTTOM, PLOT, NAME] = [64, 24, 44, 36, 360, 20];

export const curvesHeight = ({ curves }: Pick<CurvesToDraw, 'curves'>): number =>
  TOP + PLOT + BOTTOM + NAME * curves.length;

/** The values' range; a single value has room around it. */
function rangeOf(values: readonly number[]): { readonly min: number; readonly max: number } {
  // Spread as arguments, a long run's values would be too many.
  const [min, max] = values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [
    Infinity,
    -Infinity,
  ] as const);
  return min < max ? { min, max } : { min: min - 0.5, max: max + 0.5 };
}

export function drawCurves(pen: Pen, { title, curves, colours }: CurvesToDraw): void {
  pen.fillStyle = colours.surface;
  pen.fillRect(0, 0, CURVES_WIDTH, curvesHeight({ curves }));
  const font = (weight: string, pixels: number): string => `${weight} ${pixels}px system-ui, sans-serif`;
  const write = (text: string, x: number, y: number, align: CanvasTextAlign, colour: string): void => {
    [pen.fillStyle, pen.textAlign, pen.textBaseline] = [colour, align, 'middle'];
    pen.fillText(text, x, y);
  };
  pen.font = font('bold', 16);
  write(title, LEFT, TOP / 2, 'left', colours.text);
  pen.font = font('400', 12);
  const points = curves.flatMap((curve) => curve.points).filter(({ value }) => Number.isFinite(value));
  if (points.length > 0) {
    const x = { ...rangeOf(points.map(({ step }) => step)), log: false };
    const y = { ...rangeOf([...points.map(({ value }) => value), 0]), log: false };
    const right = CURVES_WIDTH - RIGHT;
    const xAt = (step: number): number => LEFT + ((step - x.min) / (x.max - x.min)) * (right - LEFT);
    const yAt = (value: number): number => TOP + PLOT - ((value - y.min) / (y.max - y.min)) * PLOT;
    const line = (from: readonly [number, number], to: readonly (readonly [number, number])[]): void => {
      pen.beginPath();
      pen.moveTo(...from);
      for (const one of to) pen.lineTo(...one);
      pen.stroke();
    };
    pen.lineWidth = 1;
    pen.strokeStyle = colours.line;
    for (const tick of ticksOf(y)) {
      line([LEFT, yAt(tick)], [[right, yAt(tick)]]);
      write(plain(tick), LEFT - 8, yAt(tick), 'right', colours.muted);
    }
    for (const tick of ticksOf(x).filter(Number.isInteger))
      write(count(tick), xAt(tick), TOP + PLOT + 14, 'center', colours.muted);
    pen.lineWidth = 2;
    for (const { colour, dash, points: own } of curves) {
      const known = own.filter(({ value }) => Number.isFinite(value));
      const [first, ...rest] = known.map(({ step, value }) => [xAt(step), yAt(value)] as const);
      if (!first) continue;
      pen.strokeStyle = colour;
      pen.setLineDash([...dash]);
      // A single point is a dash.
      line(first, rest.length > 0 ? rest : [[first[0] + 6, first[1]]]);
    }
    pen.setLineDash([]);
  }
  curves.forEach(({ label, colour, dash }, i) => {
    const at = TOP + PLOT + BOTTOM + NAME * (i + 0.5);
    pen.strokeStyle = colour;
    pen.lineWidth = 3;
    pen.setLineDash([...dash]);
    pen.beginPath();
    pen.moveTo(LEFT, at);
    pen.lineTo(LEFT + 24, at);
    pen.stroke();
    pen.setLineDash([]);
    write(label, LEFT + 34, at, 'left', colours.text);
  });
}
