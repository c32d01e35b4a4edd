import { expect, test } from 'vitest';
import { evaluate, thresholds, type ScoredRecording } from '../../../../src/eeg/scores/evaluate';
import { writeCsvBi } from '../../../../src/eeg/files/csv_bi';
import { DEFAULT_POSTPROCESSING } from '../../../../src/eeg/events/postprocess';
import { stitched, Stitcher } from '../../../../src/eeg/events/stitch';
import { Random } from '../../../../src/base/random';

const operatingPoints = (...of: Parameters<typeof thresholds>) => thresholds(...of).operatingPoints;
const RATE = 256;

/** A recording of `seconds` with seizures [start, end) as labels, and probabilities above 0 over stretches. */
function recording(
  seconds: number,
  seizures: [number, number][],
  ...raised: [number, number, number][]
): ScoredRecording {
  const probabilities = new Float32Array(seconds * RATE);
  const labels = new Uint8Array(seconds * RATE);
  for (const [start, end] of seizures) labels.fill(1, start * RATE, end * RATE);
  for (const [start, end, probability] of raised) probabilities.fill(probability, start * RATE, end * RATE);
  return { subject: 'one', probabilities, labels };
}

/** An hour: seizures at 0.95 and 0.7, false alarms at 0.9, 0.8 and 0.6. */
const HOUR = recording(
  3600,
  [
    [100, 160],
    [1000, 1060],
  ],
  [100, 160, 0.95],
  [1000, 1060, 0.7],
  [2000, 2060, 0.9],
  [2500, 2560, 0.8],
  [3000, 3060, 0.6],
);

test('operating points: the lowest thresholds that keep the false alarms', () => {
  // One false alarm in the hour is 24 in a day. Steps of the search: 0.92 / 2¹⁰.
  const step = 0.92 / 1024;
  const points = operatingPoints([HOUR], DEFAULT_POSTPROCESSING, RATE, [72, 48, 24, 1]);
  const expected = [
    [0.08, 1, 72],
    [0.6, 1, 48],
    [0.8, 0.5, 24],
    [0.9, 0.5, 0],
  ] as const;
  expected.forEach(([above, sensitivity, alarms], i) => {
    const point = points[i];
    expect(point?.tau_on).toBeGreaterThan(above);
    expect(point?.tau_on).toBeLessThanOrEqual(above + step);
    expect(point?.tau_off).toBeCloseTo((point?.tau_on ?? 0) - 0.08, 12);
    expect(point).toMatchObject({ sensitivity, falseAlarmsPer24Hours: alarms, reached: true });
  });
});

test('a rate that no threshold keeps is said, with the trainer’s default threshold', () => {
  const loud = recording(600, [], [100, 200, 1]);
  expect(operatingPoints([loud], DEFAULT_POSTPROCESSING, RATE, [1])).toEqual([
    {
      falseAlarmRate: 1,
      tau_on: 0.86,
      tau_off: 0.78,
      sensitivity: 0,
      falseAlarmsPer24Hours: 144,
      reached: false,
    },
  ]);
});

test('ten steps: the last threshold below 1 that was tried is 0.92 / 1024 away from it', () => {
  const [point] = operatingPoints(
    [recording(600, [], [100, 200, 0.9985])],
    DEFAULT_POSTPROCESSING,
    RATE,
    [1],
  );
  expect(point?.tau_on).toBeCloseTo(1 - 0.92 / 1024, 12);
});

test('all scores of an hour', () => {
  const scores = evaluate([HOUR], DEFAULT_POSTPROCESSING, RATE);
  // At 0.86 the seizure at 0.95 and the false alarm at 0.9 are events; both end 255 samples late.
  const late = 255 / RATE;
  expect(scores.predicted).toEqual([
    [
      {
        start: 100,
        end: 160 + late,
        confidence: expect.closeTo((60 * 0.95) / (60 + late), 5) as number,
      },
      {
        start: 2000,
        end: 2060 + late,
        confidence: expect.closeTo((60 * 0.9) / (60 + late), 5) as number,
      },
    ],
  ]);
  expect(scores.reference).toEqual([
    [
      { start: 100, end: 160 },
      { start: 1000, end: 1060 },
    ],
  ]);
  expect(scores.hours).toBe(1);
  expect(scores.falseAlarmsPer24Hours).toBe(24);
  expect(scores.sensitivity).toBe(0.5);
  expect(scores.taes).toBeCloseTo(0.5 - 0.15 / 2, 12);
  // By falling threshold, without what says the same twice.
  for (const [i, point] of scores.curve.entries()) {
    const before = scores.curve[i - 1];
    if (before) expect(point.tau_on).toBeLessThan(before.tau_on);
    expect([point.sensitivity, point.falseAlarmsPer24Hours]).not.toEqual([
      before?.sensitivity,
      before?.falseAlarmsPer24Hours,
    ]);
  }
  expect(scores.curve.length).toBeGreaterThan(0);
  expect(scores.operatingPoints.map(({ falseAlarmRate }) => falseAlarmRate)).toEqual([10, 5, 2.5, 1]);
  expect(scores.szcore.events).toMatchObject({ reference: 2, truePositives: 1, falsePositives: 1 });
  expect(scores.szcore.samples).toMatchObject({ reference: 120, truePositives: 60, falsePositives: 62 });
  // Seconds of 120 seizure × 3480 background: the seizure at 0.7 loses to 120 s, the other to none.
  expect(scores.auroc).toBeCloseTo(1 - (60 * 120) / (120 * 3480), 12);
  expect(scores.seizureSamples).toBe(120 * RATE);
});

test('recordings are scored one by one and added up', () => {
  const quiet = recording(3600, []);
  const both = evaluate([HOUR, quiet], DEFAULT_POSTPROCESSING, RATE, []);
  expect(both).toMatchObject({ hours: 2, falseAlarmsPer24Hours: 12, sensitivity: 0.5, operatingPoints: [] });
  expect(both.predicted[1]).toEqual([]);
});

test('lower false-alarm rates never find more, on random recordings', () => {
  const random = new Random(3);
  for (let round = 0; round < 5; round++) {
    const raised = Array.from({ length: 12 }, (_, i): [number, number, number] => [
      i * 50 + 5,
      i * 50 + 5 + 10 + random.integer(20),
      random.uniform(0.1, 1),
    ]);
    const one = recording(
      600,
      [
        [105, 130],
        [305, 330],
      ],
      ...raised,
    );
    const points = operatingPoints([one], DEFAULT_POSTPROCESSING, RATE, [2000, 1000, 500, 200, 0]);
    points.forEach((point, i) => {
      const before = points[i - 1];
      if (!before) return;
      expect(point.tau_on).toBeGreaterThanOrEqual(before.tau_on);
      expect(point.sensitivity).toBeLessThanOrEqual(before.sensitivity);
    });
  }
});

test('overlapping windows become the mean of what covers a sample', async () => {
  const whole = await stitched(10, (stitcher) => {
    stitcher.add(0, new Float32Array(4).fill(0.25));
    stitcher.add(2, new Float32Array(4).fill(0.75));
    stitcher.add(7, new Float32Array(4).fill(1));
  });
  expect([...whole]).toEqual([0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 0, 1, 1, 1]);
});

test('what is stitched is given on in order as soon as no window can change it', () => {
  const pieces: number[][] = [];
  const stitcher = new Stitcher(60, (piece) => pieces.push([...piece]));
  stitcher.add(0, new Float32Array(20).fill(0.5));
  expect(pieces).toEqual([]);
  stitcher.add(10, new Float32Array(20).fill(0.25));
  expect(pieces.flat()).toEqual(new Array(10).fill(0.5));
  stitcher.add(45, new Float32Array(20).fill(1));
  expect(pieces.flat()).toHaveLength(45);
  stitcher.finish();
  const expected = Array.from({ length: 60 }, (_, i) =>
    i < 10 ? 0.5 : i < 20 ? 0.375 : i < 30 ? 0.25 : i < 45 ? 0 : 1,
  );
  expect(pieces.flat()).toEqual(expected);
});

test('a single window stays as it is', async () => {
  const random = new Random(6);
  const window = Float32Array.from({ length: 20 }, () => random.uniform());
  expect(await stitched(20, (stitcher) => stitcher.add(0, window))).toEqual(window);
});

test('stitching rejects what is no probability, and windows out of order', () => {
  const stitcher = new Stitcher(10, () => undefined);
  expect(() => stitcher.add(3, Float32Array.of(0.5, NaN))).toThrow(/window at sample 3.*NaN at its sample 1/);
  expect(() => stitcher.add(-1, new Float32Array(1))).toThrow(/starts at a sample from 0/);
  stitcher.add(4, new Float32Array(2));
  expect(() => stitcher.add(2, new Float32Array(2))).toThrow(/sample 2 comes after one at sample 4/);
  stitcher.finish();
  expect(() => stitcher.add(0, new Float32Array(1))).toThrow(/stitched already/);
});

test('predicted events as csv_bi', () => {
  const events = [
    { start: 50.5, end: 60, confidence: 0.98765 },
    { start: 10, end: 20.25, confidence: 1 },
  ];
  expect(writeCsvBi('aaaaaajy_s001_t000', 301, events)).toBe(
    [
      '# version = csv_v1.0.0',
      '# bname = aaaaaajy_s001_t000',
      '# duration = 301.0000 secs',
      '# montage_file = nedc_eas_default_montage.txt',
      '#',
      'channel,start_time,stop_time,label,confidence',
      'TERM,10.0000,20.2500,seiz,1.0000',
      'TERM,50.5000,60.0000,seiz,0.9877',
      '',
    ].join('\n'),
  );
  expect(() => writeCsvBi('a\nb', 1, [])).toThrow(/line break/);
  expect(() => writeCsvBi('a', NaN, [])).toThrow(/length is NaN/);
});
