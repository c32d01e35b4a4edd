import { expect, test } from 'vitest';
import { outputNames } from '../../../../src/eeg/events/output_names';

test('names keep their folder', () => {
  expect(outputNames(['a/x.edf', 'b/x.edf'])).toEqual([
    { csvBi: 'a/x.predicted.csv_bi', eventsTsv: 'a/x_events.tsv', edf: 'a/x.predicted.edf' },
    { csvBi: 'b/x.predicted.csv_bi', eventsTsv: 'b/x_events.tsv', edf: 'b/x.predicted.edf' },
  ]);
});

test('events of BIDS are named as BIDS names them', () => {
  expect(outputNames(['sub-01/eeg/sub-01_run-00_eeg.edf'])[0]?.eventsTsv).toBe(
    'sub-01/eeg/sub-01_run-00_events.tsv',
  );
});

test('no name is given twice, whatever recordings are called', () => {
  const paths = ['a.edf', 'a.bdf', 'A.EDF', 'a.edf.edf', 'a_eeg.edf', 'a_ieeg.edf', 'x.y/a', 'noextension'];
  const all = outputNames(paths).flatMap((names) => Object.values(names) as string[]);
  expect(new Set(all.map((name) => name.toLowerCase())).size).toBe(3 * paths.length);
});
