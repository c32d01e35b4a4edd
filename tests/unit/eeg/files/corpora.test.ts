import { describe, expect, test } from 'vitest';
import { memorySource } from '../../../../src/eeg/files/bytes';
import { writeEdf, type EdfToWrite } from '../../../../src/eeg/files/edf/write';
import { pairFiles, type DataFile, type RecordingInfo } from '../../../../src/eeg/files/recording';
import { PageReader } from '../../../../src/eeg/files/page';
import { CHANNELS } from '../../../../src/eeg/signal/montage';
import { openRecordings } from '../../../../src/eeg/windows/dataset';
import { windowStarts } from '../../../../src/eeg/windows/windows';

/** The layouts of public corpora: names and columns are theirs, signals are made up. */
const SECONDS = 100;

const edf = (labels: readonly string[], more: Partial<EdfToWrite> = {}): Uint8Array =>
  writeEdf({
    kind: 'EDF',
    recordDuration: 1,
    ...more,
    signals: labels.map((label, k) => ({
      label,
      unit: 'uV',
      rate: 64,
      physicalMinimum: -1000,
      physicalMaximum: 1000,
      values: Float32Array.from({ length: 64 * SECONDS }, (_, i) => 50 * Math.sin(i / (k + 3))),
    })),
  });

async function open(files: Record<string, Uint8Array | string>, seizureTexts: string[] = []) {
  const all: DataFile[] = Object.entries(files).map(([path, content]) => ({
    path,
    data: memorySource(typeof content === 'string' ? new TextEncoder().encode(content) : content),
  }));
  const paired = pairFiles(all);
  return { paired, ...(await openRecordings(paired, Infinity, undefined, seizureTexts)) };
}

const seizuresOf = ({ seizures }: RecordingInfo): [number, number][] =>
  seizures.map(({ from, to }) => [from / 256, to / 256]);

const REF = CHANNELS.map((channel) => `EEG ${channel.toUpperCase()}-REF`);

describe('TUSZ', () => {
  const version1 = `version = lbl_v1.0.0

montage =  0, FP1-F7: EEG FP1-REF --  EEG F7-REF
montage =  1, F7-T3:  EEG F7-REF  --  EEG T3-REF

number_of_levels = 1
level[0] = 1

symbols[0] = {0: '(null)', 1: 'spsw', 2: 'bckg', 3: 'seiz'}

label = {0, 0, 0.0000, 20.5000, 0, [0.0, 0.0, 1.0, 0.0]}
label = {0, 0, 20.5000, 40.0000, 0, [0.0, 0.0, 0.0, 1.0]}
label = {0, 0, 30.0000, 45.0000, 1, [0.0, 0.0, 0.0, 0.9]}
`;

  test.each([
    ['.lbl_bi of version 1', 'lbl_bi', version1, [[20.5, 45]]],
    [
      '.tse_bi of version 1',
      'tse_bi',
      'version = tse_v1.0.0\n\n0.0000 20.0000 bckg 1.0000\n20.0000 30.0000 seiz 1.0000\n',
      [[20, 30]],
    ],
    [
      '.csv of version 2',
      'csv',
      '# version = csv_v1.0.0\n# bname = aaaaaaac_s001_t000\n# duration = 100.0000 secs\nchannel,start_time,stop_time,label,confidence\nFP1-F7,36.8868,90.2500,fnsz,1.0000\n',
      [[36.88671875, 90.25]],
    ],
  ])('%s', async (_, extension, text, expected) => {
    const name = '01_tcp_ar/aaaaaaac_s001_t000';
    const { recordings } = await open({ [`${name}.edf`]: edf(REF), [`${name}.${extension}`]: text });
    expect(recordings.map(seizuresOf)).toEqual([expected]);
    expect(recordings[0]).toMatchObject({ labelled: true, patient: 'aaaaaaac', unusable: null });
  });

  test('an event behind the end of the recording is told, also where the file gives no duration', async () => {
    const { recordings } = await open({
      'a.edf': edf(REF),
      'a.tse': 'version = tse_v1.0.0\n90 200 seiz 1\n',
    });
    expect(recordings[0]?.warnings).toContain(
      'an event of a.tse ends at 200 s, the recording at 100 s: do they belong together?',
    );
    expect(recordings.map(seizuresOf)).toEqual([[[90, 100]]]);
  });

  test('a label file that is none names the line', async () => {
    const broken = version1.replace('[0.0, 0.0, 1.0, 0.0]}', '[0.0, 0.0');
    const { recordings, rejected } = await open({ 'a.edf': edf(REF), 'a.lbl': broken });
    expect(recordings[0]?.warnings.join()).toMatch(/a.lbl, line 11: .*is no label of the form/);
    // It costs itself, and not the recording, of which nothing is known then.
    expect(rejected).toEqual([]);
    expect(recordings[0]).toMatchObject({ labelled: false, labelsUnread: true, unusable: null });
  });
});

/** `chb01_03.edf.seizures` in WFDB's MIT format: a note with the resolution, then [ and ] after long intervals. */
function seizuresFile(...events: readonly (readonly [number, number])[]): Uint8Array {
  const bytes: number[] = [];
  const word = (code: number, interval: number): number =>
    bytes.push(interval & 255, (code << 2) | (interval >> 8));
  const text = '## time resolution: 256';
  word(22, 0);
  word(63, text.length);
  bytes.push(...new TextEncoder().encode(text), ...(text.length % 2 === 1 ? [0] : []));
  let at = 0;
  for (const [start, end] of events)
    for (const [code, time] of [
      [32, start],
      [33, end],
    ] as const) {
      const samples = time * 256 - at;
      at = time * 256;
      word(59, 0);
      bytes.push((samples >> 16) & 255, samples >> 24, samples & 255, (samples >> 8) & 255);
      word(code, 0);
    }
  word(0, 0);
  return Uint8Array.from(bytes);
}

describe('CHB-MIT', () => {
  const BIPOLAR = ['FP1-F7', 'F7-T7', 'T7-P7', 'P7-O1', 'FZ-CZ', 'CZ-PZ', 'T8-P8', 'T8-P8'];
  const summary = `Data Sampling Rate: 256 Hz
*************************

Channels in EDF Files:
**********************
Channel 1: FP1-F7

File Name: chb01_01.edf
File Start Time: 11:42:54
File End Time: 12:42:54
Number of Seizures in File: 0

File Name: chb01_03.edf
File Start Time: 13:43:04
File End Time: 14:43:04
Number of Seizures in File: 2
Seizure 1 Start Time: 20 seconds
Seizure 1 End Time: 31 seconds
Seizure 2 Start Time:  60 seconds
Seizure 2 End Time:  72 seconds
`;

  test('is labelled by its summary, looked at and scored, and no detector takes it', async () => {
    const { recordings, paired } = await open({
      'chb01/chb01_01.edf': edf(BIPOLAR),
      'chb01/chb01_03.edf': edf(BIPOLAR),
      'chb01/chb01_04.edf': edf(BIPOLAR),
      'chb01/chb01-summary.txt': summary,
    });
    expect(recordings.map(({ labelled }) => labelled)).toEqual([true, true, false]);
    expect(recordings.map(seizuresOf)).toEqual([
      [],
      [
        [20, 31],
        [60, 72],
      ],
      [],
    ]);
    expect(new Set(recordings.map(({ patient }) => patient))).toEqual(new Set(['chb01']));
    for (const info of recordings) {
      expect(info.unusable).toMatch(/none of the 19 electrodes is there.*the file has FP1-F7, F7-T7/);
      expect(windowStarts(info)).toEqual([]);
    }
    const page = await new PageReader().read(
      paired[1] ?? { recording: { path: '', data: new Blob() }, annotations: [] },
      10,
      5,
    );
    expect(page.labels).toEqual(BIPOLAR);
    expect(page.channels).toHaveLength(BIPOLAR.length);
    expect(page.channels[2]?.[7]).toBeCloseTo(50 * Math.sin((10 * 64 + 7) / 5), 1);
  });

  test('is labelled by .seizures', async () => {
    const { recordings } = await open({
      'chb01_03.edf': edf(BIPOLAR),
      'chb01_03.edf.seizures': seizuresFile([20, 31], [60, 72]),
    });
    expect(recordings.map(seizuresOf)).toEqual([
      [
        [20, 31],
        [60, 72],
      ],
    ]);
  });

  test('a damaged .seizures is named, and the summary used instead', async () => {
    const files = {
      'chb01_03.edf': edf(BIPOLAR),
      'chb01_03.edf.seizures': seizuresFile([20, 31]).subarray(0, 36),
    };
    const alone = await open(files);
    expect(alone.recordings[0]?.warnings.join()).toMatch(/chb01_03.edf.seizures, contents: .*MIT format/);
    const { recordings } = await open({ ...files, 'chb01-summary.txt': summary });
    expect(recordings.map(seizuresOf)).toEqual([
      [
        [20, 31],
        [60, 72],
      ],
    ]);
    expect(recordings[0]?.warnings.join()).toMatch(/chb01-summary.txt is used instead/);
  });

  test('a summary without sense names its line', async () => {
    const { recordings } = await open({
      'chb01_03.edf': edf(BIPOLAR),
      'chb01-summary.txt': summary.replace('Seizure 1 Start Time: 20 seconds\n', ''),
    });
    expect(recordings[0]?.warnings.join()).toMatch(
      /chb01-summary.txt, line 17: a seizure ends there that starts nowhere/,
    );
  });
});

test('Siena: clock times, in several ways of writing, also over midnight', async () => {
  const list = `PATIENT ID: PN00
Data Sampling Rate: 512 Hz
*************************

Seizure n 1
File name: PN00-1.edf
Registration start time: 19.39.33
Registration end time:  20.22.58
Seizure start time: 19.39.53
Seizure end time: 19.40.03

Seizure n 2
File name: PN00-2.edf
Registration start time: 23:59:50
Registration end time: 00:30:00
Start time: 00:00:10
End time: 00:00:30
`;
  const labels = CHANNELS.map((channel) => `EEG ${channel}`);
  const { recordings } = await open({
    'PN00/PN00-1.edf': edf(labels),
    'PN00/PN00-2.edf': edf(labels),
    'PN00/PN00-3.edf': edf(labels),
    'PN00/Seizures-list-PN00.txt': list,
  });
  expect(recordings.map(seizuresOf)).toEqual([[[20, 30]], [[20, 40]], []]);
  expect(recordings.map(({ labelled }) => labelled)).toEqual([true, true, false]);
  expect(recordings.every(({ unusable, patient }) => unusable === null && patient === 'pn00')).toBe(true);
});

test('SeizeIT2: event types of its own, the sidecar’s duration, two channels behind the ear', async () => {
  const name = 'sub-001/ses-01/eeg/sub-001_ses-01_task-szMonitoring_run-01';
  const { recordings } = await open({
    [`${name}_eeg.edf`]: edf(['BTEleft SD', 'CROStop SD']),
    [`${name}_eeg.json`]: JSON.stringify({ SamplingFrequency: 256, RecordingDuration: 160 }),
    [`${name}_events.tsv`]: [
      'onset\tduration\teventType\tlateralization\tlocalization\tvigilance\tconfidence\tchannels\tdateTime\trecordingDuration',
      '0\t10\timpd\tn/a\tn/a\tn/a\tn/a\tn/a\t2020-01-01 10:00:00\t100',
      '20\t15\tsz_foc_ia_m_automatisms\tleft\ttemp\tawake\tn/a\tn/a\t2020-01-01 10:00:00\t100',
      '35\t65\tbckg\tn/a\tn/a\tn/a\tn/a\tn/a\t2020-01-01 10:00:00\t100',
    ].join('\n'),
  });
  expect(recordings.map(seizuresOf)).toEqual([[[20, 35]]]);
  expect(recordings[0]).toMatchObject({ patient: '001', signals: ['BTEleft SD', 'CROStop SD'] });
  expect(recordings[0]?.unusable).toMatch(/none of the 19 electrodes is there/);
  expect(recordings[0]?.warnings.join()).toMatch(
    /_eeg.json gives a duration of 160 s, the recording has 100 s/,
  );
});

describe('EDF+', () => {
  const annotations = [
    { onset: 5, duration: null, text: 'Eyes open' },
    { onset: 20, duration: 12, text: 'Crisi A' },
    { onset: 50, duration: null, text: 'Sz start' },
    { onset: 70, duration: null, text: 'Sz end' },
  ];
  const file = { 'a.edf': edf(REF, { kind: 'EDF+C', annotations }) };

  test('is not labelled before it is said which texts are seizures, and its texts are told', async () => {
    const { recordings } = await open(file);
    expect(recordings[0]).toMatchObject({ labelled: false, annotated: true });
    expect(recordings[0]?.texts.map(({ text }) => text)).toEqual(annotations.map(({ text }) => text));
    expect(recordings[0]?.warnings.join()).toMatch(/holds 4 annotations, and none is known to be a seizure/);
  });

  test.each<[string[], [number, number][]]>([
    [['crisi a'], [[20, 32]]],
    [['Crisi *'], [[20, 32]]],
    [['Sz start..Sz end'], [[50, 70]]],
    [
      ['crisi*', 'sz start..sz end'],
      [
        [20, 32],
        [50, 70],
      ],
    ],
    [['status'], []],
  ])('labelled by %j', async (texts, expected) => {
    const { recordings } = await open(file, texts);
    expect(recordings.map(seizuresOf)).toEqual([expected]);
    expect(recordings[0]?.labelled).toBe(true);
  });

  test('marks without a duration or without a counterpart are told', async () => {
    const lone = { 'a.edf': edf(REF, { kind: 'EDF+C', annotations: annotations.slice(0, 3) }) };
    const warnings = async (text: string) => (await open(lone, [text])).recordings[0]?.warnings.join();
    expect(await warnings('eyes open')).toMatch(
      /without duration, and not counted: 1 annotation of seizures/,
    );
    expect(await warnings('sz start..sz end')).toMatch(
      /1 marks of a seizure's start or end have no counterpart/,
    );
  });

  test('the word seizure needs no asking, and a file beside it counts before what it holds', async () => {
    const own = edf(REF, { kind: 'EDF+C', annotations: [{ onset: 10, duration: 5, text: 'Seizure' }] });
    const { recordings } = await open({ 'a.edf': own });
    expect(recordings.map(seizuresOf)).toEqual([[[10, 15]]]);
    const tse = 'version = tse_v1.0.0\n0 100 bckg 1\n';
    const beside = await open({ 'a.edf': own, 'a.tse': tse });
    expect(beside.recordings.map(seizuresOf)).toEqual([[]]);
  });
});
