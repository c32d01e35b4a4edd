/**
 * The scan's backward pass as one plain loop in float32, with a state kept every K steps and the others computed again: what
 * it holds, and whether its gradients are the same.
 */
import { Random } from '../../base/random';

export interface Sizes {
  readonly length: number;
  readonly channels: number;
  readonly states: number;
}

export interface LoopValues {
  readonly u: Float32Array;
  readonly delta: Float32Array;
  readonly A: Float32Array;
  readonly B: Float32Array;
  readonly C: Float32Array;
  readonly dy: Float32Array;
}

const { fround } = Math;

/** Random values of the sizes that a trained model has. */
export function loopValues({ length, channels, states }: Sizes): LoopValues {
  const random = new Random(0).stream('backward');
  const draw = (size: number, make: () => number): Float32Array => Float32Array.from({ length: size }, make);
  return {
    u: draw(length * channels, () => random.normal()),
    delta: draw(length * channels, () => 0.001 * 100 ** random.uniform()),
    A: draw(channels * states, () => -1 - random.integer(states)),
    B: draw(length * states, () => random.normal()),
    C: draw(length * states, () => random.normal()),
    dy: draw(length * channels, () => random.normal()),
  };
}

/** By u, Δ, A, B and C, one after another. */
interface Gradients {
  readonly gradients: readonly Float32Array[];
}

export interface LoopResult extends Gradients {
  /** The most states h_t of all channels that were held at once, counted as they were allocated. */
  readonly held: number;
}

/** Gradients of Σ dy·y with a state kept every `interval` steps. */
export function backwardLoop(values: LoopValues, sizes: Sizes, interval: number): LoopResult {
  const { length, channels, states } = sizes;
  const { u, delta, A, B, C, dy } = values;
  const size = channels * states;
  const decay = (i: number, s: number): number =>
    fround(Math.exp(fround((delta[i] as number) * (A[s] as number))));
  const advance = (h: Float32Array, t: number): Float32Array => {
    const next = new Float32Array(size);
    for (let s = 0; s < size; s++) {
      const i = t * channels + Math.floor(s / states);
      const b = B[t * states + (s % states)] as number;
      next[s] =
        fround(decay(i, s) * (h[s] as number)) + fround(fround((delta[i] as number) * b) * (u[i] as number));
    }
    return next;
  };
  // The forward pass keeps the state before every interval.
  const kept: Float32Array[] = [];
  let h = new Float32Array(size);
  for (let t = 0; t < length; t++) {
    if (t % interval === 0) kept.push(h);
    h = advance(h, t) as Float32Array<ArrayBuffer>;
  }
  const du = new Float32Array(length * channels);
  const dDelta = new Float32Array(length * channels);
  const dA = new Float32Array(size);
  const dB = new Float32Array(length * states);
  const dC = new Float32Array(length * states);
  const dh = new Float32Array(size);
  let held = 0;
  for (let k = kept.length - 1; k >= 0; k--) {
    const start = k * interval;
    const end = Math.min(length, start + interval);
    const again: Float32Array[] = [kept[k] as Float32Array];
    for (let t = start; t < end; t++) again.push(advance(again.at(-1) as Float32Array, t));
    // The first of `again` is the kept state itself.
    held = Math.max(held, kept.length + again.length - 1);
    for (let t = end - 1; t >= start; t--) {
      const [before, after] = [again[t - start] as Float32Array, again[t - start + 1] as Float32Array];
      for (let s = 0; s < size; s++) {
        const i = t * channels + Math.floor(s / states);
        const j = t * states + (s % states);
        const [step, x, b] = [delta[i] as number, u[i] as number, B[j] as number];
        const g = fround((dh[s] as number) + fround((C[j] as number) * (dy[i] as number)));
        const a = decay(i, s);
        dC[j] = (dC[j] as number) + fround((dy[i] as number) * (after[s] as number));
        du[i] = (du[i] as number) + fround(g * fround(step * b));
        dB[j] = (dB[j] as number) + fround(g * fround(step * x));
        const slope = fround(fround(g * a) * (before[s] as number));
        dDelta[i] =
          (dDelta[i] as number) + fround(fround(slope * (A[s] as number)) + fround(g * fround(b * x)));
        dA[s] = (dA[s] as number) + fround(slope * step);
        dh[s] = fround(g * a);
      }
    }
  }
  return { gradients: [du, dDelta, dA, dB, dC], held };
}

/** Values of two results whose bits differ. */
export const differing = (one: Gradients, other: Gradients): number =>
  one.gradients.reduce(
    (sum, values, i) =>
      sum + values.filter((value, at) => !Object.is(value, other.gradients[i]?.[at])).length,
    0,
  );

/** States held at once for `length` steps with one kept every `interval`: ⌈L / K⌉ kept and K computed again. */
export const statesHeld = (length: number, interval: number): number =>
  Math.ceil(length / interval) + Math.min(interval, length);
