import { expect, test } from 'vitest';
import { falseAlarmsPer24Hours, sensitivity, taes } from '../../../../src/eeg/scores/event_scores';
import { labelRuns, toEvents, type SeizureEvent } from '../../../../src/eeg/events/events';

const events = (...times: [number, number][]): SeizureEvent[] =>
  times.map(([start, end]) => ({ start, end }));

test('TAES: the mean of overlapped shares, minus the weighted share of false time', () => {
  const reference = events([10, 20], [100, 140]);
  // 5 of 10 s, and 40 of 40 s; 15 s of 70 predicted seconds are false.
  const predicted = events([15, 30], [95, 150], [200, 215]);
  const predictedTime = 15 + 55 + 15;
  expect(taes([{ reference, predicted }])).toBeCloseTo((0.5 + 1) / 2 - (0.15 * 15) / predictedTime, 12);
});

test('TAES: overlap counts at most once, nothing found is 0, no reference is 0', () => {
  expect(taes([{ reference: events([0, 10]), predicted: events([0, 6], [4, 10]) }])).toBe(1);
  expect(taes([{ reference: events([0, 10]), predicted: events([20, 30]) }])).toBe(0);
  expect(taes([{ reference: events([0, 10]), predicted: [] }])).toBe(0);
  expect(taes([{ reference: [], predicted: events([20, 30]) }])).toBe(0);
  expect(taes([{ reference: events([5, 5], [10, 20]), predicted: events([10, 15]) }])).toBe(0.5);
});

test('an event of one recording never overlaps an event of another', () => {
  const recordings = [
    { reference: events([10, 20]), predicted: [] },
    { reference: [], predicted: events([10, 20]) },
  ];
  expect(taes(recordings)).toBe(0);
  expect(sensitivity(recordings)).toBe(0);
  expect(falseAlarmsPer24Hours(recordings, 12)).toBe(2);
});

test('events that only touch do not overlap', () => {
  const recordings = [{ reference: events([10, 20]), predicted: events([0, 10], [20, 30]) }];
  expect(sensitivity(recordings)).toBe(0);
  expect(falseAlarmsPer24Hours(recordings, 48)).toBe(1);
});

test('any overlap is a hit and no false alarm, however long the event', () => {
  const recordings = [{ reference: events([10, 20], [50, 60]), predicted: events([19.9, 500]) }];
  expect(sensitivity(recordings)).toBe(1);
  expect(falseAlarmsPer24Hours(recordings, 1)).toBe(0);
  expect(sensitivity([{ reference: [], predicted: [] }])).toBe(0);
});

test('labels become events, at both ends of the recording too', () => {
  expect(toEvents(labelRuns(Uint8Array.of(1, 1, 0, 1, 0, 0, 1)), 2)).toEqual(
    events([0, 1], [1.5, 2], [3, 3.5]),
  );
  expect(labelRuns(new Uint8Array(5))).toEqual([]);
  expect(labelRuns(new Uint8Array())).toEqual([]);
  expect(labelRuns(new Uint8Array(3).fill(1))).toEqual([{ start: 0, end: 3 }]);
});
