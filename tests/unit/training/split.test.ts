import { expect, test } from 'vitest';
import { patientOf } from '../../../src/eeg/files/patient';
import type { RecordingInfo } from '../../../src/eeg/files/recording';
import { splitSentence } from '../../../src/eeg/windows/split';
import { whatLacks } from '../../../src/eeg/windows/windows';
import { splitOf } from '../../../src/training/session';

const info = (path: string, labelled: boolean): RecordingInfo => ({
  path,
  ...patientOf(path),
  duration: 100,
  rate: 256,
  resampled: false,
  started: null,
  samples: 25_600,
  segments: [{ start: 0, firstSample: 0, samples: 25_600 }],
  labelled,
  events: [],
  seizures: [],
  interpolated: [],
  signals: [],
  unusable: null,
  labelsUnread: false,
  annotated: false,
  texts: [],
  warnings: [],
});

test('recordings that the detector cannot take are on no side', () => {
  const recordings = ['a', 'b', 'c', 'd', 'e'].map((name, i) => ({
    ...info(`${name}.edf`, true),
    unusable: i === 0 ? 'it is bipolar' : null,
  }));
  const split = splitOf(recordings, { split: 'file', validationSplit: 0.5, seed: 1 });
  expect(split).toEqual({ validation: [1, 2], unlabelled: [], training: [3, 4] });
});

test('by folder no folder at the top is on both sides', () => {
  const paths = ['d/x/a.edf', 'd/x/b.edf', 'd/y/deep/c.edf', 'd/y/d.edf', 'd/z/e.edf'];
  const recordings = paths.map((path) => info(path, true));
  const { training, validation } = splitOf(recordings, { split: 'folder', validationSplit: 0.3, seed: 1 });
  expect([...training, ...validation].sort()).toEqual([0, 1, 2, 3, 4]);
  const folders = (side: readonly number[]) => new Set(side.map((i) => paths[i]?.split('/')[1]));
  expect(validation.length).toBeGreaterThan(0);
  for (const folder of folders(validation)) expect(folders(training)).not.toContain(folder);
  expect(() => splitOf(recordings.slice(0, 2), { split: 'folder', validationSplit: 0.3, seed: 1 })).toThrow(
    /they are of one folder/,
  );
});

test('by what is split is said, and how patients were found', () => {
  const recordings = ['sub-01_eeg.edf', 'sub-01_run-2_eeg.edf', 'night.edf'].map((path) => info(path, true));
  expect(splitSentence(recordings, 'patient')).toBe(
    'split by patient: 2 patients of 3 recordings (2 by file name, 1 without a name of a patient, each taken as another)',
  );
  expect(splitSentence(recordings.slice(0, 1), 'patient')).toContain('1 patient of 1 recording (');
  expect(splitSentence(recordings, 'file')).toMatch(/by file.*may be on both sides/);
});

test('what lacks is said with numbers', () => {
  const short = { segments: [{ start: 0, firstSample: 0, samples: 100 }] };
  const recordings = [
    { ...info('a.edf', true), ...short },
    { ...info('b.edf', true), ...short },
    info('c.edf', false),
    info('d.edf', true),
    { ...info('e.edf', true), unusable: 'bipolar' },
  ];
  expect(whatLacks(recordings, [0, 1])).toBe('2 of 2 recordings are shorter than a 60 s window');
  expect(whatLacks(recordings, [2])).toBe('1 of 1 recordings have no annotations');
  expect(whatLacks(recordings, [2, 3, 4])).toBe(
    '1 of 3 recordings lack electrodes that the detector needs, 1 of 3 recordings have no annotations, 1 of 3 recordings have annotations without a seizure',
  );
});

test('held-out recordings without annotations are left out of the validation, and named', () => {
  const recordings = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => info(`${name}.edf`, i !== 1));
  const split = splitOf(recordings, { split: 'file', validationSplit: 0.5, seed: 1 });
  expect(split).toEqual({ validation: [0, 2], unlabelled: [1], training: [3, 4, 5] });
});
