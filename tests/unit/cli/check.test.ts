import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/check';
import { main as score } from '../../../src/cli/score';
import { writeEdf } from '../../../src/eeg/files/edf/write';
import { CHANNELS } from '../../../src/eeg/signal/montage';

let folder: string;
const add = (path: string, content: Uint8Array | string): void => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
};

const edf = (labels: readonly string[], seconds: number): Uint8Array =>
  writeEdf({
    kind: 'EDF',
    recordDuration: 1,
    signals: labels.map((label) => ({
      label,
      unit: 'uV',
      rate: 64,
      physicalMinimum: -1000,
      physicalMaximum: 1000,
      values: new Float32Array(64 * seconds),
    })),
  });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'smokescan-check-'));
  add('good/aaaaaaac_s001_t000.edf', edf(CHANNELS, 90));
  add('good/aaaaaaac_s001_t000.tse_bi', 'version = tse_v1.0.0\n0 20 bckg 1\n20 50 seiz 1\n');
  add('chb01/chb01_03.edf', edf(['FP1-F7', 'F7-T7'], 70));
  add(
    'chb01/chb01-summary.txt',
    'File Name: chb01_03.edf\nSeizure Start Time: 5 seconds\nSeizure End Time: 25 seconds\n',
  );
  add('broken/x.edf', 'no recording');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function run(command: typeof main, ...args: string[]) {
  const log = vi.spyOn(console, 'log').mockReturnValue(undefined);
  const error = vi.spyOn(console, 'error').mockReturnValue(undefined);
  try {
    const code = await command(args);
    return { code, text: log.mock.calls.join('\n'), errors: error.mock.calls.join('\n') };
  } finally {
    log.mockRestore();
    error.mockRestore();
  }
}

test('says what each recording is, what is wrong, and how many there are of each corpus', async () => {
  const { code, text } = await run(main, folder);
  expect(code).toBe(1);
  expect(text).toMatch(
    /^good\/aaaaaaac_s001_t000.edf {2}TUSZ +64 Hz {2}00:01:30 {2}19 channels {2}1 seizure {2}aaaaaaac$/m,
  );
  expect(text).toMatch(
    /^chb01\/chb01_03.edf +CHB-MIT +64 Hz {2}00:01:10 {2}2 channels +1 seizure {2}chb01 +cannot be used$/m,
  );
  expect(text).toMatch(
    /^ {4}it can be looked at, but the detector cannot take it: none of the 19 electrodes is there/m,
  );
  expect(text).toMatch(/^cannot be read: broken\/x.edf, header/m);
  expect(text).toMatch(/^CHB-MIT +1 +1 +0.02 +1 +1 +1$/m);
  expect(text).toMatch(/^other +1 +0 +0.00 +0 +0 +1$/m);
  expect(text).toContain('Patients: 2 patients of 2 recordings (2 by file name)');
});

test('the same as JSON; exit code 0 where everything can be used', async () => {
  const all = JSON.parse((await run(main, folder, '--json')).text) as {
    rejected: unknown[];
    counts: unknown[];
  };
  expect(all.rejected).toHaveLength(1);
  const { code, text } = await run(main, join(folder, 'good'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({
    recordings: [{ corpus: 'TUSZ', rate: 64, duration: 90, seizures: 1, seizureSeconds: 30, unusable: null }],
    rejected: [],
    counts: [{ corpus: 'TUSZ', recordings: 1, patients: 1, labelled: 1, seizures: 1, unusable: 0 }],
  });
});

test('data sets of BIDS: names with -Avg are read with a remark, SeizeIT2 is known by its channels', async () => {
  const name = (subject: string): string => `bids/sub-${subject}_task-szMonitoring_run-01_eeg.edf`;
  add(
    name('01'),
    edf(
      CHANNELS.map((channel) => `${channel}-Avg`),
      70,
    ),
  );
  add(name('002'), edf(['BTEleft SD', 'CROStop SD'], 70));
  const { text } = await run(main, join(folder, 'bids'), '--json');
  expect(JSON.parse(text)).toMatchObject({
    recordings: [
      { corpus: 'SeizeIT', patient: '002' },
      { corpus: 'BIDS', patient: '01', unusable: null },
    ],
  });
  expect(text).toContain('by names that the trainer does not know, as Fp1-Avg: it rejects the file');
});

test('bipolar recordings are scored from files', async () => {
  add(
    'found/chb01_03.predicted.csv_bi',
    '# version = csv_v1.0.0\n# duration = 70.0000 secs\nchannel,start_time,stop_time,label,confidence\nTERM,5.0,25.0,seiz,1.0\n',
  );
  const { code, text } = await run(score, join(folder, 'chb01'), join(folder, 'found'), '--json');
  expect(code).toBe(0);
  expect(JSON.parse(text)).toMatchObject({ recordings: 1, trainer: { taes: 1, sensitivity: 1 } });
});

test.each<[string[], number, RegExp]>([
  [[], 2, /check --help/],
  [['a', 'b'], 2, /check --help/],
  [['--what'], 2, /There is no option --what[^]*--help/],
  [['/no/such/folder'], 1, /there is no such folder/],
])('%j is told', async (args, code, message) => {
  const result = await run(main, ...args);
  expect(result.code).toBe(code);
  expect(result.errors).toMatch(message);
});
