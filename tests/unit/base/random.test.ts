import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/base/random';

const draw = <T>(count: number, next: () => T): T[] => Array.from({ length: count }, next);

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function variance(values: readonly number[]): number {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
}

test('the numbers stay as they are, since stored runs resume with them', () => {
  const random = new Random(7, 'epoch 0');
  expect(draw(4, () => random.bits())).toEqual([832221588, 600959472, 3216778398, 2483493722]);
  expect(new Random(7).stream('epoch 0').bits()).toBe(new Random(7, '/epoch 0').bits());
});

describe('streams', () => {
  const first = (random: Random) => draw(4, () => random.bits());

  test('the same seed and names give the same numbers, whatever was drawn before', () => {
    const used = new Random(7);
    draw(100, () => used.bits());
    expect(first(used.stream('a').stream('b'))).toEqual(first(new Random(7).stream('a').stream('b')));
  });

  test('seeds, names and their order tell streams apart', () => {
    const streams = [
      new Random(0),
      new Random(1),
      new Random(-1),
      new Random(2 ** 32),
      new Random(0).stream(''),
      new Random(0).stream('0'),
      new Random(0).stream('a'),
      new Random(0).stream('b'),
      new Random(0).stream('ab'),
      new Random(0).stream('a').stream('b'),
      new Random(0).stream('b').stream('a'),
      new Random(0).stream('a').stream('a'),
    ];
    const words = streams.flatMap(first);
    expect(new Set(words).size).toBe(words.length);
  });

  test('10,000 streams that differ by their number start differently and evenly', () => {
    const root = new Random(3);
    const starts = Array.from({ length: 10_000 }, (_, i) => root.stream(String(i)).uniform());
    expect(new Set(starts).size).toBeGreaterThan(9_990);
    expect(mean(starts)).toBeCloseTo(0.5, 1.5);
    expect(variance(starts)).toBeCloseTo(1 / 12, 2);
    const next = starts.slice(1);
    const products = next.map((value, i) => (value - 0.5) * ((starts[i] as number) - 0.5));
    expect(Math.abs(mean(products))).toBeLessThan(0.004);
  });

  test('a seed that is not a whole number is rejected', () => {
    expect(() => new Random(0.5)).toThrow('whole number');
    expect(() => new Random(NaN)).toThrow('whole number');
  });
});

describe('distributions', () => {
  const random = new Random(11).stream('distributions');

  test('uniform', () => {
    const values = draw(20_000, () => random.uniform(-3, 5));
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-3);
    expect(Math.max(...values)).toBeLessThan(5);
    expect(mean(values)).toBeCloseTo(1, 1);
    expect(variance(values) / (64 / 12)).toBeCloseTo(1, 1);
  });

  test('integer: χ² of 7 classes stays below its 99.9 % point', () => {
    const counts = new Array<number>(7).fill(0);
    for (const value of draw(21_000, () => random.integer(7))) counts[value] = (counts[value] as number) + 1;
    expect(counts.reduce((sum, count) => sum + (count - 3000) ** 2 / 3000, 0)).toBeLessThan(22.5);
    expect(draw(10, () => random.integer(1))).toEqual(new Array(10).fill(0));
    expect(() => random.integer(0)).toThrow('bound');
    expect(() => random.integer(2 ** 32 + 1)).toThrow('bound');
  });

  test('normal: moments and tails', () => {
    const values = draw(40_000, () => random.normal(2, 3)).map((value) => (value - 2) / 3);
    expect(Math.abs(mean(values))).toBeLessThan(0.02);
    expect(Math.abs(variance(values) - 1)).toBeLessThan(0.02);
    expect(Math.abs(mean(values.map((value) => value ** 3)))).toBeLessThan(0.06);
    expect(mean(values.map((value) => value ** 4))).toBeCloseTo(3, 0);
    const beyond = values.filter((value) => Math.abs(value) > 1.959964).length / values.length;
    expect(beyond).toBeCloseTo(0.05, 2);
  });

  test('choose: rising, different, every subset equally likely', () => {
    const seen = new Map<string, number>();
    for (const subset of draw(6_000, () => random.choose(2, 4))) {
      expect(subset[0]).toBeLessThan(subset[1] as number);
      seen.set(subset.join(), (seen.get(subset.join()) ?? 0) + 1);
    }
    expect([...seen.keys()].sort()).toEqual(['0,1', '0,2', '0,3', '1,2', '1,3', '2,3']);
    const squares = [...seen.values()].map((count) => (count - 1000) ** 2 / 1000);
    expect(squares.reduce((sum, value) => sum + value, 0)).toBeLessThan(20.5);
    expect(random.choose(3, 3)).toEqual([0, 1, 2]);
    expect(random.choose(0, 3)).toEqual([]);
    expect(random.choose(4, 3)).toEqual([0, 1, 2]);
  });
});
