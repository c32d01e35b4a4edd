import { expect, test } from 'vitest';
import { patientOf, type RecordingInfo } from '../../../src/eeg/files/recording';
import { splitOf } from '../../../src/training/session';

const info = (path: string, labelled: boolean): RecordingInfo => ({
  path,
  ...patientOf(path),
  duration: 100,
  rate: 256,
  samples: 25_600,
  segments: [{ start: 0, firstSample: 0, samples: 25_600 }],
  labelled,
  events: [],
  seizures: [],
  interpolated: [],
  warnings: [],
});

test('held-out recordings without annotations are left out of the validation, and named', () => {
  const recordings = ['a', 'b', 'c', 'd', 'e', 'f'].map((name, i) => info(`${name}.edf`, i !== 1));
  const split = splitOf(recordings, { split: 'file', validationSplit: 0.5, seed: 1 });
  expect(split).toEqual({ validation: [0, 2], unlabelled: [1], training: [3, 4, 5] });
});
