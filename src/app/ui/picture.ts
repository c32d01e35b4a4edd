/** Saves what a pen draws, as PNG or SVG. */
import { download } from './download';
import { SvgPen, type Pen } from './svg_pen';

export interface Drawing {
  /** Of the file, without its ending. */
  readonly name: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly draw: (pen: Pen) => void;
}

/** Pixels of a picture's pixel. */
const SHARP = 2;

/** Sets the canvas to `width` × `height` CSS pixels, each `ratio` of the canvas's, and returns a context in those units. */
export function contextOf(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
  ratio = devicePixelRatio,
): CanvasRenderingContext2D {
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('this browser gives no canvas to draw on');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  return context;
}

/** Throws, with a sentence, where the browser makes no PNG. */
export async function savePng({ name, width, height, draw }: Drawing): Promise<void> {
  const canvas = document.createElement('canvas');
  draw(contextOf(canvas, width, height, SHARP));
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  if (!blob) throw new Error('The browser could not make a PNG of the picture. Save it as SVG.');
  download(`${name}.png`, blob);
}

export function saveSvg({ name, width, height, draw }: Drawing): void {
  const pen = new SvgPen(width, height);
  draw(pen);
  download(`${name}.svg`, new Blob([pen.toString()], { type: 'image/svg+xml' }));
}
