import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { openFolder } from '../../../src/cli/recording_folder';
import { reportRemarks } from '../../../src/cli/train_report';
import { sourceOf, pairFiles } from '../../../src/eeg/files/recording';
import { writeEdf } from '../../../src/eeg/files/edf/write';
import { CHANNELS } from '../../../src/eeg/signal/montage';
import { openRecordings } from '../../../src/eeg/windows/dataset';
import { FULL } from '../../full';

const root = mkdtempSync(join(tmpdir(), 'smokescan-folder-'));
afterAll(() => rmSync(root, { recursive: true }));

const edf = writeEdf({
  kind: 'EDF',
  recordDuration: 1,
  signals: CHANNELS.map((label) => ({
    label,
    unit: 'uV',
    rate: 32,
    physicalMinimum: -100,
    physicalMaximum: 100,
    values: new Float32Array(32),
  })),
});

test('links are followed, one that leads back is passed over, one that leads nowhere is told', async () => {
  const folder = join(root, 'links');
  mkdirSync(join(folder, 'store/deep'), { recursive: true });
  mkdirSync(join(folder, 'data'));
  writeFileSync(join(folder, 'store/deep/content'), edf);
  symlinkSync(join(folder, 'store/deep/content'), join(folder, 'data/a.edf'));
  symlinkSync(join(folder, 'data'), join(folder, 'again'));
  symlinkSync(folder, join(folder, 'data/back'));
  symlinkSync(join(folder, 'store/missing'), join(folder, 'data/b.edf'));
  const opened = await openFolder(folder);
  expect(opened.files.map(({ path }) => path.replace(/^(again|data)/, '*'))).toEqual(['*/a.edf']);
  expect(opened.remarks).toEqual([
    expect.stringMatching(/b\.edf is a link to a file that is not there; fetch it first/),
  ]);
  const [file] = opened.files;
  expect(await sourceOf(file!).read(0, 8)).toEqual(edf.slice(0, 8));
  await opened.close();
});

test('a folder and a file that may not be read are told, and the others opened', async () => {
  const folder = join(root, 'locked');
  mkdirSync(join(folder, 'inner'), { recursive: true });
  for (const name of ['a.edf', 'b.edf', 'inner/c.edf']) writeFileSync(join(folder, name), edf);
  chmodSync(root, 0o755);
  const opened = await withoutRights([join(folder, 'inner'), join(folder, 'b.edf')], async () => {
    const all = await openFolder(folder);
    const { recordings, rejected } = await openRecordings(pairFiles(all.files));
    await all.close();
    return { recordings, rejected, remarks: all.remarks };
  });
  expect(opened.recordings.map(({ path }) => path)).toEqual(['a.edf']);
  expect(opened.rejected).toEqual([
    { path: 'b.edf', reason: expect.stringMatching(/b\.edf could not be read: EACCES/) as string },
  ]);
  expect(opened.remarks).toEqual([
    expect.stringMatching(/^inner is a folder that cannot be read .*give this account the right to read it/),
  ]);
});

/** Ten times as many as may be open at a time, and more. */
const MANY = FULL ? 5000 : 1200;

test('thousands of recordings are opened with few files open at a time', async () => {
  const folder = join(root, 'many');
  mkdirSync(folder);
  writeFileSync(join(folder, 'content'), edf);
  for (let i = 0; i < MANY; i++) symlinkSync('content', join(folder, `${i}.edf`));
  const before = openFiles();
  const opened = await openFolder(folder);
  expect(opened.files).toHaveLength(MANY);
  let max = 0;
  const { recordings } = await openRecordings(pairFiles(opened.files), Infinity, (done) => {
    if (done % 200 === 0) max = Math.max(max, openFiles());
  });
  expect(recordings).toHaveLength(MANY);
  expect(max - before).toBeLessThan(100);
  await opened.close();
});

/** Where the system shows them. */
function openFiles(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0;
}

test('a missing folder, and a file in its place', async () => {
  await expect(openFolder(join(root, 'nowhere'))).rejects.toThrow('there is no such folder');
  const file = join(root, 'a.edf');
  writeFileSync(file, edf);
  await expect(openFolder(file)).rejects.toThrow('is a file; give the folder that holds it');
});

test('odd recordings: the first ten for a person, all in the JSON', async () => {
  const folder = join(root, 'odd');
  mkdirSync(folder);
  for (let i = 0; i < 12; i++) writeFileSync(join(folder, `${i}.edf`), edf);
  const opened = await openFolder(folder);
  const { recordings } = await openRecordings(pairFiles(opened.files));
  const [out, err]: [string[], string[]] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((line: string) => void out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => void err.push(line));
  reportRemarks(recordings, false);
  expect(err).toHaveLength(12);
  expect(err[0]).toBe('12 of 12 recordings are read with a remark:');
  expect(err[1]).toContain('0.edf: no annotations beside it');
  expect(err[11]).toBe('  and 2 more; --json lists all');
  reportRemarks(recordings, true);
  expect((JSON.parse(out[0] ?? '') as { remarks: unknown[] }).remarks).toHaveLength(12);
  vi.restoreAllMocks();
  await opened.close();
});

/** Runs `work` while `paths` may not be read, by an account that this holds for. */
async function withoutRights<T>(paths: readonly string[], work: () => Promise<T>): Promise<T> {
  const all = process.geteuid?.() === 0;
  for (const path of paths) chmodSync(path, 0);
  if (all) process.seteuid?.('nobody');
  try {
    return await work();
  } finally {
    if (all) process.seteuid?.(0);
    for (const path of paths) chmodSync(path, 0o755);
  }
}
