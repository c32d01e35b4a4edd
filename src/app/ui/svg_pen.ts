/** Writes as SVG what is drawn on a canvas: the part of the canvas's interface that the pictures here use. */

/** What pictures are drawn with: a canvas, or SvgPen. */
export type Pen = Pick<
  CanvasRenderingContext2D,
  | 'beginPath'
  | 'clip'
  | 'fillRect'
  | 'fillStyle'
  | 'fillText'
  | 'font'
  | 'globalAlpha'
  | 'lineTo'
  | 'lineWidth'
  | 'measureText'
  | 'moveTo'
  | 'rect'
  | 'restore'
  | 'save'
  | 'setLineDash'
  | 'stroke'
  | 'strokeRect'
  | 'strokeStyle'
  | 'textAlign'
  | 'textBaseline'
  | 'translate'
>;

const STATE = {
  fillStyle: '#000',
  strokeStyle: '#000',
  globalAlpha: 1,
  lineWidth: 1,
  font: '11px system-ui, sans-serif',
  textAlign: 'left' as CanvasTextAlign,
  textBaseline: 'middle' as CanvasTextBaseline,
};

const ANCHORS: Partial<Record<CanvasTextAlign, string>> = { right: 'end', end: 'end', center: 'middle' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);

/** A tenth of a pixel is seen by nobody, and more digits are most of the file. */
const short = (value: number): string => String(Math.round(value * 10) / 10);

/** Colours are those of a sheet of style, `#rrggbb` or names; gradients and patterns are not written. */
export class SvgPen implements Pen {
  fillStyle = STATE.fillStyle;
  strokeStyle = STATE.strokeStyle;
  globalAlpha = STATE.globalAlpha;
  lineWidth = STATE.lineWidth;
  font = STATE.font;
  textAlign = STATE.textAlign;
  textBaseline = STATE.textBaseline;
  readonly #parts: string[] = [];
  readonly #saved: { state: typeof STATE; dash: string; groups: number; x: number; y: number }[] = [];
  #path = '';
  #rect = '';
  #dash = '';
  /** Of the origin. */
  #x = 0;
  #y = 0;
  /** Clipped groups that are open. */
  #groups = 0;
  #clips = 0;

  constructor(
    private readonly width: number,
    private readonly height: number,
  ) {}

  save(): void {
    const { fillStyle, strokeStyle, globalAlpha, lineWidth, font, textAlign, textBaseline } = this;
    const state = { fillStyle, strokeStyle, globalAlpha, lineWidth, font, textAlign, textBaseline };
    this.#saved.push({ state, dash: this.#dash, groups: this.#groups, x: this.#x, y: this.#y });
  }

  restore(): void {
    const saved = this.#saved.pop();
    if (!saved) return;
    Object.assign(this, saved.state);
    [this.#dash, this.#x, this.#y] = [saved.dash, saved.x, saved.y];
    for (; this.#groups > saved.groups; this.#groups--) this.#parts.push('</g>');
  }

  translate(x: number, y: number): void {
    this.#x += x;
    this.#y += y;
  }

  beginPath(): void {
    this.#path = this.#rect = '';
  }

  moveTo(x: number, y: number): void {
    this.#path += `M${this.#at(x, y)}`;
  }

  lineTo(x: number, y: number): void {
    this.#path += `${this.#path === '' ? 'M' : 'L'}${this.#at(x, y)}`;
  }

  rect(x: number, y: number, width: number, height: number): void {
    this.#rect = `<rect ${this.#box(x, y, width, height)}/>`;
  }

  clip(): void {
    const id = `clip${this.#clips++}`;
    this.#parts.push(`<clipPath id="${id}">${this.#rect}</clipPath><g clip-path="url(#${id})">`);
    this.#groups++;
  }

  stroke(): void {
    if (this.#path !== '') this.#parts.push(`<path d="${this.#path}" ${this.#stroke()}/>`);
  }

  strokeRect(x: number, y: number, width: number, height: number): void {
    this.#parts.push(`<rect ${this.#box(x, y, width, height)} ${this.#stroke()}/>`);
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.#parts.push(`<rect ${this.#box(x, y, width, height)} ${this.#fill()}/>`);
  }

  fillText(text: string, x: number, y: number): void {
    const anchor = ANCHORS[this.textAlign] ?? 'start';
    const [, weight = '400', size = '11px', family = 'sans-serif'] =
      /^(?:(\d+|bold) )?(\S+) (.*)$/.exec(this.font) ?? [];
    this.#parts.push(
      `<text x="${short(x + this.#x)}" y="${short(y + this.#y)}" ${this.#fill()} font-size="${size}" font-weight="${weight}" font-family="${escaped(family)}" text-anchor="${anchor}" dominant-baseline="central">${escaped(text)}</text>`,
    );
  }

  setLineDash(dash: number[]): void {
    this.#dash = dash.join(' ');
  }

  /** About: nothing here knows the reader's fonts. */
  measureText(text: string): TextMetrics {
    return { width: 6 * text.length } as TextMetrics;
  }

  /** The file. */
  toString(): string {
    const { width, height } = this;
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${this.#parts.join('\n')}</svg>\n`;
  }

  #at(x: number, y: number): string {
    return `${short(x + this.#x)} ${short(y + this.#y)}`;
  }

  #box(x: number, y: number, width: number, height: number): string {
    return `x="${short(x + this.#x)}" y="${short(y + this.#y)}" width="${short(width)}" height="${short(height)}"`;
  }

  #fill(): string {
    return `fill="${this.fillStyle}"${this.#alpha('fill')}`;
  }

  #stroke(): string {
    const dash = this.#dash === '' ? '' : ` stroke-dasharray="${this.#dash}"`;
    return `fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"${dash}${this.#alpha('stroke')}`;
  }

  #alpha(what: 'fill' | 'stroke'): string {
    return this.globalAlpha === 1 ? '' : ` ${what}-opacity="${this.globalAlpha.toFixed(2)}"`;
  }
}
