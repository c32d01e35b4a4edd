import { describe, expect, test } from 'vitest';
import { blobSource, memorySource, type ByteSource } from '../../../../src/eeg/files/bytes';
import { Dataset, openRecordings } from '../../../../src/eeg/windows/dataset';
import { DataError } from '../../../../src/eeg/errors';
import { patientOf } from '../../../../src/eeg/files/patient';
import { pairFiles, type RecordingInfo, type Span } from '../../../../src/eeg/files/recording';
import { Sampler } from '../../../../src/eeg/windows/sampler';
import { splitByFile, splitByPatient } from '../../../../src/eeg/windows/split';
import { syntheticCorpus } from '../../../../src/eeg/synthetic/corpus';
import {
  allWindows,
  balancedWindows,
  fillLabels,
  posWeight,
  STRIDE,
  WINDOW,
  windowKind,
  windowStarts,
} from '../../../../src/eeg/windows/windows';

function info(path: string, seconds: number, seizures: readonly Span[] = [], labelled = true): RecordingInfo {
  const samples = seconds * 256;
  return {
    path,
    ...patientOf(path),
    duration: seconds,
    rate: 256,
    resampled: false,
    started: null,
    samples,
    segments: [{ start: 0, firstSample: 0, samples }],
    labelled,
    events: [],
    seizures,
    interpolated: [],
    signals: [],
    unusable: null,
    labelsUnread: false,
    annotated: false,
    texts: [],
    warnings: [],
  };
}

const seconds = (from: number, to: number): Span => ({ from: from * 256, to: to * 256 });

describe('windows', () => {
  test.each([
    [59, 0],
    [60, 1],
    [69, 1],
    [70, 2],
    [600, 55],
  ])('of %i s there are %i', (length, count) => {
    expect(windowStarts(info('a.edf', length))).toHaveLength(count);
  });

  test('do not reach over a gap', () => {
    const gap = {
      segments: [
        { start: 0, firstSample: 0, samples: WINDOW + STRIDE },
        { start: 100, firstSample: WINDOW + STRIDE, samples: WINDOW },
      ],
    };
    expect(windowStarts(gap)).toEqual([0, STRIDE, WINDOW + STRIDE]);
  });

  test('are partly seizing below 99 % of their samples', () => {
    const at = (...spans: Span[]): string => windowKind(info('a', 200, spans), 10 * 256);
    expect(at(seconds(0, 10))).toBe('none');
    expect(at(seconds(0, 11))).toBe('partial');
    expect(at({ from: 10 * 256, to: 10 * 256 + Math.ceil(0.99 * WINDOW) - 1 })).toBe('partial');
    expect(at({ from: 10 * 256, to: 10 * 256 + Math.ceil(0.99 * WINDOW) })).toBe('full');
  });

  test('have a label for every sample', () => {
    const y = new Float32Array(WINDOW).fill(7);
    fillLabels(info('a', 200, [seconds(0, 12), seconds(65, 300)]), 10 * 256, y);
    expect(y.indexOf(0)).toBe(2 * 256);
    expect(y.indexOf(1, 2 * 256)).toBe(55 * 256);
    expect(y.at(-1)).toBe(1);
  });

  test('of recordings without annotations there are none', () => {
    expect(allWindows([info('a', 100, [], false), info('b', 60)], [0, 1]).windows).toEqual([
      { recording: 1, start: 0 },
    ]);
  });
});

describe('the balanced set', () => {
  // 10 min without seizures, and 10 min with one of 120 s: 55 windows each.
  const recordings = [info('a', 600), info('b', 600, [seconds(300, 420)])];

  test('is every partial window, 0.3 times as many full and 2.5 times as many without', () => {
    const all = allWindows(recordings, [0, 1]);
    const balanced = balancedWindows(recordings, [0, 1], 3);
    expect(balanced.counts).toEqual({
      partial: all.counts.partial,
      full: Math.min(all.counts.full, Math.floor(0.3 * all.counts.partial)),
      none: Math.min(all.counts.none, Math.floor(2.5 * all.counts.partial)),
    });
    const keys = balanced.windows.map(({ recording, start }) => `${recording} ${start}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(balancedWindows(recordings, [0, 1], 3)).toEqual(balanced);
    expect(balancedWindows(recordings, [0, 1], 4)).not.toEqual(balanced);
  });

  test('weights by the share of windows with seizures', () => {
    expect(posWeight(0.2)).toBeCloseTo(2, 12);
    expect([posWeight(0), posWeight(0.5), posWeight(0.9)]).toEqual([1, 1, 1]);
  });

  test('of nothing that starts or ends is rejected with a sentence', () => {
    expect(() => balancedWindows(recordings, [0], 1)).toThrow(DataError);
  });
});

describe('splits', () => {
  const names = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dddddddd'];
  const recordings = names.flatMap((name, i) =>
    [0, 1, 2].map((take) => info(`${name}_s001_t00${take}.edf`, 600, i % 2 === 0 ? [seconds(100, 160)] : [])),
  );

  test('by file as production: the first by path are held out, whoever they are of', () => {
    expect(splitByFile(recordings, 0.34)).toEqual({
      validation: [0, 1, 2, 3],
      training: [4, 5, 6, 7, 8, 9, 10, 11],
    });
  });

  test.each([0, 1, 2, 3, 4])(
    'by patient nobody is on both sides, and both have seizures (seed %i)',
    (seed) => {
      const { training, validation } = splitByPatient(recordings, 0.25, seed);
      expect([...training, ...validation].sort((a, b) => a - b)).toEqual([...recordings.keys()]);
      const patients = (side: readonly number[]) => new Set(side.map((i) => recordings[i]?.patient));
      for (const patient of patients(validation)) expect(patients(training)).not.toContain(patient);
      for (const side of [training, validation])
        expect(side.some((i) => (recordings[i]?.seizures.length ?? 0) > 0)).toBe(true);
    },
  );

  test('of one patient are rejected with a sentence', () => {
    expect(() => splitByPatient(recordings.slice(0, 3), 0.2, 1)).toThrow(/one patient/);
    expect(splitByPatient(recordings.slice(0, 3), 0, 1).validation).toEqual([]);
  });

  test.each([
    ['edf/train/aaaaaabb/s001_2010/02_tcp_le/aaaaaabb_s001_t004.edf', 'aaaaaabb', 'file name'],
    ['00000258_s002_0000_t000.edf', '00000258', 'file name'],
    ['chb17c_02.edf', 'chb17', 'file name'],
    ['sub-07_ses-1_eeg.edf', '07', 'file name'],
    ['sub-07/eeg/night.edf', '07', 'folder'],
    ['PN00/PN00-1.edf', 'pn00', 'file name'],
    ['P_ID10_r5.edf', 'p_id10', 'file name'],
    ['Patient1/night1.edf', 'patient1', 'folder'],
    ['night.edf', 'night.edf', 'none'],
  ])('%s is of %s by its %s', (path, patient, patientFrom) =>
    expect(patientOf(path)).toEqual({ patient, patientFrom }),
  );

  test.each([
    ['MCH-0234567 F 02-MAY-1951 Haagse_Harry', 'mch-0234567 haagse_harry', 'header'],
    ['X F 02-MAY-1951 X', 'night.edf', 'none'],
    ['Harry Haagse', 'harry haagse', 'header'],
    ['X X X X', 'night.edf', 'none'],
    ['Anonymous', 'night.edf', 'none'],
  ])('of the header’s %j the name alone tells: %s', (header, patient, patientFrom) =>
    expect(patientOf('night.edf', header)).toEqual({ patient, patientFrom }),
  );
});

describe('files that belong together', () => {
  const settings = { seed: 1, patients: 1, recordingsPerPatient: 1, duration: 70, seizures: 1 };
  const [recording, csvBi] = [...syntheticCorpus(settings)].map(({ path, bytes }) => ({
    path,
    data: memorySource(bytes),
  })) as [{ path: string; data: ByteSource }, { path: string; data: ByteSource }];
  const text = (path: string, content: string) => ({
    path,
    data: memorySource(new TextEncoder().encode(content)),
  });

  test('whatever the case of their names', () => {
    const [pair] = pairFiles([text('a/A.EDF', ''), text('a/A.CSV_BI', ''), text('a/B.csv_bi', '')]);
    expect(pair?.annotations.map(({ path }) => path)).toEqual(['a/A.CSV_BI']);
  });

  test('a stray .csv does not beat good annotations', async () => {
    const stray = text(recording.path.replace('.edf', '.csv'), 'electrode,impedance\nCz,5\n');
    const { recordings } = await openRecordings(pairFiles([recording, csvBi, stray]));
    expect(recordings[0]?.events.length).toBeGreaterThan(0);
    expect(recordings[0]?.warnings).toEqual([
      expect.stringContaining(`${csvBi.path} is used instead`) as string,
    ]);
    const alone = await openRecordings(pairFiles([recording, stray]));
    expect(alone.recordings[0]?.warnings.join()).toContain('stands where the header');
  });

  test('whatever a file throws rejects that file alone', async () => {
    const failing = {
      path: 'b.edf',
      data: { size: 5000, read: () => Promise.reject(new RangeError('Maximum call stack size exceeded')) },
    };
    const { recordings, rejected } = await openRecordings(pairFiles([failing, recording, csvBi]));
    expect([recordings.length, rejected]).toEqual([
      1,
      [{ path: 'b.edf', reason: 'b.edf could not be read: Maximum call stack size exceeded' }],
    ]);
  });

  test('a line break in a name is rejected when the folder is opened', async () => {
    const { rejected } = await openRecordings(pairFiles([{ ...recording, path: 'a\nb.edf' }]));
    expect(rejected[0]?.reason).toBe(
      '"a\\nb.edf", name: it contains a line break; rename the file or its folder',
    );
  });
});

describe('the sampler', () => {
  test('draws every window once an epoch, and goes on where it stood', () => {
    const sampler = new Sampler(23, 9);
    const first = [...sampler.next(10), ...sampler.next(10), ...sampler.next(10)];
    expect(sampler.next(10)).toEqual([]);
    expect([...first].sort((a, b) => a - b)).toEqual([...Array(23).keys()]);
    sampler.advance();
    const begun = sampler.next(4);
    const other = new Sampler(23, 9, sampler.state);
    expect(other.next(19)).toEqual(sampler.next(19));
    expect([...begun]).not.toEqual(first.slice(0, 4));
  });

  test('rejects a state of another set', () => {
    expect(() => new Sampler(5, 1, { epoch: 0, position: 6 })).toThrow(RangeError);
  });
});

describe('a folder', () => {
  const corpus = [
    ...syntheticCorpus({ seed: 2, patients: 3, recordingsPerPatient: 1, duration: 70, seizures: 1 }),
  ].map(({ path, bytes }) => ({ path, data: memorySource(bytes) }));

  test('goes on after a file that is rejected, and says why', async () => {
    const broken = { path: 'synth001/broken.edf', data: memorySource(new Uint8Array(300)) };
    const { recordings, rejected } = await openRecordings(pairFiles([...corpus, broken]));
    expect(recordings).toHaveLength(3);
    expect(rejected).toEqual([{ path: broken.path, reason: expect.stringContaining(broken.path) as string }]);
  });

  test('is limited to the first files', async () => {
    const { recordings } = await openRecordings(pairFiles(corpus), 2);
    expect(recordings.map(({ patient }) => patient)).toEqual(['synth000', 'synth001']);
  });

  test('keeps as much as it is allowed to, and gives the same windows again', async () => {
    let bytes = 0;
    const counted = corpus.map(({ path, data }) => {
      const source = data instanceof Blob ? blobSource(data) : data;
      const read = (offset: number, length: number) => {
        bytes += length;
        return source.read(offset, length);
      };
      return { path, data: { size: source.size, read } };
    });
    const folder = await openRecordings(pairFiles(counted));
    const dataset = new Dataset(folder, 1);
    const read = async (recording: number): Promise<Float32Array> => {
      const [x, y] = [new Float32Array(WINDOW * 19), new Float32Array(WINDOW)];
      await dataset.fill({ recording, start: STRIDE }, x, y);
      return x;
    };
    const first = await read(0);
    bytes = 0;
    expect(await read(0)).toEqual(first);
    expect(bytes).toBe(0);
    await read(1);
    bytes = 0;
    expect(await read(0)).toEqual(first);
    expect(bytes).toBeGreaterThan(0);
  });
});
