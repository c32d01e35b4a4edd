import { expect, test } from 'vitest';
import { fitOf, fitOfRequest, worstFit } from '../../../src/config/verdict';

test('a need is borderline where its likely value fits and its high one does not', () => {
  const range = { likely: 2, high: 3 };
  expect([3, 2, 1.9, 0.5].map((limit) => fitOf(range, limit))).toEqual([
    'fits',
    'borderline',
    "won't fit",
    "won't fit",
  ]);
  expect(fitOf({ likely: 1, high: Infinity }, Infinity)).toBe('borderline');
  expect(worstFit(['fits', 'borderline'])).toBe('borderline');
  expect((['fits', 'borderline', "won't fit"] as const).map(fitOfRequest)).toEqual([
    'fits',
    'borderline',
    'borderline',
  ]);
});
