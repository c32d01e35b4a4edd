import { expect, test } from 'vitest';
import { decodeAnnotations, parseAnnotations } from '../../../../src/eeg/files/annotations';
import { writeCsvBi } from '../../../../src/eeg/files/csv_bi';
import { DataError } from '../../../../src/eeg/errors';

const HEADER = 'channel,start_time,stop_time,label,confidence';
const CSV = `# version = csv_v1.0.0
# bname = aaaaaaac_s001_t000
# duration = 1275.00 secs
# montage_file = nedc_eas_default_montage.txt
#
${HEADER}
FP1-F7,0.0000,36.8868,bckg,1.0000
FP1-F7,36.8868,183.3055,cpsz,0.9500
`;

test('csv: types per channel, duration with either number of decimals', () => {
  const { duration, events, warnings } = parseAnnotations('a.csv', CSV);
  expect([duration, warnings]).toEqual([1275, []]);
  expect(events[1]).toEqual({
    channel: 'FP1-F7',
    start: 36.8868,
    stop: 183.3055,
    label: 'cpsz',
    confidence: 0.95,
  });
  expect(parseAnnotations('a.csv_bi', CSV.replace('1275.00', '1275.0000')).duration).toBe(1275);
});

test('byte order mark, CRLF, spaces after commas, a file without events', () => {
  expect(
    parseAnnotations('a.csv', `\uFEFF${CSV.replaceAll('\n', '\r\n').replaceAll(',', ', ')}`).events,
  ).toHaveLength(2);
  expect(parseAnnotations('a.csv_bi', `${HEADER}\n`)).toEqual({ duration: null, events: [], warnings: [] });
});

test('tse and tse_bi', () => {
  const text = 'version = tse_v1.0.0\n\n0.0000 10.2787 bckg 1.0000\n10.2787 80.0 seiz 1.0000\n';
  expect(parseAnnotations('a.tse_bi', text).events).toEqual([
    { channel: null, start: 0, stop: 10.2787, label: 'bckg', confidence: 1 },
    { channel: null, start: 10.2787, stop: 80, label: 'seiz', confidence: 1 },
  ]);
});

test('what is written is read', () => {
  const seizures = [
    { start: 30.5, end: 62.25, confidence: 0.5 },
    { start: 5, end: 12 },
  ];
  const { duration, events } = parseAnnotations(
    'a.csv_bi',
    writeCsvBi('a', 100, seizures, { background: true }),
  );
  expect(duration).toBe(100);
  expect(events.map(({ start, stop, label, confidence }) => [start, stop, label, confidence])).toEqual([
    [0, 5, 'bckg', 1],
    [5, 12, 'seiz', 1],
    [12, 30.5, 'bckg', 1],
    [30.5, 62.25, 'seiz', 0.5],
    [62.25, 100, 'bckg', 1],
  ]);
});

test('odd labels are told: unknown ones, and seizures that the trainer does not count', () => {
  const rows = 'TERM,0,1,sejz,1\nTERM,1,2,cnsz,1\nTERM,2,3,eyem_musc,1\nTERM,3,2000,bckg,1';
  const { warnings } = parseAnnotations('a.csv', `# duration = 5 secs\n${HEADER}\n${rows}`);
  expect(warnings).toEqual([
    'the label "sejz" is unknown and counts as background',
    expect.stringContaining('cnsz is a seizure type that the trainer counts as background') as string,
    expect.stringContaining('ends at 2000 s, after the 5 s') as string,
  ]);
});

test.each<[name: string, text: string, where: string]>([
  ['a.csv', '', 'header'],
  ['a.csv', 'start,stop\n0,1\n', 'line 1'],
  ['a.csv', `# version = csv_v1.0.0\nTERM,0,1,seiz,1\n`, 'line 2'],
  ['a.csv', `# version = tse_v1.0.0\n${HEADER}\n`, 'line 1'],
  ['a.csv', `${HEADER}\nTERM,0,1,seiz\n`, 'line 2'],
  ['a.csv', `${HEADER}\nTERM,zero,1,seiz,1\n`, 'line 2, start'],
  ['a.csv', `${HEADER}\nTERM,0,0x10,seiz,1\n`, 'line 2, stop'],
  ['a.csv', `${HEADER}\nTERM,5,1,seiz,1\n`, 'line 2, stop'],
  ['a.csv', `${HEADER}\nTERM,-5,1,seiz,1\n`, 'line 2, start'],
  ['a.csv', `${HEADER}\nTERM,0,1,?,1\n`, 'line 2, label'],
  ['a.csv', `${HEADER}\nTERM,0,1,seiz,2\n`, 'line 2, confidence'],
  ['a.csv', `# duration = long\n${HEADER}\n`, 'line 1, duration'],
  ['a.tse', '0 1 seiz 1\n', 'line 1'],
  ['a.tse', 'version = tse_v1.0.0\n0 1 seiz\n', 'line 2'],
  ['a.tse', '\n\n', 'header'],
  ['a.txt', '', 'name'],
])('%s rejected: %j', (name, text, where) => {
  const error = thrown(() => parseAnnotations(name, text));
  expect(error.field).toBe(where);
  expect(error.message.startsWith(`${name}, ${where}: `)).toBe(true);
});

function thrown(run: () => unknown): DataError {
  try {
    run();
  } catch (error) {
    if (error instanceof DataError) return error;
  }
  throw new Error('not rejected');
}

test('quoted fields, and what spreadsheets write where the comma is decimal', () => {
  const expected = [{ channel: 'FP1,F7', start: 1.5, stop: 2.25, label: 'seiz', confidence: 1 }];
  const quotedRow = `${HEADER}\n"FP1,F7","1.5",2.25,"seiz",1\n`;
  expect(parseAnnotations('a.csv', quotedRow).events).toEqual(expected);
  const decimalCommas = `# duration = 10,5 secs\n${HEADER.replaceAll(',', ';')}\n"FP1,F7";1,5;2,25;seiz;1,0\n`;
  const parsed = parseAnnotations('a.csv', decimalCommas);
  expect([parsed.duration, parsed.events]).toEqual([10.5, expected]);
});

test('UTF-16 with and without a byte order mark', () => {
  const text = `${HEADER}\nTERM,0,1,seiz,1\n`;
  const little = Uint8Array.from([...Buffer.from(text, 'utf16le')]);
  const big = little.map((_, i) => little[i ^ 1] ?? 0);
  for (const bytes of [little, [0xff, 0xfe, ...little], [0xfe, 0xff, ...big]])
    expect(decodeAnnotations(Uint8Array.from(bytes)).replace('\uFEFF', '')).toBe(text);
});

// More than a call takes as arguments.
test('500,000 rows', () => {
  const rows = Array.from({ length: 500_000 }, (_, i) => `TERM,${i},${i + 1},bckg,1`);
  const { events, warnings } = parseAnnotations(
    'a.csv',
    `# duration = 500000 secs\n${HEADER}\n${rows.join('\n')}`,
  );
  expect([events.length, warnings]).toEqual([500_000, []]);
});
