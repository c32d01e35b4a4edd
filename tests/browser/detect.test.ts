import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { readZip } from '../../src/checkpoints/zip';
import { memorySource } from '../../src/eeg/files/bytes';
import { EdfFile } from '../../src/eeg/files/edf/file';
import { writeEdf } from '../../src/eeg/files/edf/write';
import { CHANNELS } from '../../src/eeg/signal/montage';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { fullTest } from '../full';
import { untrained } from '../unit/detection/untrained';
import { startApp, type App } from './app';
import { countClicks } from './clicks';
import { drop } from './drops';
import { overflow, PHONE, SILENT, violations } from './looks';

/** Kernels are compiled before the first window, on a software GPU slowly. */
const SLOW = { timeout: 400_000 };

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const status = (page: Page, text: string | RegExp) =>
  page.getByTestId('detection').filter({ hasText: text }).waitFor(SLOW);
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

async function saved(page: Page, name: string): Promise<{ name: string; bytes: Uint8Array }> {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
  return { name: download.suggestedFilename(), bytes: new Uint8Array(readFileSync(await download.path())) };
}

test('weights and recordings that are dropped on any page are detected with, scored and saved', async () => {
  const { page, complaints } = await app.open('#/config', { viewport: { width: 1440, height: 900 } });
  await page.getByRole('heading', { level: 1 }).waitFor();
  const clicks = await countClicks(page);
  const corpus = { seed: 7, patients: 2, recordingsPerPatient: 1, duration: 120, seizures: 1 };
  await drop(page, [
    { path: 'best.safetensors', bytes: untrained(9) },
    ...[...syntheticCorpus(corpus)].map(({ path, bytes }) => ({ path, bytes })),
  ]);
  await page.getByRole('heading', { name: 'Detect seizures' }).waitFor();
  await status(page, 'Ready to detect');
  await page.getByLabel('Window stride').selectOption('60');
  await button(page, 'Detect').click();
  await status(page, 'Done: 2 events in 2 recordings');
  expect(await page.getByRole('row', { name: /synth00\d.*1.*0:00–2:00/ }).count()).toBe(2);
  expect(await page.getByTestId('event-scores').getByRole('row').count()).toBe(7);
  await page.getByRole('row', { name: /Trainer, any overlap.*100\.0/ }).waitFor();
  expect(await violations(page)).toEqual([]);

  const zip = await saved(page, 'Save events (csv_bi and BIDS, zip)');
  expect(await clicks()).toBeLessThanOrEqual(4);
  expect([...readZip(zip.bytes as Uint8Array<ArrayBuffer>).keys()].sort()).toEqual([
    'scores.json',
    'synth000_s001_t000.predicted.csv_bi',
    'synth000_s001_t000_events.tsv',
    'synth001_s001_t000.predicted.csv_bi',
    'synth001_s001_t000_events.tsv',
  ]);
  const edf = await saved(page, 'Save this recording with events (EDF+)');
  expect(edf.name).toBe('synth000_s001_t000.predicted.edf');
  const { events } = await (await EdfFile.open(memorySource(edf.bytes), 'copy')).annotations();
  expect(events).toMatchObject([{ onset: 0, duration: 120 }]);

  // A second set of events beside labels and detected events.
  await page.getByLabel('Compare with events').setInputFiles({
    name: 'second_events.tsv',
    mimeType: 'text/plain',
    buffer: Buffer.from('onset\tduration\teventType\n3\t9\tsz\n'),
  });
  await page.getByRole('button', { name: /0:03–0:12 second_events.tsv/ }).waitFor();

  // Weights that this browser stores as a run.
  await page.goto(`${app.url}#/runs`);
  await page
    .getByLabel('Open a checkpoint')
    .setInputFiles({ name: 'silent.safetensors', mimeType: '', buffer: Buffer.from(untrained(-9)) });
  await page.getByRole('article').getByText('weights from a file').waitFor();
  await page.goto(`${app.url}#/detect`);
  const runs = page.getByLabel('Or a run of this browser');
  await runs.selectOption(await runs.getByRole('option', { name: /silent/ }).getAttribute('value'));
  await button(page, 'Detect').click();
  await status(page, 'Done: 0 events in 2 recordings');
  expect(complaints).toEqual(SILENT);
}, 900_000);

fullTest(
  'where the browser stores nothing the page says so, and detects all the same',
  async () => {
    const { page, complaints } = await app.open('', { viewport: { width: 390, height: 844 } });
    const denied =
      "Object.defineProperty(self, 'indexedDB', { get() { throw new DOMException('denied', 'SecurityError'); } });";
    await page.addInitScript(denied);
    await page.route(/worker[^/]*\.js$/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: denied + (await response.text()) });
    });
    await page.goto(`${app.url}#/detect`);
    await page.reload();
    await page.getByText(/Runs of this browser cannot be listed: .*denied/).waitFor();
    const corpus = { seed: 7, patients: 1, recordingsPerPatient: 1, duration: 60, seizures: 0 };
    await drop(page, [{ path: 'best.safetensors', bytes: untrained(9) }, ...syntheticCorpus(corpus)]);
    await button(page, 'Detect').click();
    await status(page, 'Done: 1 event in 1 recording');
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual(SILENT);
  },
  900_000,
);

test('what is dropped goes to the page that takes it', async () => {
  const { page, complaints } = await app.open('#/runs', { viewport: { width: 1440, height: 900 } });
  await page.getByText('No runs yet').waitFor();
  const weights = { path: 'silent.safetensors', bytes: untrained(-9) };
  await drop(page, [{ path: 'broken.pt', bytes: Uint8Array.of(1, 2, 3) }, weights]);
  await page.getByRole('article').getByText('weights from a file').waitFor();
  await page.getByRole('alert').filter({ hasText: 'broken.pt: the file is neither PyTorch’s' }).waitFor();
  await drop(page, [
    weights,
    { path: 'own.yaml', bytes: new TextEncoder().encode('data: {}\n') },
    { path: 'notes.txt', bytes: Uint8Array.of(65) },
  ]);
  await page.getByText(/notes.txt cannot be used here.* own.yaml was opened under Config\./).waitFor();
  expect(new URL(page.url()).hash).toBe('#/runs');
  await button(page, 'Dismiss').click();
  await page.getByRole('link', { name: 'Config', exact: true }).click();
  await button(page, 'own.yaml').waitFor();
  await drop(page, [{ path: 'pasted.txt', bytes: new TextEncoder().encode('model: {}\n') }]);
  await button(page, 'pasted.txt').waitFor();
  await drop(page, [weights]);
  await status(page, 'Open recordings');
  expect(complaints).toEqual(SILENT);
});

test('annotations of EDF+ are shown, and become labels once it is said which are seizures', async () => {
  const { page, complaints } = await app.open('#/detect', PHONE);
  await status(page, 'Choose weights');
  const bytes = writeEdf({
    kind: 'EDF+C',
    recordDuration: 1,
    annotations: [
      { onset: 2, duration: null, text: 'Eyes open' },
      { onset: 10, duration: 20, text: 'Crisi A' },
    ],
    signals: CHANNELS.map((label) => ({
      label,
      unit: 'uV',
      rate: 64,
      physicalMinimum: -1000,
      physicalMaximum: 1000,
      values: Float32Array.from({ length: 64 * 70 }, (_, i) => 60 * Math.sin(i / 5)),
    })),
  });
  const bipolar = writeEdf({
    kind: 'EDF',
    recordDuration: 1,
    signals: ['FP1-F7', 'F7-T7'].map((label) => ({
      label,
      unit: 'uV',
      rate: 64,
      physicalMinimum: -1000,
      physicalMaximum: 1000,
      values: new Float32Array(64 * 70),
    })),
  });
  await drop(page, [
    { path: 'night.edf', bytes },
    { path: 'chb01_01.edf', bytes: bipolar },
  ]);
  await page.getByText('Which annotations are seizures?').waitFor();
  expect(await page.getByRole('row', { name: /chb01_01.edf view only/ }).count()).toBe(1);
  await page.getByRole('row', { name: /night.edf.*not labelled/ }).waitFor();
  await page.getByLabel('Crisi A').check();
  await page.getByRole('row', { name: /night.edf 1/ }).waitFor();
  await page.getByRole('button', { name: /0:10–0:30 labelled/ }).waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);

  await drop(page, [{ path: 'notes.txt', bytes: Uint8Array.of(1) }]);
  await page.getByText(/^notes.txt cannot be used here/).waitFor();
  // Weights that are none are told when they are chosen, and nothing is lost.
  await drop(page, [{ path: 'broken.pt', bytes: Uint8Array.of(1, 2, 3) }]);
  await page.getByText(/broken.pt cannot be used: the file is neither PyTorch’s/).waitFor();
  await status(page, 'Choose weights');
  expect(complaints).toEqual(SILENT);
});
