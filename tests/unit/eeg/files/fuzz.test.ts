/** Damaged files: each is rejected with a DataError, or read into something that keeps every promise of its type. */
import { expect, test } from 'vitest';
import { parseAnnotations } from '../../../../src/eeg/files/annotations';
import { writeCsvBi } from '../../../../src/eeg/files/csv_bi';
import { memorySource } from '../../../../src/eeg/files/bytes';
import { EdfFile } from '../../../../src/eeg/files/edf/file';
import { writeEdf, type EdfToWrite } from '../../../../src/eeg/files/edf/write';
import { inspectRecording, pairFiles } from '../../../../src/eeg/files/recording';
import { syntheticCorpus } from '../../../../src/eeg/synthetic/corpus';
import { openRecordings } from '../../../../src/eeg/windows/dataset';
import { TooLong } from '../../../../src/run/worker_link';
import { DataError } from '../../../../src/eeg/errors';
import { Random } from '../../../../src/base/random';
import { mutated, withinBounds } from '../../mutated';
import { FULL } from '../../../full';

const FILES = FULL ? 10_000 : 500;
const encoder = new TextEncoder();

async function checkEdf(bytes: Uint8Array): Promise<'rejected' | 'read'> {
  try {
    const file = await EdfFile.open(memorySource(bytes), 'fuzz.edf');
    const { header, segments } = file;
    expect(header.records).toBeGreaterThan(0);
    expect(header.headerBytes + header.records * header.recordBytes).toBeLessThanOrEqual(bytes.length);
    expect(Number.isFinite(file.duration) && file.duration >= 0).toBe(true);
    expect(segments.reduce((sum, s) => sum + s.records, 0)).toBe(header.records);
    const readable = [...header.signals.keys()].filter((i) => header.signals[i]?.unreadable === null);
    for (const i of readable) {
      const { rate = NaN, samplesPerRecord = NaN } = header.signals[i] ?? {};
      expect(rate).toBeGreaterThan(0);
      const [values] = await file.readRecords(0, header.records, [i]);
      expect(values).toHaveLength(header.records * samplesPerRecord);
      for (const value of values ?? []) if (Number.isNaN(value)) throw new Error('a sample is no number');
    }
    for (const pieces of await file.view(readable, 0.2, 1.3))
      for (const { start, values } of pieces) expect(values.length > 0 && start >= 0.2 - 1e-3).toBe(true);
    for (const { onset, text } of (await file.annotations()).events) {
      expect(Number.isFinite(onset)).toBe(true);
      expect(text).not.toBe('');
    }
    return 'read';
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    expect(error.message).toMatch(/^fuzz\.edf, .+: ./s);
    return 'rejected';
  }
}

test(`${FILES} damaged recordings`, async () => {
  const values = Float32Array.from({ length: 40 }, (_, i) => i);
  const signal = { unit: 'uV', physicalMinimum: -100, physicalMaximum: 100, values };
  const signals = [
    { ...signal, label: 'EEG Fz-REF', rate: 20 },
    { ...signal, label: 'EEG Cz-REF', rate: 10, values: values.subarray(0, 20) },
  ];
  const annotations = [{ onset: 0.5, duration: 1, text: 'seiz' }];
  const common: EdfToWrite = { kind: 'EDF', recordDuration: 0.5, signals };
  const originals = [
    writeEdf(common),
    writeEdf({ ...common, kind: 'EDF+C', annotations }),
    writeEdf({ ...common, kind: 'EDF+D', annotations, recordStarts: [0, 0.5, 1, 9] }),
    writeEdf({ ...common, kind: 'BDF+D', annotations, recordStarts: [0, 0.5, 1, 9] }),
  ];
  const random = new Random(1, 'damaged recordings');
  const counts = { rejected: 0, read: 0 };
  for (let i = 0; i < FILES; i++) {
    const original = originals[i % originals.length] ?? new Uint8Array();
    const damaged = mutated(random, original, original.length);
    counts[await withinBounds(() => checkEdf(damaged))]++;
  }
  // Both ways must be well trodden, or the test would prove little.
  expect(counts.rejected).toBeGreaterThan(FILES / 10);
  expect(counts.read).toBeGreaterThan(FILES / 10);
});

test(`${FILES} damaged annotation files`, async () => {
  const rows = Array.from(
    { length: 6 },
    (_, i) => `${i}.0000 ${i + 1}.0000 ${i % 2 ? 'seiz' : 'bckg'} 1.0000`,
  );
  const originals = [
    ['fuzz.csv_bi', writeCsvBi('fuzz', 60, [{ start: 10, end: 20 }], { background: true })],
    ['fuzz.tse', `version = tse_v1.0.0\n\n${rows.join('\n')}\n`],
  ] as const;
  const random = new Random(2, 'damaged annotations');
  const decoder = new TextDecoder();
  const counts = { rejected: 0, read: 0 };
  for (let i = 0; i < FILES; i++) {
    const [name, text] = originals[i % originals.length] ?? ['', ''];
    const damaged = decoder.decode(mutated(random, encoder.encode(text), text.length));
    try {
      const { duration, events } = await withinBounds(() => parseAnnotations(name, damaged));
      expect(duration === null || (Number.isFinite(duration) && duration >= 0)).toBe(true);
      for (const { start, stop, label, confidence } of events) {
        expect(start >= 0 && stop >= start && Number.isFinite(stop)).toBe(true);
        expect(confidence >= 0 && confidence <= 1).toBe(true);
        expect(label).toMatch(/^[a-z0-9_]+$/);
      }
      counts.read++;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      counts.rejected++;
    }
  }
  expect(counts.rejected).toBeGreaterThan(FILES / 10);
  expect(counts.read).toBeGreaterThan(FILES / 20);
});

test('a recording that nobody could look at in time is left out with a sentence, and the others are opened', async () => {
  const files = [
    ...syntheticCorpus({ seed: 1, patients: 2, recordingsPerPatient: 1, duration: 60, seizures: 0 }),
  ].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));
  const pairs = pairFiles(files);
  const [slow] = pairs;
  const { recordings, rejected } = await openRecordings(pairs, Infinity, undefined, [], (pair, texts) =>
    pair === slow
      ? Promise.reject(new TooLong('it takes longer than 60 seconds to read; choose another file'))
      : inspectRecording(pair, texts),
  );
  expect(recordings).toHaveLength(1);
  const path = slow?.recording.path ?? '';
  const reason = `${path} could not be read: it takes longer than 60 seconds to read; choose another file`;
  expect(rejected).toEqual([{ path, reason }]);
});
