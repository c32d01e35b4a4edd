/** The page Runs with runs in its store: the table, the curves, and what leaves and comes in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { readZip } from '../../src/checkpoints/zip';
import { readEventFile, writeEventFile } from '../../src/training/logs/event_file';
import { readMetricsCsv } from '../../src/training/logs/metrics_files';
import type { RunSummary } from '../../src/training/run_record';
import { startApp, type App } from './app';
import { overflow, SILENT, violations, WIDE } from './looks';

/** A run that the page has kept. */
const KEPT = JSON.parse(
  readFileSync(join(import.meta.dirname, '../unit/training/before/run.json'), 'utf8'),
) as { config: string; summary: RunSummary };

const runOf = (name: string, seed: number, scale: number, epochs = 1) => ({
  id: name,
  name,
  pinned: false,
  created: 1_700_000_000_000 + seed,
  updated: 1_700_000_000_000 + seed,
  config: KEPT.config,
  device: 'a GPU',
  summary: {
    ...KEPT.summary,
    settings: { ...KEPT.summary.settings, seed, epochs },
    losses: KEPT.summary.losses.map((loss) => loss * scale),
  },
  last: [],
  best: [],
});
const RUNS = [runOf('high', 1, 4), runOf('low', 2, 1), runOf('longer', 3, 2, 9)];

let app: App;
beforeAll(async () => {
  app = await startApp();
});

async function open(options = {}) {
  const opened = await app.open('#/runs', { ...WIDE, ...options });
  const { page } = opened;
  // The store is there once the page knows its room.
  await page.getByText(/[MG]iB used/).waitFor();
  await page.evaluate(async (runs) => {
    const opening = indexedDB.open('smokescan-checkpoints');
    await new Promise((done) => (opening.onsuccess = done));
    const { result: database } = opening;
    const transaction = database.transaction('checkpoints', 'readwrite');
    for (const run of runs) transaction.objectStore('checkpoints').put(run, `run/${run.id}`);
    await new Promise((done) => (transaction.oncomplete = done));
    database.close();
  }, RUNS);
  await page.reload();
  await table(page).waitFor();
  return opened;
}

const table = (page: Page) => page.getByRole('region', { name: 'Runs by column' }).getByRole('table');
const namesIn = (page: Page) => table(page).locator('tbody th a').allInnerTexts();
const head = (page: Page, name: string) =>
  table(page).getByRole('columnheader', { name }).getByRole('button', { name });
const choose = async (page: Page, ...names: string[]): Promise<void> => {
  for (const name of names) await page.getByRole('checkbox', { name: `Compare ${name}` }).check();
};

async function saved(page: Page, button: string): Promise<{ name: string; bytes: Uint8Array<ArrayBuffer> }> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: button }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: new Uint8Array(readFileSync(await download.path())) };
}

test('the table is sorted, searched and grouped, with the columns and words of the person', async () => {
  const { page, complaints } = await open();
  expect(await namesIn(page)).toEqual(['longer', 'low', 'high']);
  await head(page, 'Loss').click();
  expect(await namesIn(page)).toEqual(['low', 'longer', 'high']);
  await head(page, 'Loss').click();
  expect(await namesIn(page)).toEqual(['high', 'longer', 'low']);
  // What differs has columns of its own.
  await head(page, 'Seed').waitFor();
  await head(page, 'Epochs').waitFor();
  await choose(page, 'high', 'low');
  await head(page, 'Epochs').waitFor({ state: 'detached' });
  await page.getByText('Columns', { exact: true }).click();
  await page.getByRole('checkbox', { name: 'Device', exact: true }).check();
  await page.getByLabel('Group by seed').check();
  const group = table(page).getByRole('row', { name: '2 runs, seeds 1, 2' });
  // 0.617 and 0.154, as the losses end.
  await group.getByText('0.385 ± 0.327').waitFor();
  await group.getByText('a GPU').waitFor();

  const card = page.getByRole('article', { name: 'low' });
  await card.getByLabel('Tags').fill('night, baseline');
  await card.getByLabel('Tags').press('Enter');
  await card.getByLabel('Note').fill('agreed with the lab');
  await card.getByLabel('Note').press('Enter');
  await table(page).getByText('night, baseline').waitFor();
  await page.reload();
  await page.getByLabel('Search').fill('lab night');
  await expect.poll(() => namesIn(page)).toEqual(['low']);
  await head(page, 'Device').waitFor();
  await page.getByLabel('Search').fill('nothing of the kind');
  await page.getByText('No run has all of these words.').waitFor();
  expect(complaints).toEqual(SILENT);
});

test('a run is renamed, pinned, deleted, and its settings are used again', async () => {
  const { page, complaints } = await open();
  await page.getByRole('article', { name: 'low' }).getByLabel('Name of the run').fill('unbroken');
  await page.keyboard.press('Enter');
  const renamed = page.getByRole('article', { name: 'unbroken' });
  await renamed.getByLabel('pinned').check();
  await renamed.locator('button[aria-disabled=true]', { hasText: 'Delete…' }).waitFor();
  const high = page.getByRole('article', { name: 'high' });
  await high.getByRole('button', { name: 'Delete…' }).click();
  await high.getByRole('button', { name: 'Delete', exact: true }).click();
  await high.waitFor({ state: 'detached' });
  await page.reload();
  await renamed.waitFor();
  expect(await namesIn(page)).toEqual(['longer', 'unbroken']);
  expect(await renamed.getByLabel('pinned').isChecked()).toBe(true);
  await page
    .getByRole('article', { name: 'longer' })
    .getByRole('button', { name: 'New run with these settings' })
    .click();
  await page.getByRole('button', { name: 'Start training' }).waitFor();
  expect(await page.getByLabel('Epochs', { exact: true }).inputValue()).toBe('9');
  expect(complaints).toEqual(SILENT);
});

test('a curve that is pointed at names its run; chart and logs are saved for other tools', async () => {
  const { page, complaints } = await open();
  await choose(page, 'high', 'low');
  const chart = page.getByRole('region', { name: 'Compared runs' });
  const box = await chart.locator('.u-over').boundingBox();
  expect(box).not.toBeNull();
  const { x, y, width, height } = box ?? { x: 0, y: 0, width: 0, height: 0 };
  const named = new Set<string>();
  for (let share = 0.02; share < 1; share += 0.04) {
    await page.mouse.move(x + width / 2, y + height * share);
    const said = (await page.getByTestId('picked').textContent()) ?? '';
    const [, name] = /^(\w+): [\d.]+ at step \d$/.exec(said) ?? [];
    if (name) named.add(name);
  }
  // From the top.
  expect([...named]).toEqual(['high', 'low']);
  await chart.getByLabel('Curve', { exact: true }).selectOption('Metrics/AUROC');
  await chart.getByText('Metrics/AUROC by epoch').waitFor();
  await chart.getByLabel('Curve', { exact: true }).selectOption('Loss/step');

  const svg = await saved(page, 'Save SVG');
  expect(svg.name).toBe('curves.svg');
  const text = new TextDecoder().decode(svg.bytes);
  for (const word of ['>high<', '>low<', 'Loss by step, smoothed']) expect(text).toContain(word);
  const png = await saved(page, 'Save PNG');
  expect([png.name, ...png.bytes.subarray(1, 4)]).toEqual(['curves.png', 80, 78, 71]);

  const csv = await saved(page, 'Save metrics.csv');
  const { runs: logs } = readMetricsCsv(new TextDecoder().decode(csv.bytes), csv.name);
  expect(
    logs
      .get('low')
      ?.get('Loss/step')
      ?.map(({ value }) => value),
  ).toEqual(KEPT.summary.losses);
  const zip = readZip((await saved(page, 'Save runs.zip')).bytes);
  const events = [...zip].find(([path]) => /^low\/events\.out\.tfevents\.1700000000\./.test(path));
  expect(readEventFile(events![1], 'events').log.get('Metrics/AUROC')).toEqual([
    { step: 0, value: Math.fround(KEPT.summary.validations[0]?.scores.auroc ?? NaN) },
  ]);
  expect(complaints).toEqual(SILENT);
});

test('the log of a production run is laid beside a run: where they part, and which settings differ', async () => {
  const { page, complaints } = await open();
  const bad = { name: 'events.out.tfevents.2.host', mimeType: '', buffer: Buffer.from('no') };
  await page.getByLabel('Open a log').setInputFiles(bad);
  await page.getByRole('alert').filter({ hasText: 'this is not an event file of TensorBoard' }).waitFor();

  /** A little apart at the third step, far from the fifth on. */
  const losses = KEPT.summary.losses.map((value, i) => ({
    step: i + 1,
    value: i === 2 ? 1.02 * value : i < 4 ? value : 2 * value,
  }));
  const log = new Map([
    ['Loss/step', losses],
    ['Metrics/TAES', [{ step: 0, value: 0 }]],
  ]);
  const name = 'events.out.tfevents.1.host';
  const config =
    'data: {}\nmodel: {}\ntraining: {epochs: 100, batch_size: 64, early_stopping: {metric: auroc}}\npostprocessing: {}\n';
  await page.getByLabel('Open a log').setInputFiles([
    { name, mimeType: '', buffer: Buffer.from(writeEventFile(log, 1)) },
    { name: 'train.yaml', mimeType: '', buffer: Buffer.from(config) },
  ]);
  await page.getByText('Choose a run in the table to see').waitFor();
  await choose(page, 'low');
  const pair = page.getByRole('region', { name: `low and ${name}` });
  await pair
    .getByRole('row', { name: /Loss\/step part at step 3: 0\.\d+ here, 0\.\d+ in the log/ })
    .waitFor();
  await pair.getByRole('row', { name: 'Metrics/TAES alike at the one they have in common' }).waitFor();
  const said = (await pair.getByText('Settings that differ:').textContent()) ?? '';
  expect(said.replace(/\s+/g, ' ')).toContain('Epochs 1 → 100; Batch size 1 window → 64 windows');
  await page.getByLabel('Alike within').selectOption('0.05');
  await pair.getByRole('row', { name: 'Loss/step part at step 5' }).waitFor();
  await page.getByRole('button', { name: `Close ${name}` }).click();
  await pair.waitFor({ state: 'detached' });
  expect(complaints).toEqual(SILENT);
});

test('on a phone the page fits, and all of it is accessible', async () => {
  const { page, complaints } = await open({
    viewport: { width: 390, height: 800 },
    isMobile: true,
    hasTouch: true,
    colorScheme: 'dark',
  });
  await choose(page, 'high', 'low');
  await page.getByText('Columns', { exact: true }).click();
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  expect(complaints).toEqual(SILENT);
});
