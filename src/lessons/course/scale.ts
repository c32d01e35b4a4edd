/** From values to pixels, and where an axis is labelled. */
import type { Axis } from './step';

/** The share of an axis at which a value stands: 0 at `min`, 1 at `max`, within both. */
export function shareOf({ min, max, log }: Axis, value: number): number {
  const share = log ? Math.log(value / min) / Math.log(max / min) : (value - min) / (max - min);
  return Math.min(1, Math.max(0, share));
}

/** The value at a share of an axis. */
export const valueAt = ({ min, max, log }: Axis, share: number): number =>
  log ? min * (max / min) ** share : min + (max - min) * share;

/** Round values along an axis: powers of ten on a logarithmic one, seven at most, otherwise about five. */
export function ticksOf({ min, max, log }: Axis): number[] {
  const ticks: number[] = [];
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(min) - 1e-9), Math.floor(Math.log10(max) + 1e-9)];
    const every = Math.ceil((last - first) / 6);
    for (let power = last; power >= first; power -= Math.max(1, every)) ticks.unshift(10 ** power);
    return ticks;
  }
  const rough = (max - min) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) as number) * power;
  for (let i = Math.ceil(min / step); i * step <= max * (1 + 1e-9); i++) ticks.push(i * step);
  return ticks;
}
