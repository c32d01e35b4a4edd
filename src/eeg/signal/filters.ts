/** Digital filters designed as scipy designs them, in float64. */

/** H(z) = (b₀ + b₁ z⁻¹ + …) / (a₀ + a₁ z⁻¹ + …) with a₀ = 1. */
export interface Filter {
  readonly b: readonly number[];
  readonly a: readonly number[];
}

type Complex = readonly [re: number, im: number];
const add = (x: Complex, y: Complex): Complex => [x[0] + y[0], x[1] + y[1]];
const subtract = (x: Complex, y: Complex): Complex => [x[0] - y[0], x[1] - y[1]];
const multiply = (x: Complex, y: Complex): Complex => [x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]];
function divide(x: Complex, y: Complex): Complex {
  const square = y[0] * y[0] + y[1] * y[1];
  return [(x[0] * y[0] + x[1] * y[1]) / square, (x[1] * y[0] - x[0] * y[1]) / square];
}
function squareRoot([re, im]: Complex): Complex {
  const size = Math.hypot(re, im);
  const root = Math.sqrt((size + Math.abs(re)) / 2);
  if (root === 0) return [0, 0];
  const other = im / (2 * root);
  return re >= 0 ? [root, other] : [Math.abs(other), im < 0 ? -root : root];
}

/** Coefficients of Π (z − root), highest power first; the roots come in conjugate pairs, so they are real. */
function polynomial(roots: readonly Complex[]): number[] {
  let coefficients: Complex[] = [[1, 0]];
  for (const root of roots)
    coefficients = [...coefficients, [0, 0] as Complex].map((c, i) =>
      subtract(c, multiply(root, coefficients[i - 1] ?? [0, 0])),
    );
  return coefficients.map(([re]) => re);
}

/**
 * Butterworth band-pass from `low` to `high` Hz at `rate` Hz, as `scipy.signal.butter(order, …, 'band')`: the analogue
 * prototype's poles, moved to the pre-warped band (each becomes two), bilinear transform at a rate of 2. It has 2 · order
 * poles, `order` zeros at 0 Hz and as many at the Nyquist frequency.
 */
export function butterworthBandPass(order: number, low: number, high: number, rate: number): Filter {
  if (!(low > 0 && low < high && high < rate / 2))
    throw new RangeError(`a band from ${low} to ${high} Hz does not lie between 0 and ${rate / 2} Hz`);
  const warp = (frequency: number): number => 4 * Math.tan((Math.PI * frequency) / rate);
  const bandwidth = warp(high) - warp(low);
  const centreSquared: Complex = [warp(high) * warp(low), 0];

  const poles: Complex[] = [];
  for (let m = 1 - order; m < order; m += 2) {
    const angle = (Math.PI * m) / (2 * order);
    const scaled: Complex = [(-Math.cos(angle) * bandwidth) / 2, (-Math.sin(angle) * bandwidth) / 2];
    const root = squareRoot(subtract(multiply(scaled, scaled), centreSquared));
    poles.push(add(scaled, root), subtract(scaled, root));
  }
  const digital = poles.map((pole) => divide(add([4, 0], pole), subtract([4, 0], pole)));
  const zeros: Complex[] = [];
  for (let i = 0; i < order; i++) zeros.push([1, 0], [-1, 0]);
  // The analogue gain is bandwidth^order; its zeros at 0 bring a factor of 4 each.
  let gain: Complex = [(bandwidth * 4) ** order, 0];
  for (const pole of poles) gain = divide(gain, subtract([4, 0], pole));
  return { b: polynomial(zeros).map((b) => b * gain[0]), a: polynomial(digital) };
}

/** Second-order notch at `frequency` Hz with −3 dB bandwidth frequency / q, as `scipy.signal.iirnotch`. */
export function notch(frequency: number, q: number, rate: number): Filter {
  const angle = (2 * Math.PI * frequency) / rate;
  const gain = 1 / (1 + Math.tan(angle / q / 2));
  const middle = -2 * gain * Math.cos(angle);
  return { b: [gain, middle, gain], a: [1, middle, 2 * gain - 1] };
}

/**
 * A forward pass in place, starting at rest, in as many pieces as the signal comes in: direct form II transposed, in the
 * order of operations of `scipy.signal.lfilter`.
 */
export class RunningFilter {
  readonly #state: Float64Array;
  readonly #numerator: Float64Array;
  readonly #denominator: Float64Array;

  constructor({ b, a }: Filter) {
    this.#state = new Float64Array(a.length); // one more than the order, always zero
    this.#numerator = Float64Array.from(b);
    this.#denominator = Float64Array.from(a);
  }

  /** Filters the next samples. */
  apply(signal: Float64Array): void {
    const [state, numerator, denominator] = [this.#state, this.#numerator, this.#denominator];
    const order = state.length - 1;
    const b0 = numerator[0] ?? 0;
    for (let i = 0; i < signal.length; i++) {
      const x = signal[i] ?? 0;
      const y = b0 * x + (state[0] ?? 0);
      for (let k = 0; k < order; k++)
        state[k] = (state[k + 1] ?? 0) + x * (numerator[k + 1] ?? 0) - y * (denominator[k + 1] ?? 0);
      signal[i] = y;
    }
  }
}

/** One forward pass over a whole signal, in place. */
export const applyFilter = (filter: Filter, signal: Float64Array): void =>
  new RunningFilter(filter).apply(signal);
