import { expect, test } from 'vitest';
import type { SeizureEvent } from '../../../../src/eeg/events/events';
import { szcoreEvents, szcoreSamples, szcoreScores } from '../../../../src/eeg/scores/szcore';
import { Random } from '../../../../src/base/random';

const events = (...times: [number, number][]): SeizureEvent[] =>
  times.map(([start, end]) => ({ start, end }));
const HOUR = 3600;

const counted = (reference: SeizureEvent[], predicted: SeizureEvent[], seconds = HOUR) => {
  const {
    reference: seizures,
    truePositives,
    falsePositives,
  } = szcoreEvents({ reference, predicted, seconds });
  return { seizures, truePositives, falsePositives };
};

test.each<[string, SeizureEvent[], SeizureEvent[], number, number, number]>([
  ['an exact hit', events([600, 660]), events([600, 660]), 1, 1, 0],
  ['a miss and a false alarm', events([600, 660]), events([1000, 1010]), 1, 0, 1],
  ['a detection within 30 s before', events([600, 660]), events([571, 580]), 1, 1, 0],
  ['a detection more than 30 s before', events([600, 660]), events([560, 570]), 1, 0, 1],
  ['a detection within 60 s after', events([600, 660]), events([715, 719]), 1, 1, 0],
  ['a detection more than 60 s after', events([600, 660]), events([720, 730]), 1, 0, 1],
  ['a hit that leaves the margins is no false alarm', events([600, 660]), events([650, 721]), 1, 1, 0],
  ['a long detection that covers the seizure', events([55, 121]), events([66, 241]), 1, 1, 0],
  ['a tenth of a second is overlap', events([600, 660]), events([0, 570.1]), 1, 1, 1],
  ['a detection too short for the grid', events([600, 660]), events([600.01, 600.04]), 1, 0, 1],
  ['seizures 89 s apart are one', events([600, 610], [699, 710]), events([600, 601]), 1, 1, 0],
  ['seizures 90 s apart are two', events([600, 610], [700, 710]), events([600, 601]), 2, 1, 0],
  ['detections 89 s apart are one', [], events([100, 110], [199, 210], [1000, 1001]), 0, 0, 2],
  ['a seizure of 12 minutes is three', events([600, 1320]), events([600, 1320]), 3, 3, 0],
  ['a seizure of 5 minutes is one', events([600, 900]), events([650, 660]), 1, 1, 0],
  // The first piece ends at 900, so a detection at 950 is within its margin and in the second piece.
  ['a detection can find two pieces', events([600, 1200]), events([950, 955]), 2, 2, 0],
  ['margins stop at the recording’s ends', events([10, 20], [3590, 3600]), events([0, 3600]), 2, 2, 10],
])('%s', (_, reference, predicted, seizures, truePositives, falsePositives) => {
  expect(counted(reference, predicted)).toEqual({ seizures, truePositives, falsePositives });
});

const scored = (subject: string, reference: SeizureEvent[], predicted: SeizureEvent[], hours: number) => ({
  subject,
  counts: szcoreEvents({ reference, predicted, seconds: hours * HOUR }),
});

test('scores of counts, added up over recordings', () => {
  const scores = szcoreScores([
    scored('a', events([600, 660]), events([600, 660], [2000, 2010]), 12),
    scored('a', events([600, 660]), [], 12),
  ]);
  expect(scores).toMatchObject({
    reference: 2,
    truePositives: 1,
    falsePositives: 1,
    hours: 24,
    sensitivity: 0.5,
    precision: 0.5,
    f1: 0.5,
    falsePositivesPer24Hours: 1,
    subjects: 1,
  });
});

test('the mean over subjects: recordings of one are added up, scores that are unknown left out', () => {
  const { bySubject, subjects, ...pooled } = szcoreScores([
    scored('a', events([600, 660]), events([600, 660]), 12),
    scored('a', events([600, 660], [2000, 2060]), events([600, 660]), 12),
    scored('b', events([600, 660]), [], 24),
    scored('c', [], events([600, 660]), 24),
  ]);
  expect(subjects).toBe(3);
  expect(bySubject.sensitivity).toBeCloseTo((2 / 3 + 0) / 2);
  expect(bySubject.precision).toBeCloseTo((1 + 0) / 2);
  expect(bySubject.f1).toBeCloseTo((4 / 5 + 0 + 0) / 3);
  expect(bySubject.falsePositivesPer24Hours).toBeCloseTo(1 / 3);
  expect(pooled.sensitivity).toBeCloseTo(2 / 4);
});

test('without a reference, without a detection, and without a hit', () => {
  const quiet = szcoreScores([scored('a', [], [], 1)]);
  expect([quiet.sensitivity, quiet.precision, quiet.f1]).toEqual([NaN, NaN, NaN]);
  expect(szcoreScores([scored('a', events([600, 660]), events([0, 1]), 1)]).f1).toBe(0);
  expect(szcoreScores([scored('a', events([600, 660]), [], 1)]).f1).toBe(0);
  expect(szcoreScores([scored('a', [], events([600, 660]), 1)]).f1).toBe(0);
});

test('samples are seconds, as the library counts them', () => {
  // Halves go to the even second: 10.5 becomes 10, 20.5 becomes 20, 15.5 becomes 16.
  const counts = szcoreSamples({
    reference: events([10.5, 20.5]),
    predicted: events([15.5, 30], [25, 40]),
    seconds: 100,
  });
  expect(counts).toEqual({ reference: 10, truePositives: 4, falsePositives: 20, hours: 100 / 3600 });
  expect(szcoreScores([{ subject: 'a', counts }]).falsePositivesPer24Hours).toBeCloseTo(
    (20 / 100) * 86400,
    6,
  );
});

/** Sample by sample on a grid of 10 Hz, with the times of the events on that grid. */
function byMasks(reference: SeizureEvent[], predicted: SeizureEvent[], seconds: number) {
  const mask = (list: SeizureEvent[]): Uint8Array => {
    const samples = new Uint8Array(seconds * 10);
    for (const { start, end } of list) samples.fill(1, Math.round(start * 10), Math.round(end * 10));
    return samples;
  };
  const prepared = (list: SeizureEvent[]): SeizureEvent[] => {
    const joined: SeizureEvent[] = [];
    for (const event of list) {
      const last = joined.pop();
      if (!last) joined.push(event);
      else if (event.start - last.end < 90) joined.push({ start: last.start, end: event.end });
      else joined.push(last, event);
    }
    return joined.flatMap(({ start, end }) =>
      Array.from({ length: Math.max(1, Math.ceil((end - start) / 300)) }, (_, i) => ({
        start: start + 300 * i,
        end: Math.min(end, start + 300 * (i + 1)),
      })),
    );
  };
  const seizures = prepared(reference);
  const detections = prepared(predicted);
  const detected = mask(detections);
  const margins = seizures.map(({ start, end }) => ({
    start: Math.max(0, start - 30),
    end: Math.min(seconds, end + 60),
  }));
  const found = margins.filter((margin) => mask([margin]).some((inside, i) => inside && detected[i]));
  const forgiven = mask(found);
  const wrong = detections.filter((event) => !mask([event]).some((inside, i) => inside && forgiven[i]));
  return { seizures: seizures.length, truePositives: found.length, falsePositives: wrong.length };
}

test('intervals count what masks count, on random recordings', () => {
  const random = new Random(8);
  const seconds = 1500;
  const draw = (): SeizureEvent[] => {
    const edges = random.choose(2 * random.integer(5), seconds * 10).map((at) => at / 10);
    return edges.flatMap((end, i) => (i % 2 === 1 ? [{ start: edges[i - 1] as number, end }] : []));
  };
  for (let round = 0; round < 150; round++) {
    const reference = draw();
    const predicted = draw();
    expect(counted(reference, predicted, seconds), JSON.stringify({ reference, predicted })).toEqual(
      byMasks(reference, predicted, seconds),
    );
  }
});

test('events that are no stretch of time are rejected', () => {
  expect(() => szcoreEvents({ reference: events([5, 4]), predicted: [], seconds: 10 })).toThrow(
    /reference event 1 is 5 s to 4 s/,
  );
  expect(() => szcoreSamples({ reference: [], predicted: events([1, 2], [NaN, 4]), seconds: 10 })).toThrow(
    /predicted event 2 is NaN s/,
  );
});
