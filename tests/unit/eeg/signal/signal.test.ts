import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../../src/eeg/files/bytes';
import { EdfFile } from '../../../../src/eeg/files/edf/file';
import { writeEdf } from '../../../../src/eeg/files/edf/write';
import { chooseChannels, microvoltsOf } from '../../../../src/eeg/signal/channels';
import { CHANNELS, channelOf } from '../../../../src/eeg/signal/montage';
import { Fft } from '../../../../src/eeg/signal/fft';
import { applyFilter, butterworthBandPass, notch, type Filter } from '../../../../src/eeg/signal/filters';
import { BAND_PASS, NOTCH, Preprocessor, zScore } from '../../../../src/eeg/signal/preprocess';
import { Resampler, resampledLength, roundHalfEven } from '../../../../src/eeg/signal/resample';
import { splineWeights } from '../../../../src/eeg/signal/spline';
import { realBytes, realText, testWithReal } from '../real';
import reference from './signal-reference.json';

const made = (length: number, k = 0): Float64Array =>
  Float64Array.from(
    { length },
    (_, i) =>
      40 * Math.sin(0.37 * i + k) +
      25 * Math.cos(0.011 * i * (1 + k)) +
      0.5 * (((7919 * i + 13 * k) % 101) - 50),
  );

/** Largest difference, relative to the largest wanted value. */
function relativeError(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) {
    worst = Math.max(worst, Math.abs((got[i] ?? NaN) - (wanted[i] ?? NaN)));
    scale = Math.max(scale, Math.abs(wanted[i] ?? NaN));
  }
  return worst / scale;
}

const sizes = (key: string): number[] => key.split(',').map(Number);

describe('Fourier transform', () => {
  // Every radix, their mixtures, primes within and beyond the largest radix.
  test.each([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 25, 31, 37, 49, 64, 74, 100, 121, 127, 210, 243, 250, 256, 341, 492, 509,
    1024, 1369,
  ])('length %i against the sum itself, and back', (n) => {
    const re = made(n, 1);
    const im = made(n, 2);
    const wantedRe = new Float64Array(n);
    const wantedIm = new Float64Array(n);
    for (let k = 0; k < n; k++)
      for (let j = 0; j < n; j++) {
        const angle = (-2 * Math.PI * ((j * k) % n)) / n;
        wantedRe[k] = (wantedRe[k] ?? 0) + (re[j] ?? 0) * Math.cos(angle) - (im[j] ?? 0) * Math.sin(angle);
        wantedIm[k] = (wantedIm[k] ?? 0) + (re[j] ?? 0) * Math.sin(angle) + (im[j] ?? 0) * Math.cos(angle);
      }
    const fft = new Fft(n);
    const [r, i] = [re.slice(), im.slice()];
    fft.forward(r, i);
    const scale = Math.max(...wantedRe.map(Math.abs), ...wantedIm.map(Math.abs));
    for (const [got, wanted] of [
      [r, wantedRe],
      [i, wantedIm],
    ] as const)
      got.forEach((v, k) => expect(Math.abs(v - (wanted[k] ?? NaN)) / scale).toBeLessThan(1e-12));
    fft.backward(r, i);
    expect(
      relativeError(
        r.map((v) => v / n),
        re,
      ),
    ).toBeLessThan(1e-13);
    expect(
      relativeError(
        i.map((v) => v / n),
        im,
      ),
    ).toBeLessThan(1e-13);
  });

  test('a long transform keeps thirteen digits', () => {
    for (const n of [48_000, 49_152, 100_003, 250 * 397]) {
      const [re, im] = [made(n), made(n, 3)];
      const fft = new Fft(n);
      fft.forward(re, im);
      fft.backward(re, im);
      expect(
        relativeError(
          re.map((v) => v / n),
          made(n),
        ),
      ).toBeLessThan(1e-13);
    }
  });
});

describe('against scipy', () => {
  test.each(Object.entries(reference.resample))('resample %s', (key, wanted) => {
    const [from = 0, to = 0] = sizes(key);
    // The other channel must leave no trace.
    const [y, other] = new Resampler(from, to).resample(
      made(from),
      made(from, 5).map((v) => v * 1e3),
    );
    const shown = to <= 12 ? [...y] : [...y.slice(0, 4), ...y.slice(to >> 1, (to >> 1) + 2), ...y.slice(-3)];
    expect(relativeError(shown, wanted)).toBeLessThan(1e-10);
    const [alone] = new Resampler(from, to).resample(
      made(from, 5).map((v) => v * 1e3),
      new Float64Array(from),
    );
    expect(relativeError(other, alone)).toBeLessThan(1e-12);
  });

  test.each(Object.entries(reference.butter))('Butterworth band-pass %s', (key, [b = [], a = []]) => {
    const [order = 0, low = 0, high = 0, rate = 0] = sizes(key);
    const filter = butterworthBandPass(order, low, high, rate);
    expect(relativeError(filter.b, b)).toBeLessThan(1e-10);
    expect(relativeError(filter.a, a)).toBeLessThan(1e-10);
  });

  test.each(Object.entries(reference.notch))('notch %s', (key, [b = [], a = []]) => {
    const [frequency = 0, q = 0, rate = 0] = sizes(key);
    expect(relativeError(notch(frequency, q, rate).b, b)).toBeLessThan(1e-14);
    expect(relativeError(notch(frequency, q, rate).a, a)).toBeLessThan(1e-14);
  });

  test('the whole path, every step', () => {
    const shown = (x: ArrayLike<number>) => {
      const all = Array.from(x);
      return [...all.slice(0, 3), ...all.slice(1000, 1003), ...all.slice(-3)];
    };
    const raw = Float32Array.from(made(2000));
    const [signal] = new Resampler(2000, reference.path.n).resample(
      Float64Array.from(raw),
      new Float64Array(2000),
    );
    applyFilter(BAND_PASS, signal);
    expect(relativeError(shown(signal), reference.path.bandpassed)).toBeLessThan(1e-9);
    applyFilter(NOTCH, signal);
    expect(relativeError(shown(signal), reference.path.notched)).toBeLessThan(1e-9);
    expect(relativeError(shown(zScore([signal])), reference.path.zscored)).toBeLessThan(1e-6);
    const flat = new Float32Array(2000);
    const [prepared, second] = new Preprocessor([2000], [reference.path.n]).prepare([raw], [flat]);
    expect(relativeError(shown(prepared), reference.path.zscored)).toBeLessThan(1e-6);
    // What the transform leaks from its neighbour is 1e-15 of it; the floor of the deviation keeps it small.
    expect(Math.max(...second.map(Math.abs))).toBeLessThan(1e-5);
  });
});

describe('filters', () => {
  const response = ({ b, a }: Filter, frequency: number, rate: number): number => {
    const at = (c: readonly number[]) => {
      const angle = (2 * Math.PI * frequency) / rate;
      return Math.hypot(
        c.reduce((sum, v, i) => sum + v * Math.cos(i * angle), 0),
        c.reduce((sum, v, i) => sum + v * Math.sin(i * angle), 0),
      );
    };
    return at(b) / at(a);
  };

  test('half power at the edges of the band, little lost within', () => {
    expect(response(BAND_PASS, 0.5, 256)).toBeCloseTo(Math.SQRT1_2, 6);
    expect(response(BAND_PASS, 120, 256)).toBeCloseTo(Math.SQRT1_2, 9);
    expect(response(BAND_PASS, 100, 256)).toBeCloseTo(0.9998, 4);
    expect(response(NOTCH, 60, 256)).toBeLessThan(1e-12);
    expect(() => butterworthBandPass(3, 0.5, 128, 256)).toThrow('0.5 to 128 Hz');
  });

  test('a z-score survives flat and infinite signals', () => {
    expect([...zScore([new Float64Array(4).fill(7)])]).toEqual([0, 0, 0, 0]);
    expect([...zScore([Float64Array.of(1, Infinity), Float64Array.of(2)])]).toEqual([0, 0, 0]);
    expect([...zScore([Float64Array.of(1), Float64Array.of(3)])]).toEqual(
      [-1, 1].map((v) => expect.closeTo(v, 6) as number),
    );
  });

  test('lengths round as in Python: halves to even', () => {
    expect([0.5, 1.5, 2.5, 2.4999].map(roundHalfEven)).toEqual([0, 2, 2, 2]);
    expect(resampledLength(48_000, 250, 256)).toBe(49_152);
  });
});

describe('electrodes', () => {
  test.each([
    ['EEG FP1-REF', 'Fp1'],
    ['EEG Fp1-LE', 'Fp1'],
    ['fz', 'Fz'],
    ['EEG T7', 'T3'],
    ['P8-AR', 'T6'],
    ['EEG A1-REF', null],
    ['Fp2-F4', null],
    ['EKG1', null],
  ])('%s is %s', (label, channel) => expect(channelOf(label)).toBe(channel));

  test.each(Object.entries(reference.spline))(
    'spline weights for missing %s are those of MNE',
    (key, weights) => {
      const missing = CHANNELS.filter((channel) => key.split(',').includes(channel));
      for (const [i, channel] of missing.entries()) {
        const got = splineWeights(channel, missing);
        expect([...got.keys()]).toEqual(CHANNELS.filter((c) => !missing.includes(c)));
        expect(relativeError([...got.values()], weights[i] ?? [])).toBeLessThan(1e-6);
      }
    },
  );

  const edf = (labels: readonly string[], units: readonly string[] = [], rates: readonly number[] = []) =>
    EdfFile.open(
      memorySource(
        writeEdf({
          kind: 'EDF',
          recordDuration: 1,
          signals: labels.map((label, i) => ({
            label,
            unit: units[i] ?? 'uV',
            rate: rates[i] ?? 256,
            physicalMinimum: -100,
            physicalMaximum: 100,
            values: new Float32Array(rates[i] ?? 256).fill(i),
          })),
        }),
      ),
      'a.edf',
    );
  const reversed = CHANNELS.map((channel) => `EEG ${channel.toUpperCase()}-REF`).reverse();

  test('in the trainer’s order whatever the order of the file, in µV whatever the unit', async () => {
    const sources = chooseChannels(await edf(['EKG', ...reversed], ['V', 'mV']));
    expect(sources.map((s) => s.terms[0]?.signal)).toEqual(CHANNELS.map((_, i) => 19 - i));
    expect(sources.map((s) => s.terms[0]?.weight)).toEqual(CHANNELS.map((_, i) => (i === 18 ? 1000 : 1)));
  });

  test('Fz and Pz alone may be missing', async () => {
    const without = (...names: string[]) =>
      edf(reversed.filter((label) => !names.some((n) => label.includes(n))));
    const sources = chooseChannels(await without('FZ', 'PZ'));
    expect(sources.filter((s) => s.interpolated).map((s) => [s.channel, s.terms.length])).toEqual([
      ['Fz', 17],
      ['Pz', 17],
    ]);
    const sum = sources[8]?.terms.reduce((total, term) => total + term.weight, 0);
    expect(sum).toBeCloseTo(1, 9); // a constant field stays itself
    const rejected = await without('FZ', 'T4', 'O1');
    expect(() => chooseChannels(rejected)).toThrow(
      'a.edf, labels: O1, Fz, T4 are missing of the 19 electrodes; only Fz and Pz can be interpolated; the file has EEG ',
    );
    const bipolar = await edf(['FP1-F7', 'F7-T7', 'Cz']);
    expect(() => chooseChannels(bipolar)).toThrow('the file has FP1-F7, F7-T7, Cz');
    const foreign = await edf(['FP1-F7', 'F7-T7']);
    expect(() => chooseChannels(foreign)).toThrow('none of the 19 electrodes is there; the file has FP1-F7');
  });

  test('references that the trainer does not know are read where its own names are missing', async () => {
    const signals = async (labels: readonly string[]): Promise<unknown[]> =>
      chooseChannels(await edf(labels)).map(({ terms }) => terms[0]?.signal);
    const avg = CHANNELS.map((channel) => `EEG ${channel}-Avg`);
    expect(await signals(avg)).toEqual([...CHANNELS.keys()]);
    expect(await signals(CHANNELS.map((channel) => `${channel}-Ref1`))).toEqual([...CHANNELS.keys()]);
    expect(await signals([...avg, ...CHANNELS])).toEqual([...CHANNELS.keys()].map((i) => i + 19));
    await expect(signals([...avg, 'Fp1-Ref2'])).rejects.toThrow('Fp1 is missing of the 19 electrodes');
  });

  test.each(['uV', 'µV', 'μV', 'ÂµV', 'Î¼V', '\u0083ÊV', '.V', 'uV/bit', ''])(
    'the unit %j is taken as µV',
    (unit) => expect(microvoltsOf(unit)?.weight).toBe(1),
  );

  test('a unit that had to be guessed is known as one', () => {
    expect(['uV', 'µV', 'mV', 'V'].map((unit) => microvoltsOf(unit)?.guessed)).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['.V', 'uV/bit', '', 'ÂµV'].map((unit) => microvoltsOf(unit)?.guessed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(microvoltsOf('mmHg')).toBeNull();
  });

  test('doubled electrodes, other units and impossible rates are rejected', async () => {
    const doubled = await edf([...reversed, 'T7']);
    expect(() => chooseChannels(doubled)).toThrow(
      'T3 is there twice, as signals 14 (EEG T3-REF) and 20 (T7)',
    );
    const degrees = await edf(reversed, ['DegC']);
    expect(() => chooseChannels(degrees)).toThrow('unit of signal 1 (EEG O2-REF): "DegC" is no voltage');
    const slow = await edf(reversed, [], [1]);
    expect(() => chooseChannels(slow)).toThrow('1 Hz is no rate of EEG');
    const mixed = await edf(
      reversed.filter((label) => !label.includes('FZ')),
      [],
      [128],
    );
    expect(() => chooseChannels(mixed)).toThrow('different rates');
  });
});

interface StepReference {
  readonly shape: readonly [number, number];
  readonly channels: Readonly<
    Record<string, { first5: number[]; last5: number[]; mean: number; std: number }>
  >;
}

testWithReal(
  "a real recording agrees with the trainer's values at every step",
  ['edf/microstates_test.edf', 'microstates_reference.json'],
  async () => {
    const wanted = JSON.parse(realText('microstates_reference.json')) as Readonly<
      Record<'raw_uv' | 'resampled' | 'bandpassed' | 'notched' | 'zscored', StepReference>
    >;
    const file = await EdfFile.open(
      memorySource(realBytes('edf/microstates_test.edf')),
      'microstates_test.edf',
    );
    const sources = chooseChannels(file);
    const signals = sources.map((source) => source.terms[0]?.signal ?? -1);
    const raw = await file.readRecords(0, file.header.records, signals);
    const resampler = new Resampler(48_000, 49_152);
    const check = (step: keyof typeof wanted, channel: string, got: ArrayLike<number>): void => {
      const { shape, channels } = wanted[step];
      const { first5 = [], last5 = [], mean = NaN, std = NaN } = channels[channel] ?? {};
      const values = Float64Array.from(got);
      expect(values.length).toBe(shape[1]);
      expect(relativeError(values.slice(0, 5), first5), `${step} ${channel}`).toBeLessThan(1e-5);
      expect(relativeError(values.slice(-5), last5), `${step} ${channel}`).toBeLessThan(1e-5);
      const average = values.reduce((sum, v) => sum + v, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - average) ** 2, 0) / values.length);
      expect(Math.abs(average - mean) / std).toBeLessThan(1e-6);
      expect(Math.abs(deviation - std) / std).toBeLessThan(1e-6);
    };
    for (const [i, channel] of CHANNELS.entries()) {
      const uv = raw[i] ?? new Float32Array();
      check('raw_uv', channel, uv);
      const [signal] = resampler.resample(Float64Array.from(uv), new Float64Array(uv.length));
      check('resampled', channel, signal);
      applyFilter(BAND_PASS, signal);
      check('bandpassed', channel, signal);
      applyFilter(NOTCH, signal);
      check('notched', channel, signal);
      check('zscored', channel, zScore([signal]));
    }
  },
);
