/** Numbers as people read them. Every function gives a text with its unit, or a dash where there is nothing to say. */

export const NONE = '–';
/** Keeps a number and its unit on one line. */
const GAP = '\u00a0';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const count = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? NONE : whole.format(value);

/** Three significant digits: 0.00123, 1.23, 12.3, 1,230. */
export function short(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size >= 100) return whole.format(value);
  if (size >= 10) return value.toFixed(1);
  if (size >= 1 || value === 0) return value.toFixed(2);
  return size >= 0.001 ? value.toPrecision(3) : value.toExponential(1);
}

/** The same without zeros at the end: 0.5, 1, 1.5. For axes and scales. */
export const plain = (value: number): string =>
  Math.abs(value) >= 1e-4 || value === 0 ? String(Number(value.toPrecision(3))) : value.toExponential(0);

export const percent = (share: number | undefined, digits = 0): string =>
  share === undefined || !Number.isFinite(share)
    ? NONE
    : share > 0 && share < 0.5 / 100 / 10 ** digits
      ? `<${(1 / 10 ** digits).toFixed(digits)}${GAP}%`
      : `${(100 * share).toFixed(digits)}${GAP}%`;

function scaled(value: number | undefined, base: number, units: readonly string[]): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  let index = 0;
  while (Math.abs(value) >= base && index < units.length - 1) {
    value /= base;
    index++;
  }
  return `${index === 0 ? count(value) : short(value)}${GAP}${units[index] ?? ''}`;
}

export const bytes = (value: number | undefined): string =>
  scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);

/** Bandwidth: decimal, as makers of graphics cards state it. */
export const byteRate = (value: number | undefined): string =>
  scaled(value, 1000, ['B/s', 'kB/s', 'MB/s', 'GB/s', 'TB/s']);

export const flops = (value: number | undefined): string =>
  scaled(value, 1000, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP']);

export const flopRate = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? NONE : `${flops(value)}/s`;

/** 4 s, 2 min 05 s, 3 h 20 min, 2 d 4 h. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const two = (value: number): string => String(value).padStart(2, '0');
  const total = Math.round(seconds);
  if (total < 60) return `${total}${GAP}s`;
  const minutes = Math.floor(total / 60);
  if (minutes < 60) return [minutes, 'min', two(total % 60), 's'].join(GAP);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return [hours, 'h', two(minutes % 60), 'min'].join(GAP);
  return [Math.floor(hours / 24), 'd', hours % 24, 'h'].join(GAP);
}
