import { expect, test } from 'vitest';
import { submitEnds } from '../../../src/engine/submits';

test('a run is cut where its dispatches would take too long together, and one that is too long stands alone', () => {
  const equal = new Array<number>(900).fill(1);
  expect(submitEnds(equal, 10)).toEqual([900]);
  expect(submitEnds(equal, 150)).toEqual([900]);
  expect(submitEnds(equal, 600)).toEqual([225, 450, 675, 900]);
  // What is not measured takes as long as on a slow device: 900 ms.
  expect(submitEnds(equal, undefined)).toEqual([450, 900]);
  expect(submitEnds([1, 1, 50, 1, 1], 2700)).toEqual([2, 3, 5]);
  expect(submitEnds([], undefined)).toEqual([0]);
});

test('no part takes longer than it should, but for a single dispatch', () => {
  const times = Array.from({ length: 500 }, (_, i) => 1 + ((i * 7919) % 101));
  const total = times.reduce((sum, time) => sum + time, 0);
  for (const measured of [100, 1000, 5000, 60_000]) {
    const ends = submitEnds(times, measured);
    expect(ends.at(-1)).toBe(times.length);
    let begin = 0;
    for (const end of ends) {
      const part = times.slice(begin, end).reduce((sum, time) => sum + time, 0);
      if (end - begin > 1) expect((part / total) * measured).toBeLessThanOrEqual(150.001);
      expect(end).toBeGreaterThan(begin);
      begin = end;
    }
  }
});
