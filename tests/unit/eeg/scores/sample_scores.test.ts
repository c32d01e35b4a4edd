import { expect, test } from 'vitest';
import { SampleScorer } from '../../../../src/eeg/scores/sample_scores';
import { Random } from '../../../../src/base/random';

function scores(probabilities: number[] | Float32Array, labels: number[] | Uint8Array) {
  const scorer = new SampleScorer(labels.length);
  scorer.add(Float32Array.from(probabilities), Uint8Array.from(labels));
  return scorer.scores();
}

/** Counts every pair of a seizure's and a background sample. */
function pairs(probabilities: Float32Array, labels: Uint8Array): number {
  let right = 0;
  let all = 0;
  labels.forEach((seizure, i) => {
    if (!seizure) return;
    labels.forEach((other, j) => {
      if (other) return;
      all++;
      right += (Math.sign((probabilities[i] as number) - (probabilities[j] as number)) + 1) / 2;
    });
  });
  return right / all;
}

/** Precision and recall at every threshold, one at a time. */
function averagePrecision(probabilities: Float32Array, labels: Uint8Array): number {
  const thresholds = [...new Set(probabilities)].sort((a, b) => b - a);
  const seizures = labels.reduce((sum, label) => sum + label, 0);
  let recallBefore = 0;
  let area = 0;
  for (const threshold of thresholds) {
    const chosen = labels.filter((_, i) => (probabilities[i] as number) >= threshold);
    const hits = chosen.reduce((sum, label) => sum + label, 0);
    area += (hits / seizures - recallBefore) * (hits / chosen.length);
    recallBefore = hits / seizures;
  }
  return area;
}

test('AUROC and average precision are those of a brute-force count, ties and extremes included', () => {
  const random = new Random(11);
  for (let round = 0; round < 60; round++) {
    const steps = 1 + random.integer(round % 2 === 0 ? 6 : 10_000);
    const labels = Uint8Array.from({ length: 2 + random.integer(150) }, () => random.integer(2));
    labels.set([0, 1]);
    const probabilities = Float32Array.from(labels, (label) =>
      Math.min(1, Math.max(0, (random.integer(steps + 1) + label) / (steps + 1))),
    );
    const { auroc, averagePrecision: area } = scores(probabilities, labels);
    expect(auroc).toBeCloseTo(pairs(probabilities, labels), 12);
    expect(area).toBeCloseTo(averagePrecision(probabilities, labels), 12);
  }
});

test('the example of scikit-learn’s documentation', () => {
  const { auroc, averagePrecision: area } = scores([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);
  expect(auroc).toBe(0.75);
  expect(area).toBeCloseTo(0.8333333333, 9);
});

test('a perfect detector, an inverted one, and one that knows nothing', () => {
  expect(scores([0, 0.2, 0.9, 1], [0, 0, 1, 1]).auroc).toBe(1);
  expect(scores([0, 0.2, 0.9, 1], [1, 1, 0, 0]).auroc).toBe(0);
  expect(scores([0.3, 0.3, 0.3, 0.3], [1, 0, 0, 1])).toMatchObject({ auroc: 0.5, averagePrecision: 0.5 });
});

test('neighbouring floats and denormals are told apart, and −0 is 0', () => {
  const next = 0.5 + 2 ** -24;
  expect(scores([0.5, next], [0, 1]).auroc).toBe(1);
  expect(scores([3e-45, 1e-45], [0, 1]).auroc).toBe(0);
  expect(scores([-0, 0], [1, 0]).auroc).toBe(0.5);
});

test('with one class only there is no ranking', () => {
  expect(scores([0.1, 0.9], [0, 0])).toMatchObject({ auroc: undefined, averagePrecision: undefined });
  expect(scores([0.1, 0.9], [1, 1])).toMatchObject({ auroc: undefined, averagePrecision: 1 });
  expect(scores([], [])).toMatchObject({ auroc: undefined, calibrationError: 0, samples: 0 });
});

test('calibration error: bins are open below, closed above', () => {
  // Bin (0.4, 0.5]: mean 0.46875, one of two; bin (0.9, 1]: mean 1, both; bin [0, 0.1]: mean 0.03125, none of two.
  const { calibrationError } = scores([0.4375, 0.5, 1, 1, 0, 0.0625], [0, 1, 1, 1, 0, 0]);
  expect(calibrationError).toBeCloseTo((Math.abs(0.46875 - 0.5) + 0 + 0.03125) / 3, 12);
});

test('added in parts the scores are the same', () => {
  const random = new Random(2);
  const labels = Uint8Array.from({ length: 500 }, () => random.integer(2));
  const probabilities = Float32Array.from(labels, () => random.uniform());
  const scorer = new SampleScorer(1000);
  for (let i = 0; i < 500; i += 77) scorer.add(probabilities.subarray(i, i + 77), labels.subarray(i, i + 77));
  const whole = scores(probabilities, labels);
  expect(scorer.scores()).toEqual({
    ...whole,
    calibrationError: expect.closeTo(whole.calibrationError, 12) as number,
  });
});

test('bad probabilities and wrong lengths are rejected', () => {
  expect(() => scores([0.5, NaN], [0, 1])).toThrow(/sample 1 has the probability NaN/);
  expect(() => scores([1.5], [0])).toThrow(/probability 1.5/);
  expect(() => scores([0.5], [0, 1])).toThrow(/1 probabilities come with 2 labels/);
  expect(() => new SampleScorer(1).add(new Float32Array(2), new Uint8Array(2))).toThrow(
    /more samples than the 1/,
  );
  expect(() => new SampleScorer(-1)).toThrow(/whole number/);
});
