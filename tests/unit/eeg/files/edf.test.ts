import { open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { blobSource, handleSource, memorySource, type ByteSource } from '../../../../src/eeg/files/bytes';
import { EdfFile } from '../../../../src/eeg/files/edf/file';
import { writeEdf, type EdfToWrite } from '../../../../src/eeg/files/edf/write';
import { DataError } from '../../../../src/eeg/errors';
import { FULL } from '../../../full';
import { realBytes, testWithReal } from '../real';

const openBytes = (bytes: Uint8Array, name = 'a.edf') => EdfFile.open(memorySource(bytes), name);
const ramp = (length: number, step = 1) => Float32Array.from({ length }, (_, i) => (i * step) % 1000);

/** Two rates, four records of half a second. */
const plain = {
  kind: 'EDF',
  recordDuration: 0.5,
  start: Date.UTC(2003, 4, 6, 7, 8, 9),
  signals: [
    {
      label: 'EEG Cz',
      unit: 'uV',
      rate: 100,
      physicalMinimum: -3276.8,
      physicalMaximum: 3276.7,
      values: ramp(200),
    },
    { label: 'slow', unit: 'mV', rate: 10, physicalMinimum: 5, physicalMaximum: -5, values: ramp(20, 0.01) },
  ],
} as const satisfies EdfToWrite;

/** Overwrites a header field with text. */
function patched(bytes: Uint8Array, offset: number, text: string): Uint8Array {
  const copy = bytes.slice();
  copy.set(new TextEncoder().encode(text), offset);
  return copy;
}

async function rejection(bytes: Uint8Array): Promise<DataError> {
  const error: unknown = await openBytes(bytes, 'folder/a.edf').catch((thrown: unknown) => thrown);
  if (!(error instanceof DataError)) throw new Error(`not rejected: ${String(error)}`);
  expect(error.message).toMatch(/^folder\/a\.edf, /);
  return error;
}

describe('samples', () => {
  test('mixed rates, both directions of the physical range, within half a digital step', async () => {
    const file = await openBytes(writeEdf(plain));
    expect(file.header.signals.map((s) => s.rate)).toEqual([100, 10]);
    expect(file.header.start).toBe(plain.start);
    expect(file.duration).toBe(2);
    const [eeg, slow] = await file.readRecords(0, 4, [0, 1]);
    expect(eeg).toHaveLength(200);
    plain.signals[0].values.forEach((v, i) => expect(Math.abs((eeg?.[i] ?? NaN) - v)).toBeLessThan(0.051));
    plain.signals[1].values.forEach((v, i) => expect(Math.abs((slow?.[i] ?? NaN) - v)).toBeLessThan(8e-5));
  });

  test('what is written twice is the same, bit by bit', async () => {
    for (const kind of ['EDF', 'EDF+C', 'BDF', 'BDF+C'] as const) {
      const first = await openBytes(writeEdf({ ...plain, kind }));
      const read = await first.readRecords(0, 4, [0, 1]);
      const signals = plain.signals.map((signal, i) => ({ ...signal, values: read[i] ?? [] }));
      const second = await openBytes(writeEdf({ ...plain, kind, signals }));
      expect(await second.readRecords(0, 4, [0, 1])).toEqual(read);
    }
  });

  test('24-bit samples keep their sign and their last bit', async () => {
    const values = [-8388608, -1, 0, 1, 8388607, 65536, -65536, 255, -256, 1 << 22];
    const signal = {
      label: 'x',
      unit: '',
      rate: 10,
      physicalMinimum: -8388608,
      physicalMaximum: 8388607,
      values,
    };
    const file = await openBytes(writeEdf({ kind: 'BDF', recordDuration: 1, signals: [signal] }));
    expect([...((await file.readRecords(0, 1, [0]))[0] ?? [])]).toEqual(values);
  });

  test('a view reads the records it shows and no more', async () => {
    const bytes = writeEdf(plain);
    let read = 0;
    const counting: ByteSource = {
      size: bytes.length,
      read(offset, length) {
        read += length;
        return memorySource(bytes).read(offset, length);
      },
    };
    const file = await EdfFile.open(counting, 'a.edf');
    read = 0;
    const [[piece] = []] = await file.view([0], 0.6, 0.9);
    expect(read).toBe(2 * (50 + 5));
    expect(piece?.start).toBeCloseTo(0.6, 9);
    expect([...(piece?.values ?? [])].map(Math.round)).toEqual(Array.from({ length: 30 }, (_, i) => 60 + i));
  });

  test('of records larger than a mebibyte only the samples in view are read', async () => {
    const signal = { label: 'x', unit: 'uV', rate: 600_000, physicalMinimum: -1000, physicalMaximum: 1000 };
    const bytes = writeEdf({
      kind: 'EDF',
      recordDuration: 1,
      signals: [{ ...signal, values: ramp(1_200_000) }],
    });
    let read = 0;
    const counting: ByteSource = {
      size: bytes.length,
      read: (offset, length) => ((read += length), memorySource(bytes).read(offset, length)),
    };
    const file = await EdfFile.open(counting, 'a.edf');
    read = 0;
    const [[piece] = []] = await file.view([0], 1 - 100 / 600_000, 1 + 100 / 600_000);
    expect(read).toBe(400);
    expect([...(piece?.values ?? [])].map(Math.round)).toEqual([
      ...ramp(1_200_000).subarray(599_900, 600_100),
    ]);
    expect((await file.readRecords(1, 1, [0]))[0]?.[0]).toBeCloseTo(0, 1);
  });

  test('the sources of bytes agree, and reject what lies beyond the end', async () => {
    const bytes = writeEdf(plain);
    const path = join(tmpdir(), `smokescan-bytes-${process.pid}.edf`);
    await writeFile(path, bytes);
    const handle = await open(path);
    const sources = [
      memorySource(bytes),
      blobSource(new Blob([bytes])),
      handleSource(handle, (await stat(path)).size),
    ];
    for (const source of sources) {
      expect(source.size).toBe(bytes.length);
      expect([...(await source.read(250, 20))]).toEqual([...bytes.subarray(250, 270)]);
      await expect(source.read(bytes.length - 1, 2)).rejects.toThrow(RangeError);
    }
    await handle.close();
    await rm(path);
  });
});

describe('EDF+', () => {
  const annotations = [
    { onset: 0.25, duration: null, text: 'spike' },
    { onset: 1.5, duration: 0.25, text: 'Anfall über Fz' },
  ];

  test('annotations, relative to the first sample of a recording that starts within a second', async () => {
    const file = await openBytes(
      writeEdf({ ...plain, kind: 'EDF+C', start: plain.start + 394.5, annotations }),
    );
    expect(file.header.start).toBe(plain.start);
    expect(file.startOffset).toBeCloseTo(0.3945, 7);
    const { events: read } = await file.annotations();
    expect(read.map(({ duration, text }) => ({ duration, text }))).toEqual(
      annotations.map(({ duration, text }) => ({ duration, text })),
    );
    read.forEach(({ onset }, i) => expect(onset).toBeCloseTo(annotations[i]?.onset ?? NaN, 6));
  });

  test('gaps are kept: segments, views across them, annotations after them', async () => {
    const recordStarts = [0, 0.5, 10, 10.5];
    for (const kind of ['EDF+D', 'BDF+D'] as const) {
      const late = { onset: 10.75, duration: 1, text: 'late' };
      const file = await openBytes(writeEdf({ ...plain, kind, recordStarts, annotations: [late] }));
      expect(file.segments).toEqual([
        { start: 0, duration: 1, firstRecord: 0, records: 2 },
        { start: 10, duration: 1, firstRecord: 2, records: 2 },
      ]);
      expect(file.duration).toBe(11);
      expect(await file.annotations()).toEqual({ events: [late], damaged: 0 });
      const [pieces = []] = await file.view([0], 0.98, 10.02);
      expect(
        pieces.map((piece) => [piece.start, ...piece.values].map((v) => Math.round(v * 100) / 100)),
      ).toEqual([
        [0.98, 98, 99].map((v) => expect.closeTo(v, 0) as number),
        [10, 100, 101].map((v) => expect.closeTo(v, 0) as number),
      ]);
    }
  });

  test('records that overlap much are rejected; broken time stamps only where gaps depend on them', async () => {
    const overlapping = writeEdf({ ...plain, kind: 'EDF+D', recordStarts: [0, 0.2, 1, 2] });
    expect((await rejection(overlapping)).field).toBe('annotations of record 2');
    const stamp = 256 * 4 + (50 + 5) * 2;
    const contiguous = await openBytes(patched(writeEdf({ ...plain, kind: 'EDF+C' }), stamp, '#'));
    expect(contiguous.warnings).toEqual([expect.stringContaining('"#0" is no onset') as string]);
    const withGaps = patched(writeEdf({ ...plain, kind: 'EDF+D', recordStarts: [0, 1, 2, 3] }), stamp, '#');
    expect((await rejection(withGaps)).field).toBe('annotations of record 1');
  });

  test('small overlaps and a drifting clock are told, and a stretch is as long as its records', async () => {
    const recordStarts = [0, 0.45, 0.95, 10];
    const overlapping = await openBytes(writeEdf({ ...plain, kind: 'EDF+D', recordStarts }));
    expect(overlapping.segments).toEqual([
      { start: 0, duration: 1.5, firstRecord: 0, records: 3 },
      { start: 10, duration: 0.5, firstRecord: 3, records: 1 },
    ]);
    expect(overlapping.warnings).toEqual([
      expect.stringContaining('1 records start a little before') as string,
    ]);

    const records = 100;
    const long = {
      ...plain,
      kind: 'EDF+D',
      signals: plain.signals.map((signal) => ({
        ...signal,
        values: ramp(signal.rate * 0.5 * records, 0.01),
      })),
      recordStarts: Array.from({ length: records }, (_, i) => Number((i * 0.504).toFixed(3))),
    } as const satisfies EdfToWrite;
    const drifting = await openBytes(writeEdf(long));
    expect(drifting.segments).toEqual([{ start: 0, duration: 50, firstRecord: 0, records }]);
    expect(drifting.warnings).toEqual([expect.stringContaining('drifts by 0.396 s') as string]);
  });

  test('a jump in a file that promises none is told', async () => {
    const jump = writeEdf({ ...plain, kind: 'EDF+D', recordStarts: [0, 0.5, 1, 31.5] });
    const file = await openBytes(patched(jump, 192, 'EDF+C'));
    expect(file.segments).toHaveLength(1);
    expect(file.warnings).toEqual([expect.stringContaining('the last record starts 30 s late') as string]);
  });

  test('a damaged annotation loses only itself; plain EDF may hold annotations; old texts are Latin-1', async () => {
    const bytes = writeEdf({ ...plain, kind: 'EDF+C', annotations });
    const text = Buffer.from(bytes).indexOf('spike');
    const unended = patched(bytes, text + 5, 'x');
    const { events, damaged } = await (await openBytes(unended)).annotations();
    expect([events.map((event) => event.text), damaged]).toEqual([['Anfall über Fz'], 1]);

    const plainKind = await openBytes(patched(bytes, 192, '     '));
    expect(plainKind.warnings).toEqual([expect.stringContaining('EDF knows no annotations') as string]);
    expect((await plainKind.annotations()).events).toHaveLength(2);

    const latin = bytes.slice();
    const umlaut = Buffer.from(bytes).indexOf('ü');
    latin.set([0xfc, 0x20], umlaut);
    expect((await (await openBytes(latin)).annotations()).events[1]?.text).toBe('Anfall ü ber Fz');
  });

  // More than a call takes as arguments.
  test('hundreds of thousands of annotations in one record', async () => {
    const many = Array.from({ length: FULL ? 500_000 : 200_000 }, () => ({
      onset: 0.25,
      duration: null,
      text: 'x',
    }));
    const bytes = writeEdf({ ...plain, kind: 'BDF+C', annotations: many });
    expect((await (await openBytes(bytes)).annotations()).events).toHaveLength(many.length);
  });
});

describe('odd headers', () => {
  const bytes = writeEdf(plain);

  test('separators of dates, an open number of records, decimal commas', async () => {
    expect((await openBytes(patched(bytes, 168, '06:05:0307/08/09'))).header.start).toBe(plain.start);
    const open = await openBytes(patched(bytes, 236, '-1      '));
    expect(open.header.records).toBe(4);
    expect(open.warnings).toHaveLength(1);
    expect((await openBytes(patched(bytes, 244, '0,5     '))).header.recordDuration).toBe(0.5);
    const dateless = await openBytes(patched(bytes, 168, 'xx.yy.zz'));
    expect(dateless.header.start).toBeNull();
    const noSuchDay = patched(patched(bytes, 168, '31.02.03'), 88, 'no date'.padEnd(80));
    expect((await openBytes(noSuchDay)).header.start).toBeNull();
  });

  test('the full date of EDF+ overrides the two digits of the year', async () => {
    const file = await openBytes(patched(bytes, 88, 'Startdate 06-MAY-1903 X X X'));
    expect(file.header.start).toBe(Date.UTC(1903, 4, 6, 7, 8, 9));
  });

  test('a file cut short gives its whole records, one with more bytes those of its header', async () => {
    const short = await openBytes(bytes.subarray(0, bytes.length - 1));
    expect([short.header.records, short.warnings.length]).toEqual([3, 1]);
    const long = await openBytes(new Uint8Array([...bytes, ...new Uint8Array(300)]));
    expect([long.header.records, long.warnings.length]).toEqual([4, 1]);
  });

  test.each<[what: string, offset: number, text: string, why: string]>([
    [
      'equal physical limits',
      256 + 2 * (16 + 80 + 8 + 8),
      '-3276.8 ',
      'its physical minimum and maximum are equal',
    ],
    ['no physical minimum', 256 + 2 * 104, '8e+3.5  ', 'its physical minimum "8e+3.5" is no number'],
    ['digital minimum', 256 + 2 * 120, '40000   ', 'its digital minimum 40000 is no whole number'],
    ['digital maximum', 256 + 2 * 128, '65535   ', 'its digital maximum 65535 is no whole number'],
    ['swapped limits', 256 + 2 * 120, '32767   ', 'is not above its digital minimum'],
  ])('an odd signal is ignored, the others are read: %s', async (_, offset, text, why) => {
    const file = await openBytes(patched(bytes, offset, text));
    expect(file.warnings).toEqual([expect.stringMatching(/^signal 1 \(EEG Cz\) is ignored: its /) as string]);
    expect(file.warnings[0]).toContain(why);
    await expect(file.readRecords(0, 1, [0])).rejects.toThrow(DataError);
    expect((await file.readRecords(0, 1, [1]))[0]).toHaveLength(5);
  });

  test('a digital maximum of 32,768, which no sample reaches, is read', async () => {
    const file = await openBytes(patched(bytes, 256 + 2 * 128, '32768   '));
    expect(file.warnings).toEqual([]);
    expect((await file.readRecords(0, 1, [0]))[0]?.[10]).toBeCloseTo(10, 0);
  });

  test('a signal without samples is ignored', async () => {
    const signals = plain.signals.slice(0, 1);
    const file = writeEdf({ ...plain, kind: 'EDF+C', signals });
    // The annotation signal has none, so the record is shorter by its bytes; there is no time stamp to read.
    const at = 256 + 2 * 216 + 8;
    const listBytes = 2 * Number(Buffer.from(file.subarray(at, at + 8)).toString());
    const record = 100 + listBytes;
    const header = patched(file, at, '0       ').subarray(0, 256 * 3);
    const records = Array.from({ length: 4 }, (_, i) => file.slice(768 + i * record, 768 + i * record + 100));
    const opened = await openBytes(new Uint8Array(Buffer.concat([header, ...records])));
    expect(opened.header.records).toBe(4);
    expect((await opened.readRecords(0, 4, [0]))[0]).toHaveLength(200);
  });

  test.each<[what: string, offset: number, text: string, field: string]>([
    ['version', 0, 'EDF     ', 'version'],
    ['header bytes', 184, '512     ', 'number of bytes in the header'],
    ['no record', 236, '0       ', 'number of records'],
    ['records', 236, '4.5     ', 'number of records'],
    ['duration', 244, '0       ', 'duration of a record'],
    ['duration', 244, '-1      ', 'duration of a record'],
    ['no signals', 252, '0   ', 'number of signals'],
    ['letters', 252, 'ns  ', 'number of signals'],
    ['gaps without times', 192, 'EDF+D', 'reserved'],
    ['samples', 256 + 2 * 216 + 8, '-1      ', 'samples per record of signal 2 (slow)'],
    ['samples', 256 + 2 * 216, '99999999', 'number of records'],
  ])('rejected with the field: %s (%i)', async (_, offset, text, field) => {
    expect((await rejection(patched(bytes, offset, text))).field).toBe(field);
  });

  test('files that end within the header, and no file at all', async () => {
    for (const length of [0, 100, 300, 768]) await rejection(bytes.subarray(0, length));
  });

  test('the writer rejects what the format cannot hold', () => {
    const [signal] = plain.signals;
    expect(() => writeEdf({ ...plain, recordDuration: 0.333 })).toThrow('no whole number of samples');
    expect(() => writeEdf({ ...plain, signals: [{ ...signal, physicalMinimum: -1 / 3 }] })).toThrow(
      'eight characters',
    );
    expect(() => writeEdf({ ...plain, signals: [{ ...signal, label: 'a label of 17 chs' }] })).toThrow(
      '16 Latin-1',
    );
    expect(() => writeEdf({ ...plain, annotations: [{ onset: 0, duration: null, text: 'a' }] })).toThrow(
      'EDF+C',
    );
    expect(() => writeEdf({ ...plain, signals: [{ ...signal, values: ramp(199) }] })).toThrow(
      'whole records',
    );
  });
});

describe('real recordings', () => {
  testWithReal('a sub-second start and events of EDF+C', ['edf/pyedflib_test_subsecond.edf'], async () => {
    const file = await openBytes(realBytes('edf/pyedflib_test_subsecond.edf'));
    expect(file.startOffset).toBe(0.3945312);
    expect(file.duration).toBe(698);
    const [first] = (await file.annotations()).events;
    expect(first?.text).toBe('XLSpike');
    expect(first?.onset).toBeCloseTo(1.9511719, 6);
    // Physical minimum 8711 above the maximum −8711: the sign is turned.
    const [[piece] = []] = await file.view([0], 0, 1 / 128);
    expect(piece?.values[0]).toBeCloseTo(8711 + (-17422 / 65535) * (-24 + 32768), 3);
  });

  testWithReal('five rates in half-second BDF+C records', ['edf/pyedflib_datarec_0_5.bdf'], async () => {
    const file = await openBytes(realBytes('edf/pyedflib_datarec_0_5.bdf'));
    expect(file.header.signals.map((s) => s.rate).slice(0, 5)).toEqual([2000, 1600, 1000, 1950, 1998]);
    const [sine] = await file.readRecords(0, 60, [0]);
    // 10 Hz at 2000 Hz: a period of 200 samples.
    let worst = 0;
    for (let i = 0; i + 200 < 20_000; i++)
      worst = Math.max(worst, Math.abs((sine?.[i] ?? NaN) - (sine?.[i + 200] ?? NaN)));
    expect(worst).toBeLessThan(0.1);
    expect(Math.max(...(sine ?? []))).toBeGreaterThan(90);
  });

  testWithReal('the others open, or say why not', ['edf/mne_test.bdf', 'edf/prerau_test.edf'], async () => {
    const bdf = await openBytes(realBytes('edf/mne_test.bdf'));
    expect([bdf.header.kind, bdf.header.signals.length, bdf.header.signals[0]?.rate]).toEqual([
      'BDF',
      73,
      2048,
    ]);
    const psg = await openBytes(realBytes('edf/edfio_short_psg.edf'));
    expect(psg.header.signals.map((s) => s.rate)).toEqual([100, 100, 100, 1, 1, 1, 1]);
    const uneven = await openBytes(realBytes('edf/mne_test_uneven_samp.edf'));
    expect(uneven.header.signals.map((s) => s.rate)).toEqual([100, 12.8]);
    await expect(openBytes(realBytes('edf/prerau_test.edf'), 'prerau_test.edf')).rejects.toThrow(
      'prerau_test.edf, samples per record of signal 1 (C1): "" is no number',
    );
  });
});
