import { expect, test } from 'vitest';
import {
  byteRate,
  bytes,
  count,
  duration,
  flopRate,
  percent,
  plain,
  short,
} from '../../../src/app/ui/format';

/** With ordinary spaces, which are easier to read here. */
const texts = <T>(format: (value: T) => string, values: readonly T[]): string[] =>
  values.map((value) => format(value).replaceAll('\u00a0', ' '));

test('numbers have three significant digits', () => {
  expect(texts(short, [0, 0.00012, 0.01234, 1.2345, 12.345, 123.45, 12345])).toEqual(
    ['0.00', '1.2e-4', '0.0123', '1.23', '12.3', '123', '12,345'], // oxfmt-ignore
  );
  expect(texts(plain, [0, 0.5, 1, 0.00002])).toEqual(['0', '0.5', '1', '2e-5']);
});

test('sizes and rates have units', () => {
  expect(texts(bytes, [96, 1536, 2 ** 31])).toEqual(['96 B', '1.50 KiB', '2.00 GiB']);
  expect(texts(byteRate, [543e6, 41.23e9])).toEqual(['543 MB/s', '41.2 GB/s']);
  expect(texts(flopRate, [9.47e9, 1.3e12])).toEqual(['9.47 GFLOP/s', '1.30 TFLOP/s']);
});

test('a small share is not called none', () => {
  expect(texts(percent, [0, 0.0001, 0.126, 1])).toEqual(['0 %', '<1 %', '13 %', '100 %']);
  expect(percent(0.9974, 1)).toBe('99.7\u00a0%');
});

test('durations have two units at most', () => {
  expect(texts(duration, [0.4, 59.4, 59.6, 125, 3600 * 3.34, 3600 * 52])).toEqual([
    '0 s',
    '59 s',
    '1 min 00 s',
    '2 min 05 s',
    '3 h 20 min',
    '2 d 4 h',
  ]);
});

test('what is not known is a dash', () => {
  for (const format of [count, short, bytes, flopRate, duration, percent]) {
    expect(format(undefined)).toBe('–');
    expect(format(Infinity)).toBe('–');
  }
});
