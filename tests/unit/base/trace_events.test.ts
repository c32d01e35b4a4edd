import { expect, test } from 'vitest';
import { stepEvents } from '../../../src/training/step_events';
import { timelineEvents } from '../../../src/estimate/vram/timeline_events';
import { PRODUCTION_VRAM } from '../estimate/plans';
import { vramTimeline } from '../../../src/estimate/vram/predict';

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly pid: number;
  readonly args: Readonly<Record<string, unknown>>;
}
const read = (text: string) => JSON.parse(text) as { traceEvents: Event[]; otherData: { clock: string } };

/** What the format asks of each kind of event: a name and a process, X a start and a duration, C numbers at a time. */
function wellFormed({ traceEvents }: { traceEvents: Event[] }): void {
  for (const { ph, name, ts, dur, pid, args } of traceEvents) {
    expect([name.length > 0, pid]).toEqual([true, 1]);
    if (ph === 'M') continue;
    expect(ts).toBeGreaterThanOrEqual(0);
    if (ph === 'X') expect(dur).toBeGreaterThan(0);
    else expect([ph, ...Object.values(args).map((value) => typeof value)]).toContain('number');
  }
}

test('dispatches lie end to end, and the file says that they were timed alone', () => {
  const dispatch = { op: 'matmul', node: 'head/matmul', workgroups: 8 };
  const file = read(
    stepEvents('a GPU', [
      { ...dispatch, kernel: 'matmul', ms: 0.5 },
      { ...dispatch, kernel: 'matmul_sum', ms: 0.25 },
    ]),
  );
  wellFormed(file);
  expect(file.traceEvents.filter(({ ph }) => ph === 'X').map(({ name, ts, dur }) => [name, ts, dur])).toEqual(
    [
      ['matmul', 0, 500],
      ['matmul_sum', 500, 250],
    ],
  );
  expect(file.otherData.clock).toMatch(/timed alone/);
});

test('the predicted step has an event for each operation and counters that add up to its peak', () => {
  const timeline = vramTimeline(PRODUCTION_VRAM);
  const file = read(timelineEvents(timeline));
  wellFormed(file);
  expect(file.traceEvents.filter(({ ph }) => ph === 'X')).toHaveLength(timeline.points.length);
  const uses = file.traceEvents.filter(({ name }) => name === 'Allocated, by use');
  timeline.points.forEach(({ peak }, at) => {
    const sum = Object.values(uses[at]?.args ?? {}).reduce<number>(
      (total, bytes) => total + Number(bytes),
      0,
    );
    expect(sum).toBe(peak);
  });
});
