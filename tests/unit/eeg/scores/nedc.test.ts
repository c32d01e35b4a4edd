/** Counts derived by hand from the definitions; the published example set and random pairs were compared with NEDC's own program. */
import { expect, test } from 'vitest';
import type { SeizureEvent } from '../../../../src/eeg/events/events';
import { nedcScores } from '../../../../src/eeg/scores/nedc';

const events = (...times: [number, number][]): SeizureEvent[] =>
  times.map(([start, end]) => ({ start, end }));
const scored = (reference: SeizureEvent[], predicted: SeizureEvent[], seconds = 100) =>
  nedcScores([{ reference, predicted, seconds }]);

test.each<[string, SeizureEvent[], SeizureEvent[], number, number, number]>([
  ['an exact hit', events([10, 20]), events([10, 20]), 1, 0, 0],
  ['nothing found', events([10, 20]), [], 0, 1, 0],
  ['a false alarm', [], events([10, 20]), 0, 0, 1],
  ['the second half', events([10, 20]), events([15, 20]), 0.5, 0.5, 0],
  ['within', events([10, 20]), events([12, 16]), 0.4, 0.6, 0],
  ['early by half', events([10, 20]), events([5, 15]), 0.5, 0.5, 0.5],
  ['late by more than its duration', events([10, 20]), events([15, 40]), 0.5, 0.5, 1],
  ['around it', events([10, 20]), events([8, 21]), 1, 0, 0.3],
  ['far around it: at most one false alarm', events([10, 20]), events([0, 100]), 1, 0, 1],
  ['two detections in one seizure', events([10, 20]), events([10, 12], [14, 18]), 0.6, 0.4, 0],
  [
    'one detection over two seizures: the second is a miss',
    events([10, 20], [30, 40]),
    events([10, 40]),
    1,
    1,
    1,
  ],
])('TAES: %s', (_, reference, predicted, hits, misses, falseAlarms) => {
  const { taes } = scored(reference, predicted);
  expect(taes.hits).toBeCloseTo(hits, 12);
  expect(taes.misses).toBeCloseTo(misses, 12);
  expect(taes.falseAlarms).toBeCloseTo(falseAlarms, 12);
});

test('OVLP: any overlap, but not a touch', () => {
  const { ovlp } = scored(events([10, 20], [30, 40]), events([19.9, 25], [40, 45]));
  expect(ovlp).toMatchObject({
    targets: 2,
    hits: 1,
    misses: 1,
    falseAlarms: 1,
    sensitivity: 0.5,
    precision: 0.5,
  });
  expect(ovlp.falseAlarmsPer24Hours).toBeCloseTo(864, 9);
});

test('EPOCH: four samples a second, at their middles', () => {
  const { epoch } = scored(events([10, 20]), events([15, 22.2]));
  // 15 to 20 s are 20 samples; of 20 to 22.2 s the samples at 20.125 … 22.125.
  expect(epoch).toMatchObject({ targets: 40, hits: 20, misses: 20, falseAlarms: 9 });
  expect(epoch.falseAlarmsPer24Hours).toBeCloseTo((9 * 0.25 * 86_400) / 100, 9);
});

test('recordings are added up; without a target or a detection the scores are 0', () => {
  const one = { reference: events([10, 20]), predicted: events([10, 20]), seconds: 100 };
  const { ovlp } = nedcScores([one, { ...one, predicted: [] }]);
  expect(ovlp).toMatchObject({ targets: 2, hits: 1, sensitivity: 0.5, precision: 1, seconds: 200 });
  expect(ovlp.f1).toBeCloseTo(2 / 3, 12);
  expect(scored([], []).taes).toMatchObject({
    sensitivity: 0,
    precision: 0,
    f1: 0,
    falseAlarmsPer24Hours: 0,
  });
});

test('events that are no stretch of time are rejected', () => {
  expect(() => scored(events([5, 4]), [])).toThrow('reference event 1');
});
