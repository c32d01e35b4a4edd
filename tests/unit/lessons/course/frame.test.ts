import { expect, test } from 'vitest';
import { ticksOf } from '../../../../src/lessons/course/scale';
import { say } from '../../../../src/lessons/course/step';

test('axes have few round values, also over many powers of ten', () => {
  expect(ticksOf({ min: 0.001, max: 1, log: true })).toEqual([0.001, 0.01, 0.1, 1]);
  expect(ticksOf({ min: 1e-18, max: 1, log: true }).map((value) => say(value))).toEqual([
    '1e-18',
    '1e-15',
    '1e-12',
    '1e-9',
    '1e-6',
    '0.001',
    '1',
  ]);
  expect(ticksOf({ min: 0, max: 60 })).toEqual([0, 20, 40, 60]);
});

test('numbers are said with three digits', () => {
  expect([0, 12_345.6, 0.012_345, 0.000_012_345, NaN].map((value) => say(value))).toEqual([
    '0',
    '12,346',
    '0.0123',
    '1.23e-5',
    '–',
  ]);
});
