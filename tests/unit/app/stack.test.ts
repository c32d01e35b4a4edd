import { describe, expect, it } from 'vitest';
import { apart, areaPaths, atPixel, linePath, moved, nearest, ticks } from '../../../src/app/pages/fit/stack';

describe('pictures of amounts', () => {
  const frame = { width: 100, height: 50, xMax: 10, yMax: 5 };
  it('lie on each other', () => {
    expect(
      areaPaths(
        frame,
        [0, 10],
        [
          [1, 2],
          [1, 1],
        ],
      ),
    ).toEqual(['M0 40L100 30L100 50L0 50Z', 'M0 30L100 20L100 30L0 40Z']);
    expect(linePath(frame, [0, 5], [1, 2], true)).toBe('M0 40L50 40L50 30L100 30');
    expect(areaPaths(frame, [], [[]])).toEqual(['']);
  });

  it('write no caption into another', () => {
    const captions = ['0 s', '17 min 49 s', '35 min 39 s', '53 min 28 s'].map((label, i) => ({
      at: i,
      label,
    }));
    const shown = (width: number) =>
      apart({ width, height: 1, xMax: 4, yMax: 1 }, captions).map(({ at }) => at);
    expect(shown(600)).toEqual([0, 1, 2, 3]);
    expect(shown(280)).toEqual([0, 1, 3]);
    expect(shown(20)).toEqual([0]);
  });

  it('have round ticks in their unit', () => {
    expect(ticks(43, 4)).toEqual([0, 20, 40]);
    expect(ticks(3.5 * 1024, 4, 1024)).toEqual([0, 1024, 2048, 3072]);
    expect(ticks(0, 4)).toEqual([0]);
  });

  it('have a cursor that pointers and keys move', () => {
    expect([nearest([0, 4, 10], 6), nearest([0, 4, 10], 7.5), nearest([3], 9)]).toEqual([1, 2, 0]);
    expect(atPixel(frame, [0, 4, 10], 45)).toBe(1);
    expect([moved('ArrowRight', 3, 5), moved('End', 0, 5), moved('ArrowLeft', 0, 5)]).toEqual([4, 4, 0]);
    expect(moved('x', 3, 5)).toBeUndefined();
  });
});
