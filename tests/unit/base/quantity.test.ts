import { expect, it } from 'vitest';
import { exactly, quantity, scaled, sum, weakest } from '../../../src/base/quantity';

it('rejects a likely value outside its range', () => {
  expect(() => quantity([2, 1, 3], 'assumed', '')).toThrow('low ≤ likely ≤ high');
  expect(() => quantity([0, Number.NaN, 3], 'assumed', '')).toThrow(RangeError);
});

it('adds bounds and keeps the least certain basis', () => {
  const total = sum(
    [exactly(10, 'measured', 'a scale'), quantity([1, 2, 4], 'derived', 'a formula')],
    'both',
  );
  expect(total).toEqual({ low: 11, likely: 12, high: 14, basis: 'derived', source: 'both' });
  expect(weakest(['derived', 'assumed', 'measured'])).toBe('assumed');
  expect(sum([], 'nothing')).toMatchObject({ low: 0, high: 0, basis: 'measured' });
});

it('scales every bound', () => {
  expect(scaled(quantity([1, 2, 4], 'assumed', 'a guess'), 10)).toEqual({
    low: 10,
    likely: 20,
    high: 40,
    basis: 'assumed',
    source: 'a guess',
  });
});
