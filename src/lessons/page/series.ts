/** The metrics of a run, one value per step, and what a chart of a given width draws of them. */
import type { Metrics } from '../../run/progress';
import type { MetricName } from '../loop/protocol';

/** Numbers that only grow in number. Exported for its tests. */
export class Column {
  #values = new Float64Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** NaN beyond the end. */
  at(index: number): number {
    return index < this.#length ? (this.#values[index] ?? NaN) : NaN;
  }

  /** The values themselves, until more come. */
  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }

  push(value: number): void {
    if (this.#length === this.#values.length) this.#grow(1);
    this.#values[this.#length++] = value;
  }

  append(values: Float64Array): void {
    this.#grow(values.length);
    this.#values.set(values, this.#length);
    this.#length += values.length;
  }

  /** Forgets what is beyond so many values. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  #grow(by: number): void {
    const needed = this.#length + by;
    if (needed <= this.#values.length) return;
    const larger = new Float64Array(Math.max(needed, 2 * this.#values.length));
    larger.set(this.#values);
    this.#values = larger;
  }
}

/**
 * Exponential moving average s_i = w s_{i-1} + (1 − w) x_i from s_{-1} = 0, divided by 1 − w^{i+1} so that the start is
 * not pulled towards 0 (Kingma & Ba 2014, §3). Only new values are computed, unless the weight has changed
 * or some were forgotten. Exported for its tests.
 */
export class Smoothed {
  readonly #source: Column;
  readonly #values = new Column();
  #weight = 0;
  #sum = 0;
  #bias = 1;

  constructor(source: Column) {
    this.#source = source;
  }

  values(weight: number): Column {
    if (weight !== this.#weight || this.#values.length > this.#source.length) {
      this.#values.cut(0);
      this.#weight = weight;
      this.#sum = 0;
      this.#bias = 1;
    }
    for (let i = this.#values.length; i < this.#source.length; i++) {
      this.#sum = weight * this.#sum + (1 - weight) * this.#source.at(i);
      this.#bias *= weight;
      this.#values.push(this.#sum / (1 - this.#bias));
    }
    return this.#values;
  }
}

const METRICS = ['loss', 'accuracy'] as const;
export type Metric = (typeof METRICS)[number];

export class Series {
  readonly step = new Column();
  readonly loss = new Column();
  readonly accuracy = new Column();
  readonly smoothed = { loss: new Smoothed(this.loss), accuracy: new Smoothed(this.accuracy) };

  get length(): number {
    return this.step.length;
  }

  append({ step, loss, accuracy }: Metrics<MetricName>): void {
    this.step.append(step);
    this.loss.append(loss);
    this.accuracy.append(accuracy);
  }

  /** Forgets what was after `step`, which is trained again. */
  backTo(step: number): void {
    const length = this.indexOf(step + 1);
    for (const column of [this.step, this.loss, this.accuracy]) column.cut(length);
  }

  /** Index of the first value at `step` or later. Steps ascend. */
  indexOf(step: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.step.at(middle) < step) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface Window {
  /** First index. */
  readonly from: number;
  /** One after the last index. */
  readonly to: number;
  /** About how many points a curve may have: the width of the chart in pixels. */
  readonly points: number;
}

/**
 * How many values share a bucket: a power of two, so that buckets stay the same while the run grows.
 * Exported for its tests.
 */
export function bucketSize({ from, to, points }: Window): number {
  const perBucket = (2 * (to - from)) / Math.max(points, 2);
  return perBucket <= 2 ? 1 : 2 ** Math.ceil(Math.log2(perBucket));
}

/**
 * What a chart draws of a curve: all values where they fit, otherwise the smallest and the largest of each bucket in the
 * order in which they came, so that no spike is lost. null where the curve has ended.
 */
export function decimate(curve: Column, window: Window): (number | null)[] {
  const size = bucketSize(window);
  const { values } = curve;
  const drawn: (number | null)[] = [];
  for (let start = firstBucket(window, size); start < window.to; start += size) {
    if (size === 1) drawn.push(values[start] ?? null);
    else drawn.push(...extremes(values.subarray(start, start + size)));
  }
  return drawn;
}

/** Where the points of `decimate` stand: at the values themselves, or at the start and the middle of each bucket. */
export function positions(steps: Column, window: Window): number[] {
  const size = bucketSize(window);
  const drawn: number[] = [];
  for (let start = firstBucket(window, size); start < window.to; start += size) {
    drawn.push(steps.at(start));
    if (size > 1) drawn.push(steps.at(Math.min(start + size / 2, steps.length - 1)));
  }
  return drawn;
}

const firstBucket = ({ from }: Window, size: number): number => Math.floor(from / size) * size;

function extremes(bucket: Float64Array): [number | null, number | null] {
  let low = Infinity;
  let high = -Infinity;
  let lowFirst = true;
  for (const value of bucket) {
    if (value < low) {
      low = value;
      lowFirst = false;
    }
    if (value > high) {
      high = value;
      lowFirst = true;
    }
  }
  // The one that was set last came last.
  return bucket.length === 0 ? [null, null] : lowFirst ? [low, high] : [high, low];
}
