import { expect, test } from 'vitest';
import { ProgressReporter, type Progress } from '../../../src/run/progress';

/** A reporter with a clock that stands until it is set. */
function reporter() {
  const progress: Progress<'loss' | 'accuracy' | 'gradientNorm'>[] = [];
  const clock = { time: 1000 };
  const metrics = new ProgressReporter(
    ['loss', 'accuracy', 'gradientNorm'],
    1000,
    (report) => progress.push(report),
    () => clock.time,
  );
  let step = 0;
  /** Steps of so many milliseconds each. */
  const run = (steps: number, milliseconds: number): void => {
    for (let i = 0; i < steps; i++) {
      clock.time += milliseconds;
      metrics.record({ step: ++step, loss: 1 / step, accuracy: step / 1000, gradientNorm: step });
    }
  };
  return { metrics, progress, clock, run };
}

test('a thousand steps a second are still a few reports a second, and every step is in one', () => {
  const { metrics, progress, run } = reporter();
  metrics.start();
  run(999, 1);
  metrics.stop();
  expect(progress.length).toBeGreaterThanOrEqual(4);
  expect(progress.length).toBeLessThanOrEqual(8);
  expect(progress.flatMap(({ metrics }) => [...metrics.step])).toEqual(
    Array.from({ length: 999 }, (_, i) => i + 1),
  );
  expect(progress[0]?.metrics.loss[1]).toBe(1 / 2);
  expect(progress[0]?.metrics.accuracy[1]).toBe(2 / 1000);
  expect(progress[0]?.metrics.gradientNorm[1]).toBe(2);
});

test('slow steps are reported one by one', () => {
  const { metrics, progress, run } = reporter();
  metrics.start();
  run(3, 400);
  expect(progress.map(({ metrics }) => [...metrics.step])).toEqual([[1], [2], [3]]);
});

test('speed and time left are those of the last seconds', () => {
  const { metrics, progress, run } = reporter();
  metrics.start();
  run(10, 100);
  expect(progress.at(-1)?.stepsPerSecond).toBeCloseTo(10);
  run(50, 200);
  expect(progress.at(-1)).toMatchObject({ stepsPerSecond: 5, secondsLeft: 188 });
});

test('rests count neither for the speed nor for the seconds', () => {
  const { metrics, progress, clock, run } = reporter();
  metrics.start();
  run(5, 200);
  metrics.stop();
  clock.time += 60_000;
  expect(metrics.seconds).toBeCloseTo(1);
  metrics.start();
  run(5, 200);
  metrics.stop();
  expect(progress.at(-1)?.stepsPerSecond).toBeCloseTo(5);
  expect(metrics.seconds).toBeCloseTo(2);
  const reports = progress.length;
  metrics.flush();
  expect(progress).toHaveLength(reports);
});
