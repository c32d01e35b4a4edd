import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../src/eeg/windows/dataset';
import { pairFiles } from '../../../src/eeg/files/recording';
import { Preprocessor } from '../../../src/eeg/signal/preprocess';
import { recordingFiles, syntheticCorpus } from '../../../src/eeg/synthetic/corpus';
import { generate } from '../../../src/eeg/synthetic/generator';
import { allWindows, WINDOW } from '../../../src/eeg/windows/windows';

const SETTINGS = { seed: 5, duration: 240, seizures: 2, rate: 256, lineFrequency: 60 };

const folderOf = (files: Iterable<{ path: string; bytes: Uint8Array }>) =>
  openRecordings(pairFiles([...files].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }))));

const power = (signal: Float32Array, from: number, to: number): number =>
  signal.subarray(from * 256, to * 256).reduce((sum, value) => sum + value ** 2, 0) / ((to - from) * 256);

describe('a synthetic recording', () => {
  const recording = generate(SETTINGS);

  test('follows from its seed alone', () => {
    const again = generate(SETTINGS);
    expect(again.seizures).toEqual(recording.seizures);
    expect(again.signals.map(({ buffer }) => Buffer.from(buffer))).toSatisfy((signals: Buffer[]) =>
      signals.every((signal, i) =>
        signal.equals(Buffer.from((recording.signals[i] ?? new Float32Array()).buffer)),
      ),
    );
    expect(generate({ ...SETTINGS, seed: 6 }).signals[0]).not.toEqual(recording.signals[0]);
  });

  test('has seizures apart from each other, loudest at their focus', () => {
    expect(recording.seizures).toHaveLength(2);
    for (const { start, stop } of recording.seizures) {
      expect(start).toBeGreaterThanOrEqual(15);
      expect(stop).toBeLessThanOrEqual(SETTINGS.duration);
      const t3 = recording.signals[5] as Float32Array;
      expect(power(t3, start, stop)).toBeGreaterThan(0);
    }
  });

  test('has a background of tens of microvolts whose power falls with frequency', () => {
    const quiet = generate({ ...SETTINGS, seizures: 0 });
    const signal = quiet.signals[9] as Float32Array;
    const deviation = Math.sqrt(power(signal, 0, SETTINGS.duration));
    expect(deviation).toBeGreaterThan(5);
    expect(deviation).toBeLessThan(100);
    const smooth = signal.map((_, i) => {
      let sum = 0;
      for (let k = 0; k < 32; k++) sum += signal[Math.max(0, i - k)] as number;
      return sum / 32;
    });
    // 1/f: what is below about 4 Hz has more power than all that is above.
    expect(power(smooth, 1, 200)).toBeGreaterThan(0.3 * power(signal, 1, 200));
  });

  test('comes back from its files with the same windows and labels', async () => {
    const folder = await folderOf(recordingFiles('a/synth000_s001_t000', recording));
    expect(folder.rejected).toEqual([]);
    const [info] = folder.recordings;
    expect(info?.patient).toBe('synth000');
    expect(info?.seizures).toEqual(
      recording.seizures.map(({ start, stop }) => ({ from: start * 256, to: stop * 256 })),
    );
    const n = SETTINGS.duration * 256;
    const path = new Preprocessor([n], [n]);
    const silent = new Float32Array(n);
    const { windows } = allWindows(folder.recordings, [0]);
    expect(windows).toHaveLength(19);
    const dataset = new Dataset(folder);
    const [x, y] = [new Float32Array(WINDOW * 19), new Float32Array(WINDOW)];
    for (const channel of [0, 9, 18]) {
      const [direct] = path.prepare([recording.signals[channel] as Float32Array], [silent]);
      for (const window of [windows[0], windows[12]]) {
        if (!window) throw new Error('too few windows');
        await dataset.fill(window, x, y);
        // 16 bits over ±3276.8 µV: at most 0.05 µV beside, of signals of tens of µV.
        for (let i = 0; i < WINDOW; i += 97)
          expect(Math.abs((x[i * 19 + channel] ?? NaN) - (direct[window.start + i] ?? NaN))).toBeLessThan(
            0.02,
          );
        const seizing = (at: number): boolean =>
          recording.seizures.some(({ start, stop }) => at >= start * 256 && at < stop * 256);
        expect([...y].every((label, i) => (label === 1) === seizing(window.start + i))).toBe(true);
      }
    }
  });
});

test('a corpus has patients and recordings as asked, the same bytes each time', async () => {
  const settings = { seed: 1, patients: 2, recordingsPerPatient: 2, duration: 90, seizures: 1 };
  const files = [...syntheticCorpus(settings)];
  expect(files.map(({ path }) => path)).toEqual(
    ['synth000', 'synth001'].flatMap((patient) =>
      ['t000', 't001'].flatMap((take) =>
        ['edf', 'csv_bi'].map((end) => `${patient}/${patient}_s001_${take}.${end}`),
      ),
    ),
  );
  const again = [...syntheticCorpus(settings)];
  expect(again.map(({ bytes }, i) => Buffer.from(bytes).equals(files[i]?.bytes ?? Buffer.of()))).toEqual(
    files.map(() => true),
  );
  const { recordings } = await folderOf(files);
  expect(new Set(recordings.map(({ patient }) => patient)).size).toBe(2);
});
