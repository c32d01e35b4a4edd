/** Draws a page of EEG, and the overview of a recording, on a canvas. */
import type { SeizureEvent } from '../../../eeg/events/events';
import type { EdfAnnotation } from '../../../eeg/files/edf/file';
import type { Pen } from '../../ui/svg_pen';
import type { Trace } from './montage';

export interface Colours {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly accent: string;
  readonly seizure: string;
  readonly surface: string;
}

export function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const of = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: of('--text'),
    muted: of('--muted'),
    line: of('--line'),
    accent: of('--accent'),
    seizure: of('--seizure'),
    surface: of('--surface'),
  };
}

export interface PageToDraw {
  readonly traces: readonly Trace[];
  /** Hz of the traces. */
  readonly rate: number;
  /** Seconds from the recording's start to the first value of the traces. */
  readonly tracesFrom: number;
  /** Seconds shown, from `start`. */
  readonly start: number;
  readonly seconds: number;
  /** µV of one CSS millimetre. */
  readonly gain: number;
  readonly reference: readonly SeizureEvent[];
  readonly predicted: readonly SeizureEvent[];
  /** A second set of events. */
  readonly others: readonly SeizureEvent[];
  /** What the recording itself holds as annotations. */
  readonly marks: readonly EdfAnnotation[];
  /** What is said where there are no probabilities. */
  readonly unpredicted: string;
  readonly probabilities: Float32Array | null;
  /** Hz of the probabilities. */
  readonly probabilityRate: number;
  /** Above which a probability starts an event. */
  readonly threshold: number;
}

export const LABEL_WIDTH = 64;
const STRIP = 46;
const AXIS = 18;
/** CSS pixels of a millimetre. */
const MILLIMETRE = 96 / 25.4;

export function drawPage(
  context: Pen,
  width: number,
  height: number,
  page: PageToDraw,
  colours: Colours,
): void {
  const { traces, rate, tracesFrom, start, seconds, gain, reference, predicted } = page;
  const plot = { left: LABEL_WIDTH, right: width, top: 0, bottom: height - STRIP - AXIS };
  const x = (time: number): number => plot.left + ((time - start) / seconds) * (plot.right - plot.left);
  band(context, reference, x, [plot.top, plot.bottom], colours.seizure, 0.16, plot);
  grid(context, page, x, plot, height, colours);
  context.save();
  context.beginPath();
  context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
  context.clip();
  const pitch = (plot.bottom - plot.top) / Math.max(1, traces.length);
  const perMicrovolt = MILLIMETRE / gain;
  context.lineWidth = 1;
  context.strokeStyle = colours.text;
  for (const [row, { values }] of traces.entries())
    trace(context, values, (i) => x(tracesFrom + i / rate), pitch * (row + 0.5), perMicrovolt);
  context.restore();
  context.fillStyle = colours.text;
  context.textAlign = 'right';
  traces.forEach(({ label }, row) => context.fillText(label, plot.left - 6, pitch * (row + 0.5)));
  strip(context, page, x, { top: plot.bottom + AXIS, bottom: height, ...plotWidth(plot) }, colours);
  band(context, page.others, x, [height - 11, height - 6], colours.text, 0.55, plot);
  band(context, predicted, x, [height - 5, height], colours.accent, 0.9, plot);
  drawMarks(context, page, x, plot, colours);
}

/** Texts stand in so many rows, so that neighbours do not cover each other. */
const MARK_ROWS = 4;

/** A line where an annotation starts, and its text beside it. */
function drawMarks(
  context: Pen,
  { marks, start, seconds }: PageToDraw,
  x: (time: number) => number,
  { left, right, top, bottom }: { left: number; right: number; top: number; bottom: number },
  colours: Colours,
): void {
  context.save();
  context.beginPath();
  context.rect(left, top, right - left, bottom - top);
  context.clip();
  context.textAlign = 'left';
  context.setLineDash([2, 3]);
  context.strokeStyle = colours.muted;
  const shown = marks.filter(
    ({ onset, duration }) => onset + (duration ?? 0) >= start && onset < start + seconds,
  );
  for (const [i, { onset, text }] of shown.entries()) {
    const at = Math.max(left, x(onset));
    line(context, [at, top], [at, bottom]);
    const words = text.length > 40 ? `${text.slice(0, 40)}…` : text;
    const middle = top + 9 + (i % MARK_ROWS) * 14;
    context.fillStyle = colours.surface;
    context.fillRect(at + 2, middle - 7, context.measureText(words).width + 4, 14);
    context.fillStyle = colours.text;
    context.fillText(words, at + 4, middle);
  }
  context.restore();
}

const plotWidth = ({ left, right }: { left: number; right: number }) => ({ left, right });

/** One vertical line a pixel column from its lowest to its highest value, where there are more samples than pixels. */
function trace(
  context: Pen,
  values: Float32Array,
  x: (sample: number) => number,
  middle: number,
  perMicrovolt: number,
): void {
  const perPixel = Math.max(1, Math.floor(1 / (x(1) - x(0))));
  context.beginPath();
  let drawing = false;
  for (let i = 0; i < values.length; i += perPixel) {
    let [low, high] = [Infinity, -Infinity];
    for (let k = i; k < Math.min(values.length, i + perPixel); k++) {
      const value = values[k] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    if (low > high) {
      drawing = false;
      continue;
    }
    // Negative is up, as on paper.
    const [from, to] = [middle + low * perMicrovolt, middle + high * perMicrovolt];
    if (drawing) context.lineTo(x(i), from);
    else context.moveTo(x(i), from);
    if (high > low) context.lineTo(x(i), to);
    drawing = true;
  }
  context.stroke();
}

function band(
  context: Pen,
  events: readonly SeizureEvent[],
  x: (time: number) => number,
  [top, bottom]: readonly [number, number],
  colour: string,
  alpha: number,
  { left, right }: { left: number; right: number },
): void {
  context.save();
  context.globalAlpha = alpha;
  context.fillStyle = colour;
  for (const { start, end } of events) {
    const [from, to] = [Math.max(left, x(start)), Math.min(right, x(end))];
    if (to > from) context.fillRect(from, top, Math.max(1, to - from), bottom - top);
  }
  context.restore();
}

function grid(
  context: Pen,
  { start, seconds }: PageToDraw,
  x: (time: number) => number,
  plot: { top: number; bottom: number },
  height: number,
  colours: Colours,
): void {
  const perSecond = x(1) - x(0);
  const every = [1, 2, 5, 10, 30, 60, 300].find((step) => step * perSecond >= 55) ?? 600;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.muted;
  context.textAlign = 'left';
  for (let time = Math.ceil(start / every) * every; time <= start + seconds; time += every) {
    context.beginPath();
    context.moveTo(x(time), plot.top);
    context.lineTo(x(time), height);
    context.stroke();
    if (x(time) < x(start + seconds) - 40) context.fillText(clock(time), x(time) + 3, plot.bottom + AXIS / 2);
  }
}

function strip(
  context: Pen,
  { probabilities, probabilityRate, start, seconds, threshold, unpredicted }: PageToDraw,
  x: (time: number) => number,
  box: { left: number; right: number; top: number; bottom: number },
  colours: Colours,
): void {
  context.fillStyle = colours.muted;
  context.textAlign = 'right';
  context.fillText('P(seizure)', box.left - 6, (box.top + box.bottom) / 2);
  const y = (value: number): number => box.bottom - 6 - value * (box.bottom - 8 - box.top);
  context.strokeStyle = colours.line;
  context.strokeRect(box.left + 0.5, box.top + 0.5, box.right - box.left - 1, box.bottom - box.top - 1);
  if (!probabilities) {
    context.textAlign = 'left';
    context.fillText(unpredicted, box.left + 8, (box.top + box.bottom) / 2);
    return;
  }
  context.strokeStyle = colours.muted;
  context.setLineDash([4, 4]);
  line(context, [box.left, y(threshold)], [box.right, y(threshold)]);
  context.setLineDash([]);
  context.strokeStyle = colours.accent;
  context.lineWidth = 1.5;
  context.beginPath();
  const last = Math.min(probabilities.length, Math.ceil((start + seconds) * probabilityRate));
  let drawing = false;
  for (let i = Math.max(0, Math.floor(start * probabilityRate)); i < last; i++) {
    const value = probabilities[i] as number;
    const at = Math.max(box.left, x(i / probabilityRate));
    if (drawing) context.lineTo(at, y(value));
    else context.moveTo(at, y(value));
    drawing = !Number.isNaN(value);
  }
  context.stroke();
  context.lineWidth = 1;
}

function line(context: Pen, from: [number, number], to: [number, number]): void {
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

export interface Overview {
  readonly duration: number;
  readonly start: number;
  readonly seconds: number;
  readonly reference: readonly SeizureEvent[];
  readonly predicted: readonly SeizureEvent[];
  readonly others: readonly SeizureEvent[];
  readonly probabilities: Float32Array | null;
  readonly probabilityRate: number;
}

/** The whole recording: labelled seizures, probability, and the part that is shown. */
export function drawOverview(
  context: Pen,
  width: number,
  height: number,
  { duration, start, seconds, reference, predicted, others, probabilities, probabilityRate }: Overview,
  colours: Colours,
): void {
  const x = (time: number): number => (time / duration) * width;
  const whole = { left: 0, right: width };
  band(context, reference, x, [0, height], colours.seizure, 0.25, whole);
  band(context, others, x, [height - 9, height - 5], colours.text, 0.55, whole);
  band(context, predicted, x, [height - 4, height], colours.accent, 0.9, whole);
  if (probabilities) {
    context.strokeStyle = colours.accent;
    context.beginPath();
    const perPixel = Math.max(1, Math.floor(probabilities.length / width));
    for (let i = 0; i < probabilities.length; i += perPixel) {
      let max = 0;
      // In gaps nothing is known, and nothing rises above 0.
      for (let k = i; k < Math.min(probabilities.length, i + perPixel); k++)
        if ((probabilities[k] as number) > max) max = probabilities[k] as number;
      context.lineTo(x(i / probabilityRate), height - 5 - max * (height - 7));
    }
    context.stroke();
  }
  context.strokeStyle = colours.text;
  context.strokeRect(x(start) + 0.5, 0.5, Math.max(3, x(seconds)) - 1, height - 1);
}

/** 75 → 1:15; 3675 → 1:01:15. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
