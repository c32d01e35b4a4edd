import { describe, expect, it, test } from 'vitest';
import { align } from '../../../src/estimate/snapshot/align';
import { compareSnapshot } from '../../../src/estimate/snapshot/compare';
import { SnapshotError } from '../../../src/estimate/snapshot/snapshot';
import type { VramRun } from '../../../src/estimate/vram/options';
import { PRODUCTION_VRAM } from './plans';
import { predictVram, vramTimeline } from '../../../src/estimate/vram/predict';
import { fixed, perWindow } from '../../../src/estimate/vram/tape';
import { lastEvents, recorded, SMALL_SNAPSHOT } from './snapshots';

const RUN: VramRun = { ...PRODUCTION_VRAM, layers: 2, mixer: 'conv', batch: 4 };
const MIB = 2 ** 20;

describe('a recorded run that is as predicted', () => {
  const whole = recorded(RUN, { steps: 3 });
  const events = whole.traces[0]?.action.length ?? 0;

  test.each([
    ['the whole trace', whole],
    ['the last two steps alone', lastEvents(whole, Math.ceil(events / 2))],
  ])('is explained to the byte, of %s', (_, snapshot) => {
    const { allocations, explained, peak, uses, unexplained, missing, measured } = compareSnapshot(
      snapshot,
      RUN,
    );
    expect(allocations).toEqual({
      predicted: allocations.predicted,
      recorded: allocations.predicted,
      same: allocations.predicted,
      other: 0,
    });
    expect(explained).toBe(1);
    expect(peak.measured).toBe(peak.predicted);
    // A window of the last step may be as large as a moment.
    for (const use of uses)
      expect(Math.abs(use.measured - use.predicted), use.name).toBeLessThan(0.001 * peak.predicted);
    expect([unexplained, missing]).toEqual([[], []]);
    // The allocator hands out blocks that are larger by up to a MiB.
    vramTimeline(RUN).points.forEach((point, at) => {
      // What is freed before the first allocation of the step is freed before it starts.
      if (point.op === 'zero_grad') return;
      expect(Math.abs((measured[at] ?? 0) - point.peak)).toBeLessThan(0.05 * peak.predicted);
    });
  });
});

describe('a recorded run that is not', () => {
  const EXTRAS = [perWindow(3 * MIB), fixed(5 * MIB), perWindow(2 * MIB), fixed(700)];
  const perturbed = { steps: 3, dropped: 0.02, resized: 0.02, extras: EXTRAS } as const;
  const snapshot = recorded(RUN, perturbed);
  const compared = compareSnapshot(snapshot, RUN);

  it('has what nothing predicts by its stack, what it lacks by layer, and the share of the rest', () => {
    const { allocations, unexplained, missing, explained, peak, uses } = compared;
    expect(allocations.same).toBeGreaterThan(0.93 * allocations.predicted);
    expect(allocations.same).toBeLessThan(0.99 * allocations.predicted);
    expect(unexplained.flatMap(({ frames }) => frames.map(({ name }) => name))).toEqual(
      expect.arrayContaining(['extra 0 (temporaries)', 'extra 1 (temporaries)', 'extra 2 (temporaries)']),
    );
    expect(missing.length).toBeGreaterThan(0);
    expect(explained).toBeGreaterThan(0.85);
    expect(explained).toBeLessThan(1);
    const named = uses.reduce((sum, { measured }) => sum + measured, 0);
    const rest = compared.measurement.atPeak?.unexplained ?? 0;
    expect(named + rest).toBe(peak.measured);
  });

  it('calibrates its own prediction exactly, and that of another batch within the range', () => {
    const { measurement } = compared;
    const own = predictVram({ ...RUN, measurement });
    expect(own.allocated.likely).toBeCloseTo(measurement.allocated ?? NaN, -1);
    expect(own.reserved.likely).toBeCloseTo(measurement.reserved ?? NaN, -1);
    for (const batch of [2, 8]) {
      const there = { ...RUN, batch };
      const measured = compareSnapshot(recorded(there, perturbed), there).measurement.allocated ?? NaN;
      const { allocated, parts, notes } = predictVram({ ...there, measurement });
      expect(allocated.low).toBeLessThan(measured);
      expect(allocated.high).toBeGreaterThan(measured);
      expect(Math.abs(allocated.likely / measured - 1)).toBeLessThan(0.05);
      expect(parts.find(({ name }) => name === 'unexplained')?.bytes.low).toBeGreaterThan(0);
      expect(notes.join(' ')).toMatch(/The snapshot multiplies saved tensors by \d\.\d\d, temporaries by/);
    }
  });
});

test('a snapshot of another run is rejected with what to look at', () => {
  expect(() => compareSnapshot(recorded({ ...RUN, batch: 32 }, { steps: 2 }), { ...RUN, batch: 3 })).toThrow(
    /^Only \d+ of the [\d,]+ allocations of a predicted step are in this snapshot\. It is of another batch size/,
  );
  expect(() => compareSnapshot(SMALL_SNAPSHOT, RUN)).toThrow(SnapshotError);
  expect(() => compareSnapshot({ ...SMALL_SNAPSHOT, traces: [] }, RUN)).toThrow(/no events\. Call torch/);
});

test('sequences are laid beside each other by size and order', () => {
  const of = (wanted: number[], given: number[]) => [
    ...align(Float64Array.from(wanted), Float64Array.from(given)),
  ];
  expect(of([512, 1024, 4096], [9, 9, 512, 1024, 4096, 9])).toEqual([2, 3, 4]);
  expect(of([512, 1024, 4096], [512, 4096])).toEqual([0, -1, 1]);
  expect(of([512, 1024, 4096], [512, 99_999, 1024, 4096])).toEqual([0, 2, 3]);
  expect(of([512, 1024, 4096], [512, 1536, 4096])).toEqual([0, 1, 2]);
  expect(of([512, 1024], [])).toEqual([-1, -1]);
});
