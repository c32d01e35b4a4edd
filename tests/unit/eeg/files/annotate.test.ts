import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../../src/eeg/files/bytes';
import { withAnnotations } from '../../../../src/eeg/files/edf/annotate';
import { EdfFile } from '../../../../src/eeg/files/edf/file';
import { writeEdf, type EdfToWrite } from '../../../../src/eeg/files/edf/write';

const START = Date.UTC(2019, 2, 7, 22, 15, 1);

const bytesOf = (more: Partial<EdfToWrite>): Uint8Array =>
  writeEdf({
    kind: 'EDF',
    patient: 'Jane Doe 1970',
    recording: 'Ward 3',
    start: START,
    recordDuration: 1,
    signals: ['EEG Fp1-REF', 'EKG'].map((label, k) => ({
      label,
      unit: 'uV',
      rate: 8 * (k + 1),
      physicalMinimum: -100,
      physicalMaximum: 100,
      values: Float32Array.from({ length: 8 * (k + 1) * 6 }, (_, i) => ((i * 13) % 200) - 100),
    })),
    ...more,
  });

async function copyOf(bytes: Uint8Array, events: readonly [number, number, string][]) {
  const source = memorySource(bytes);
  const file = await EdfFile.open(source, 'a.edf');
  const annotations = events.map(([onset, duration, text]) => ({ onset, duration, text }));
  const pieces: Uint8Array[] = [];
  for await (const piece of withAnnotations(file, source, annotations)) pieces.push(piece);
  const copy = await EdfFile.open(memorySource(Buffer.concat(pieces)), 'b.edf');
  return { file, copy };
}

describe('a recording with annotations written in', () => {
  test.each(['EDF', 'EDF+C', 'BDF'] as const)('%s: samples as they were, events added', async (kind) => {
    const plus = kind.includes('+') && { annotations: [{ onset: 1, duration: null, text: 'Eyes open' }] };
    const events: [number, number, string][] = [
      [0.5, 2.25, 'seizure'],
      [3.125, 1, 'seizure'],
      [3.5, 0.5, 'müde'],
    ];
    const { file, copy } = await copyOf(bytesOf({ kind, ...plus }), events);
    expect(copy.warnings).toEqual([]);
    expect(copy.header.kind).toBe(kind.startsWith('B') ? 'BDF+C' : 'EDF+C');
    expect(copy.header.start).toBe(START);
    expect(await copy.readRecords(0, 6, [0, 1])).toEqual(await file.readRecords(0, 6, [0, 1]));
    const { events: read, damaged } = await copy.annotations();
    expect(damaged).toBe(0);
    const expected = events.map(([onset, duration, text]) => ({ onset, duration, text }));
    expect(read.filter(({ text }) => text !== 'Eyes open')).toEqual(expected);
    expect(read.some(({ text }) => text === 'Eyes open')).toBe(kind === 'EDF+C');
  });

  test('a plain header gets the fields that EDF+ asks for', async () => {
    const { copy } = await copyOf(bytesOf({}), []);
    expect(copy.header.patient).toBe('X X X Jane_Doe_1970');
    expect(copy.header.recording).toBe('Startdate 07-MAR-2019 X X Ward_3');
  });

  test('gaps and fractions of a second keep their times', async () => {
    const recordStarts = [0, 1, 2, 10, 11, 12];
    const bytes = bytesOf({ kind: 'EDF+D', start: START + 250, recordStarts });
    const { copy } = await copyOf(bytes, [[10.5, 1, 'seizure']]);
    expect(copy.segments.map(({ start }) => start)).toEqual([0, 10]);
    expect((await copy.annotations()).events).toEqual([{ onset: 10.5, duration: 1, text: 'seizure' }]);
  });

  test('a file that was cut short is one of the records that are there', async () => {
    const bytes = bytesOf({});
    const { copy } = await copyOf(bytes.subarray(0, bytes.length - 10), [[4.5, 9, 'seizure']]);
    expect(copy.header.records).toBe(5);
    expect(copy.warnings).toEqual([]);
    expect((await copy.annotations()).events).toHaveLength(1);
  });
});
