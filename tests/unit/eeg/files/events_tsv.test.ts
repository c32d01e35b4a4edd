import { expect, test } from 'vitest';
import { parseAnnotations } from '../../../../src/eeg/files/annotations';
import { writeEventsTsv } from '../../../../src/eeg/files/events_tsv';
import { isSeizure } from '../../../../src/eeg/files/labels';
import { pairFiles } from '../../../../src/eeg/files/recording';
import { memorySource } from '../../../../src/eeg/files/bytes';

const SZCORE = `onset\tduration\teventType\tconfidence\tchannels\tdateTime\trecordingDuration
0.00\t120.50\tbckg\tn/a\tall\t2016-11-06 13:43:04\t3600.00
120.50\t30.25\tsz_foc_ia\t0.8\tn/a\t2016-11-06 13:43:04\t3600.00
200\t5\timpd\tn/a\tn/a\tn/a\t3600.00
`;

test('SzCORE’s columns, SeizeIT2’s event types', () => {
  const { duration, events, warnings } = parseAnnotations('sub-01_events.tsv', SZCORE);
  expect(duration).toBe(3600);
  expect(warnings).toEqual([]);
  expect(events[1]).toEqual({
    channel: null,
    start: 120.5,
    stop: 150.75,
    label: 'sz_foc_ia',
    confidence: 0.8,
  });
  expect(events.map(({ label }) => isSeizure(label))).toEqual([false, true, false]);
});

test('plain BIDS', () => {
  const { events, duration } = parseAnnotations(
    'a_events.tsv',
    'onset\tduration\ttrial_type\r\n5\t2\tseizure\r\n',
  );
  expect([duration, events.map(({ start, stop, label }) => [start, stop, label])]).toEqual([
    null,
    [[5, 7, 'seizure']],
  ]);
});

test('a seizure whose time is not known is left out and told', () => {
  const { events, warnings } = parseAnnotations(
    'a_events.tsv',
    'onset\tduration\ttrial_type\n10\tn/a\tseizure\nn/a\t5\tseizure\n20\t5\tseizure\n30\tn/a\teyes open\n',
  );
  expect(events.map(({ start, stop }) => [start, stop])).toEqual([
    [20, 25],
    [30, 30],
  ]);
  expect(warnings).toContain('without onset or duration, and left out: 2 events, the first in line 2');
});

test.each([
  ['onset\tduration\n1\t2\n', 'header'],
  ['onset\tduration\teventType\n-1\t2\tsz\n', 'line 2, onset'],
  ['onset\tduration\teventType\n1\tlong\tsz\n', 'line 2, duration'],
])('rejected with its place: %j', (text, where) => {
  expect(() => parseAnnotations('a_events.tsv', text)).toThrow(`a_events.tsv, ${where}: `);
});

test('what is written is read; a recording without events has a row of background', () => {
  const written = writeEventsTsv([{ start: 1.25, end: 3.5, confidence: 0.75 }], 60);
  const { duration, events } = parseAnnotations('a_events.tsv', written);
  expect([duration, events]).toEqual([
    60,
    [{ channel: null, start: 1.25, stop: 3.5, label: 'sz', confidence: 0.75 }],
  ]);
  expect(parseAnnotations('a_events.tsv', writeEventsTsv([], 60)).events.map(({ label }) => label)).toEqual([
    'bckg',
  ]);
});

test('a recording of BIDS finds its events', () => {
  const file = (path: string) => ({ path, data: memorySource(new Uint8Array()) });
  const [pair] = pairFiles([
    file('sub-01/eeg/sub-01_task-sz_eeg.edf'),
    file('sub-01/eeg/sub-01_task-sz_events.tsv'),
  ]);
  expect(pair?.annotations.map(({ path }) => path)).toEqual(['sub-01/eeg/sub-01_task-sz_events.tsv']);
});
