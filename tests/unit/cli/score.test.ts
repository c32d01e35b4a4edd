import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { main } from '../../../src/cli/score';
import type { EventScores } from '../../../src/eeg/scores/score_events';

const folder = mkdtempSync(join(tmpdir(), 'smokescan-score-'));
afterAll(() => rmSync(folder, { recursive: true }));

function put(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const csv = (rows: string[], seconds: number): string =>
  `# version = csv_v1.0.0\n# duration = ${seconds} secs\nchannel,start_time,stop_time,label,confidence\n${rows.join('\n')}\n`;
const seizure = (start: number, stop: number, channel = 'TERM'): string =>
  `${channel},${start},${stop},seiz,1`;

const [out, err]: [string[], string[]] = [[], []];
beforeEach(() => {
  out.length = err.length = 0;
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void err.push(line));
});
const printed = (): EventScores => JSON.parse(out.join('\n')) as EventScores;

test('two folders: names are paired, what has no partner is told', async () => {
  put('ref/a/aaaaaaaa_s001_t000.csv_bi', csv([seizure(10, 20, 'FP1-F7'), seizure(12, 25, 'T3-T5')], 3600));
  put('ref/a/aaaaaaab_s001_t000.csv_bi', csv([seizure(100, 200)], 3600));
  put('hyp/a/aaaaaaaa_s001_t000.predicted.csv_bi', csv([seizure(15, 30)], 3600));
  put('hyp/a/aaaaaaac_s001_t000.csv_bi', csv([], 3600));
  expect(await main([join(folder, 'ref'), join(folder, 'hyp'), '--json'])).toBe(0);
  const { events, trainer, szcore, nedc, hours } = printed();
  expect([hours, events]).toEqual([2, { reference: 2, predicted: 1 }]);
  expect(trainer.sensitivity).toBe(0.5);
  expect(szcore.events).toMatchObject({ subjects: 2, truePositives: 1, falsePositives: 0 });
  expect(szcore.events.bySubject.sensitivity).toBe(0.5);
  expect(nedc.ovlp).toMatchObject({ targets: 2, hits: 1, falseAlarms: 0 });
  expect(err).toEqual([
    expect.stringContaining('aaaaaaab_s001_t000 has no detected events') as string,
    expect.stringContaining('aaaaaaac_s001_t000 has no reference') as string,
  ]);
});

test('two files of different formats and names; the table names every scorer', async () => {
  const reference = put('x.csv_bi', csv([seizure(55, 121)], 300));
  const detected = put(
    'sub-1_events.tsv',
    'onset\tduration\teventType\trecordingDuration\n66\t175\tsz\t300\n',
  );
  expect(await main([reference, detected])).toBe(0);
  for (const name of ['Trainer', 'SzCORE events', 'SzCORE samples', 'NEDC OVLP', 'NEDC TAES', 'NEDC EPOCH'])
    expect(out.join('\n')).toContain(name);
  expect(out.join('\n')).toMatch(/SzCORE events +1\.0000 +1\.0000 +1\.0000 +0\.00/);
  expect(out.join('\n')).toMatch(/One false alarm in 0\.0833 h is a rate of 288 in 24 h.*other than 0\.$/);
  out.length = 0;
  const day = put('day.csv_bi', csv([seizure(55, 121)], 86_400));
  expect(await main([day, day])).toBe(0);
  expect(out.join('\n')).not.toContain('too short');
});

test('a file that cannot be used costs its recording alone; another of its recording is used instead', async () => {
  put('some/a.csv_bi', csv([seizure(10, 20)], 100));
  put('some/b.csv_bi', 'no annotations');
  put('some/c.csv', 'no annotations');
  put('some/C.CSV_BI', csv([seizure(30, 40)], 100));
  put('some/x/d.edf', 'no recording');
  put('found/a.csv_bi', csv([seizure(10, 20)], 100));
  put('found/c.csv_bi', csv([seizure(30, 40)], 100));
  expect(await main([join(folder, 'some'), join(folder, 'found'), '--json'])).toBe(1);
  expect(printed()).toMatchObject({ recordings: 2, events: { reference: 2, predicted: 2 } });
  expect(err).toEqual([
    expect.stringMatching(/c\.csv, line 1: .*C\.CSV_BI is used instead/),
    expect.stringMatching(/^x\/d\.edf, header: /),
    expect.stringMatching(/b\.csv_bi, line 1: .*; b is not scored/),
  ]);
});

test('recordings of one patient are one subject', async () => {
  for (const name of ['t000', 't001']) put(`one/aaaaaaaa_s001_${name}.csv_bi`, csv([seizure(10, 20)], 100));
  expect(await main([join(folder, 'one'), join(folder, 'one'), '--json'])).toBe(0);
  expect(printed().szcore.events.subjects).toBe(1);
});

test('a file beside a folder, and folders without a common name, are rejected', async () => {
  const file = put('apart/ref/a.csv_bi', csv([seizure(10, 20)], 100));
  put('apart/found/x/a.csv_bi', csv([seizure(10, 20)], 100));
  const found = join(folder, 'apart/found');
  expect(await main([file, found])).toBe(2);
  expect(await main([join(folder, 'apart/ref'), found])).toBe(1);
  expect(err).toEqual([
    expect.stringContaining('give two files or two folders') as string,
    expect.stringMatching(/found, names: none is that of a reference, as a; names count within the folder/),
  ]);
});

test('what cannot be used is named', async () => {
  const tse = put('y.tse', 'version = tse_v1.0.0\n0 10 seiz 1\n');
  expect(await main([tse, tse])).toBe(1);
  expect(err[0]).toContain('how long the recording is');
  expect(await main([join(folder, 'nowhere'), tse])).toBe(1);
  expect(err.at(-1)).toContain('there is no such file or folder');
  expect(await main([put('z.txt', ''), tse])).toBe(1);
  expect(await main([tse])).toBe(2);
  expect(await main([tse, tse, '--fast'])).toBe(2);
});
