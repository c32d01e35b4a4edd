import { describe, expect, test } from 'vitest';
import { bucketSize, Column, decimate, positions, Series, Smoothed } from '../../../src/lessons/page/series';

function column(values: Iterable<number>): Column {
  const made = new Column();
  for (const value of values) made.push(value);
  return made;
}

const rising = (length: number): Column => column(Array.from({ length }, (_, i) => i));

test('a column keeps what is pushed and appended beyond its first room', () => {
  const made = rising(1000);
  made.append(Float64Array.from({ length: 5000 }, (_, i) => 1000 + i));
  made.push(6000);
  expect(made.length).toBe(6001);
  for (const index of [0, 999, 1000, 1024, 5999, 6000]) expect(made.at(index)).toBe(index);
  expect(made.at(6001)).toBeNaN();
  expect(made.at(-1)).toBeNaN();
});

describe('smoothing', () => {
  test('of a constant is the constant, from the first value on', () => {
    const smooth = new Smoothed(column(new Array<number>(50).fill(3))).values(0.95);
    for (let i = 0; i < 50; i++) expect(smooth.at(i)).toBeCloseTo(3, 12);
  });

  test('is the mean weighted by powers of the weight', () => {
    const smooth = new Smoothed(column([4, 1, 7])).values(0.5);
    expect(smooth.at(2)).toBeCloseTo((4 * 0.25 + 1 * 0.5 + 7) / 1.75, 12);
  });

  test('goes on where values were added, and starts anew for another weight', () => {
    const source = column([4, 1]);
    const smoothed = new Smoothed(source);
    smoothed.values(0.5);
    source.push(7);
    expect(smoothed.values(0.5).at(2)).toBeCloseTo(8.5 / 1.75, 12);
    expect(smoothed.values(0).at(1)).toBe(1);
    expect(smoothed.values(0).length).toBe(3);
  });
});

describe('decimation', () => {
  test('leaves what fits as it is, and ends where the curve ends', () => {
    const window = { from: 2, to: 8, points: 100 };
    expect(decimate(rising(6), window)).toEqual([2, 3, 4, 5, null, null]);
    expect(positions(rising(8), window)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('keeps every spike, up or down, in the order in which they came', () => {
    const values = new Array<number>(100_000).fill(0.5);
    values[54_321] = 9;
    values[54_322] = -9;
    values[99_999] = 4;
    const window = { from: 0, to: values.length, points: 600 };
    const drawn = decimate(column(values), window);
    expect(drawn.length).toBeLessThanOrEqual(600);
    expect(drawn.length).toBe(positions(rising(values.length), window).length);
    expect(drawn.filter((value) => value !== 0.5)).toEqual([9, -9, 4]);
  });

  test('keeps its buckets while the run grows, and when the window starts within one', () => {
    const size = bucketSize({ from: 0, to: 10_000, points: 100 });
    expect(bucketSize({ from: 0, to: 10_001, points: 100 })).toBe(size);
    const window = { from: size + 3, to: 10_000, points: 100 };
    expect(positions(rising(10_000), window)[0]).toBe(size);
  });

  test('positions ascend', () => {
    const drawn = positions(rising(777), { from: 0, to: 777, points: 50 });
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b));
    expect(drawn.at(-1)).toBeLessThanOrEqual(776);
  });
});

test('a series finds a step, or the next one', () => {
  const series = new Series();
  const values = Float64Array.of(0, 0, 0);
  series.append({ step: Float64Array.of(1, 2, 5), loss: values, accuracy: values, gradientNorm: values });
  expect([0, 1, 2, 3, 5, 6].map((step) => series.indexOf(step))).toEqual([0, 0, 1, 2, 2, 3]);
});
