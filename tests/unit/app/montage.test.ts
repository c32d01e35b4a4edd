import { describe, expect, test } from 'vitest';
import { applyMontage, displayFilter } from '../../../src/app/pages/detector/montage';
import { CHANNELS } from '../../../src/eeg/signal/montage';

/** Channel i holds i and 10 i. */
const channels = CHANNELS.map((_, i) => Float32Array.of(i, 10 * i));

describe('montages', () => {
  test('the longitudinal bipolar one has 18 differences along the chains', () => {
    const traces = applyMontage('bipolar', channels);
    expect(traces).toHaveLength(18);
    expect(traces.slice(0, 4).map(({ label }) => label)).toEqual(['Fp1–F7', 'F7–T3', 'T3–T5', 'T5–O1']);
    const [first] = traces;
    const difference = CHANNELS.indexOf('Fp1') - CHANNELS.indexOf('F7');
    expect([...(first?.values ?? [])]).toEqual([difference, 10 * difference]);
  });

  test('the average reference takes the mean of all away', () => {
    for (const { values } of [applyMontage('average', channels)[9]].flatMap((trace) => trace ?? []))
      expect([...values]).toEqual([0, 0]);
    expect(applyMontage('referential', channels).map(({ label }) => label)).toEqual([...CHANNELS]);
  });
});

describe('display filters', () => {
  const RATE = 256;
  const sine = (hz: number): Float32Array =>
    Float32Array.from({ length: 8 * RATE }, (_, i) => Math.sin((2 * Math.PI * hz * i) / RATE));
  /** Amplitude of the last two seconds. */
  const amplitude = (values: Float32Array): number => Math.max(...values.subarray(6 * RATE).map(Math.abs));
  const off = { high: 0, low: 0, notch: 0 };

  test.each([
    ['high-pass at its corner', 1, { ...off, high: 1 }, Math.SQRT1_2],
    ['high-pass far above', 20, { ...off, high: 1 }, 1],
    ['low-pass at its corner', 15, { ...off, low: 15 }, Math.SQRT1_2],
    ['low-pass far above', 100, { ...off, low: 15 }, 0.067],
    ['notch at the line', 50, { ...off, notch: 50 }, 0],
    ['notch beside it', 30, { ...off, notch: 50 }, 1],
    ['nothing', 7, off, 1],
  ])('%s', (_, hz, filter, want) => {
    expect(Math.abs(amplitude(displayFilter(sine(hz), RATE, filter)) - want)).toBeLessThan(0.08);
  });

  test('gaps stay gaps, and what follows starts anew', () => {
    const values = sine(5);
    values.fill(NaN, 100, 200);
    const filtered = displayFilter(values, RATE, { high: 1, low: 70, notch: 60 });
    expect(filtered.findIndex(Number.isNaN)).toBe(100);
    expect(filtered.subarray(100, 200).every(Number.isNaN)).toBe(true);
    expect(filtered.subarray(200).some(Number.isNaN)).toBe(false);
  });
});
