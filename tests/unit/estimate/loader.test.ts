import { describe, expect, test } from 'vitest';
import { quantity } from '../../../src/base/quantity';
import { Random } from '../../../src/base/random';
import { simulateLoader, type LoaderOptions } from '../../../src/estimate/loader';
import { lengthsOf, triangular, WindowFiles } from '../../../src/estimate/loader_files';
import { CORPUS_LENGTHS } from '../../../src/estimate/ram_facts';

describe('lengths of recordings', () => {
  test('the log-normal keeps its mean, whatever its tail', () => {
    for (const spread of [0, 0.5, 1, 1.5]) {
      const lengths = lengthsOf(CORPUS_LENGTHS, spread);
      const mean = lengths.reduce((sum, value) => sum + value, 0) / lengths.length;
      expect(mean).toBeCloseTo(67.51, 1);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(1075);
      expect(Math.min(...lengths)).toBeGreaterThanOrEqual(1);
    }
  });

  test('a random window lies in a long recording more often', () => {
    const files = new WindowFiles({ kind: 'given', windows: [10, 90] });
    expect(files.mean).toBe(50);
    expect(files.meanMet).toBeCloseTo(0.1 * 10 + 0.9 * 90, 10);
    const random = new Random(1, 'test');
    const drawn = Array.from({ length: 20_000 }, () => files.draw(random));
    expect(drawn.filter((windows) => windows === 90).length / drawn.length).toBeCloseTo(0.9, 1);
    expect(new Set(drawn)).toEqual(new Set([10, 90]));
  });

  test('the triangular distribution has its ends, its mode and a rising quantile', () => {
    const range = quantity([1, 2, 5], 'assumed', 'a test');
    expect(triangular(range, 0)).toBe(1);
    expect(triangular(range, 0.25)).toBeCloseTo(2, 12);
    expect(triangular(range, 1)).toBe(5);
    expect(triangular(range, 0.4)).toBeGreaterThan(triangular(range, 0.3));
  });

  test('says what is wrong with lengths that cannot be', () => {
    expect(() => lengthsOf({ kind: 'given', windows: [] })).toThrow('No recording');
    expect(() => lengthsOf({ ...CORPUS_LENGTHS, longest: 60 })).toThrow('a longest above the mean');
  });
});

describe('the loader', () => {
  const loader = (changes: Partial<LoaderOptions> = {}): LoaderOptions => ({
    batch: 3,
    workers: 2,
    prefetchFactor: 2,
    batches: 10,
    windowBytes: 10,
    nextFile: () => 100,
    decompressSeconds: () => 1,
    stepSeconds: 0.5,
    views: false,
    heapKeeps: 0,
    keptPerBatch: 0,
    ...changes,
  });
  function run(changes: Partial<LoaderOptions>) {
    let [peak, inFlight, worker] = [0, 0, 0];
    const end = simulateLoader(loader(changes), {
      seenTotal: -Infinity,
      seenInFlight: 0,
      maxInFlight: Infinity,
      see: (memory) => {
        peak = Math.max(peak, memory.total);
        inFlight = Math.max(inFlight, memory.inFlight);
        worker = Math.max(worker, ...memory.workers);
        return false;
      },
    });
    return { end, peak, inFlight, worker };
  }

  test('without workers assembles and trains in turns, in one process', () => {
    const { end, peak, inFlight } = run({ workers: 0 });
    expect(end.seconds).toBeCloseTo(10 * (3 * 1 + 0.5), 10);
    expect(end.decompressed).toBe(10 * 3 * 100);
    // The last item's array beside the two windows before it, copied.
    expect(peak).toBe(100 + 2 * 10);
    expect(inFlight).toBe(3 * 10);
  });

  test('views keep a batch’s arrays until it is collated', () => {
    expect(run({ workers: 0, views: true }).peak).toBe(3 * 100 + 3 * 10);
    expect(run({ views: true }).worker).toBe(300);
  });

  test('where it is the slow part, workers share its time', () => {
    const seconds = [1, 2, 5].map((workers) => run({ workers, stepSeconds: 0, batches: 20 }).end.seconds);
    expect(seconds[0]).toBeCloseTo(20 * 3, 10);
    expect(seconds[1]).toBeCloseTo((20 * 3) / 2, 10);
    expect(seconds[2]).toBeCloseTo((20 * 3) / 5, 10);
  });

  test('where the GPU is, as many batches wait as prefetch_factor lets, and the one in use', () => {
    for (const [workers, prefetchFactor] of [
      [2, 2],
      [3, 4],
    ] as const)
      expect(run({ workers, prefetchFactor, stepSeconds: 1000, batches: 40 }).inFlight).toBe(
        (workers * prefetchFactor + 1) * 3 * 10,
      );
  });

  test('hands batches out in order, and each but once', () => {
    const asked: string[] = [];
    let turn = 0;
    run({
      workers: 3,
      nextFile: (batch, item) => {
        asked.push(`${batch}.${item}`);
        return 50 + ((turn += 37) % 100);
      },
      decompressSeconds: (bytes) => bytes / 40,
    });
    expect(new Set(asked).size).toBe(asked.length);
    expect(asked).toHaveLength(10 * 3);
  });

  test('a heap that gives nothing back stays as large as it was', () => {
    let turn = 0;
    const falling = (): number => 1000 - 20 * turn++;
    const { end } = run({ workers: 1, nextFile: falling, heapKeeps: 1, batches: 3 });
    expect(end.workers[0]).toBe(1000);
  });
});
