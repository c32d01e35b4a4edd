import { expect, test } from 'vitest';
import { several } from '../../../src/base/text';

test('a number of things has the plural where it is not one', () => {
  expect([0, 1, 2, 1000].map((count) => several(count, 'patient'))).toEqual([
    '0 patients',
    '1 patient',
    '2 patients',
    '1,000 patients',
  ]);
  expect([1, 3].map((count) => several(count, 'batch'))).toEqual(['1 batch', '3 batches']);
});
