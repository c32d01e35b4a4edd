/** Draws the filmstrip: a row for each time that the detector was asked about the same part of a recording. */
import type { SeizureEvent } from '../../../eeg/events/events';
import type { Pen } from '../../ui/svg_pen';
import { drawPage, LABEL_WIDTH, type Colours, type PageToDraw } from '../detector/draw';
import type { FilmRow, RecordedScores } from './recorded';

export interface FilmToDraw {
  readonly rows: readonly FilmRow[];
  /** Rows that there will be. */
  readonly count: number;
  /** Hz of their probabilities. */
  readonly rate: number;
  readonly seconds: number;
  readonly reference: readonly SeizureEvent[];
  /** What stands beside the rows of these steps, where there is room. */
  readonly scores: readonly Pick<RecordedScores, 'step' | 'auroc'>[];
  /** Rows up to this step are drawn, and of the next one as much as the step is under way. */
  readonly until: number;
}

/** Pixels of a row, and of its gap. */
const ROW = 9;
const GAP = 1;
/** Shades of a probability. */
const SHADES = 16;
/** Room for a score beside a row. */
const SCORE_WIDTH = 84;
/** Pixels below which scores are said elsewhere. */
const NARROW = 700;

export const filmHeight = ({ count }: Pick<FilmToDraw, 'count'>): number => count * ROW + 4;

/** Pixels of the time axis, with the labels before it. */
export const axisWidth = (width: number): number => (width < NARROW ? width : width - SCORE_WIDTH);

export function drawFilm(pen: Pen, width: number, film: FilmToDraw, colours: Colours): void {
  const { rows, rate, seconds, reference, scores, until } = film;
  const [left, right] = [LABEL_WIDTH, axisWidth(width)];
  const x = (time: number): number => left + (time / seconds) * (right - left);
  rows.forEach(({ step, probabilities }, i) => {
    const before = rows[i - 1]?.step ?? step - 1;
    const share = Math.min(1, (until - before) / Math.max(1, step - before));
    if (share <= 0) return;
    const top = i * ROW + 2;
    pen.fillStyle = colours.line;
    pen.globalAlpha = 0.35;
    pen.fillRect(left, top, (right - left) * share, ROW - GAP);
    pen.fillStyle = colours.accent;
    drawRow(
      pen,
      probabilities.subarray(0, Math.round(probabilities.length * share)),
      (at) => x(at / rate),
      top,
    );
    pen.globalAlpha = 1;
    pen.fillStyle = colours.muted;
    const score = scores.find((one) => one.step === step);
    if (i === 0 || score) {
      pen.textAlign = 'right';
      pen.fillText(`step ${step}`, left - 6, top + (ROW - GAP) / 2);
    }
    if (!score || share < 1 || right === width) return;
    pen.fillStyle = colours.text;
    pen.textAlign = 'left';
    pen.fillText(`AUROC ${score.auroc.toFixed(2)}`, right + 6, top + (ROW - GAP) / 2);
  });
  pen.strokeStyle = colours.seizure;
  pen.setLineDash([3, 3]);
  for (const { start, end } of reference)
    for (const time of [start, end]) {
      pen.beginPath();
      pen.moveTo(x(time), 0);
      pen.lineTo(x(time), filmHeight(film));
      pen.stroke();
    }
  pen.setLineDash([]);
}

/** Neighbours of the same shade are one rectangle. */
function drawRow(pen: Pen, values: Float32Array, x: (at: number) => number, top: number): void {
  const shadeOf = (value: number | undefined): number => Math.round((SHADES - 1) * (value ?? 0));
  for (let from = 0, to = 0; from < values.length; from = to) {
    const shade = shadeOf(values[from]);
    while (to < values.length && shadeOf(values[to]) === shade) to++;
    if (shade === 0) continue;
    pen.globalAlpha = shade / (SHADES - 1);
    pen.fillRect(x(from), top, x(to) - x(from), ROW - GAP);
  }
}

export interface Poster {
  readonly title: string;
  readonly page: PageToDraw;
  readonly film: FilmToDraw;
  /** Below the film. */
  readonly caption: string;
}

const [MARGIN, HEAD, TRACES, FOOT] = [24, 40, 380, 36];

export const POSTER_WIDTH = 1280;
export const posterHeight = ({ film }: Poster): number => HEAD + TRACES + 8 + filmHeight(film) + FOOT;

/** The picture that is shared: traces, film, and what it is. */
export function drawPoster(pen: Pen, poster: Poster, colours: Colours): void {
  const { title, page, film, caption } = poster;
  const width = POSTER_WIDTH - 2 * MARGIN;
  pen.fillStyle = colours.surface;
  pen.fillRect(0, 0, POSTER_WIDTH, posterHeight(poster));
  pen.save();
  pen.translate(MARGIN, 0);
  const { font } = pen;
  pen.fillStyle = colours.text;
  pen.textAlign = 'left';
  pen.font = `bold 16px system-ui, sans-serif`;
  pen.fillText(title, 0, HEAD / 2);
  pen.font = font;
  pen.translate(0, HEAD);
  drawPage(pen, axisWidth(width), TRACES, page, colours);
  pen.translate(0, TRACES + 8);
  drawFilm(pen, width, film, colours);
  pen.translate(0, filmHeight(film) + FOOT / 2);
  pen.fillStyle = colours.muted;
  pen.textAlign = 'left';
  pen.fillText(caption, 0, 0);
  pen.restore();
}
