import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { readZip } from '../../src/checkpoints/zip';
import { recordingFiles, syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { generate } from '../../src/eeg/synthetic/generator';
import { FULL } from '../full';
import { chooseFolder, startApp, type App } from './app';
import { overflow, PHONE, SILENT, violations } from './looks';
import { longestTask } from './long-tasks';

/** Hundreds of kernels are compiled before the first step, on a software GPU slowly. */
const SLOW = { timeout: 400_000 };
const LONGEST = 900_000;

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const phase = (page: Page, text: string | RegExp) =>
  page.getByTestId('phase').filter({ hasText: text }).waitFor(SLOW);

declare global {
  /** What the page has shown as the loss, one after the other. */
  var losses: number[];
}

/** How many pixels of the traces are of a colour of the theme. */
const pixels = (page: Page, colour: '--text' | '--accent'): Promise<number> =>
  page
    .getByRole('application')
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement, name) => {
      const hex = getComputedStyle(canvas).getPropertyValue(name);
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
      // Reading the page's own canvas again and again would make the browser warn.
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
        willReadFrequently: true,
      })!;
      copy.drawImage(canvas, 0, 0);
      const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b) found++;
      return found;
    }, colour);

async function smallest(page: Page): Promise<void> {
  await page.locator('summary', { has: page.getByRole('heading', { name: 'Training settings' }) }).click();
  await page.getByLabel('Base channels', { exact: true }).selectOption('4');
  await page.getByLabel('Mixer').selectOption('conv');
  await page.getByLabel('Layers', { exact: true }).fill('1');
  await page.getByLabel('Epochs', { exact: true }).fill('1');
  await page.getByLabel('Batch size').fill('2');
  await page.getByLabel('Max steps per epoch').fill('1');
  await page.getByLabel('Validation stride').fill('60');
}

test(
  'with nothing but the one button a detector is trained on synthetic EEG, scored and drawn; on a folder its loss falls',
  async () => {
    const { page, complaints } = await app.open('#/train', { viewport: { width: 1440, height: 900 } });
    await page.getByText('No recordings loaded').waitFor();
    await smallest(page);
    const half = await page.evaluate(
      async () => (await navigator.gpu.requestAdapter())?.features.has('shader-f16') ?? false,
    );
    expect(await page.getByLabel('Activations').count()).toBe(half ? 1 : 0);
    await page.getByLabel('Data-loader workers').fill('2');
    await button(page, 'Start training').click();
    // One step of training may be over before it was seen.
    await phase(page, /Training, epoch 1|All epochs done/);
    await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
    expect(await page.getByRole('row', { name: /synth00\d.*validation/ }).count()).toBe(1);
    await phase(page, 'All epochs done');
    expect(Number(await page.getByTestId('auroc').first().textContent())).toBeGreaterThan(0);
    expect(await pixels(page, '--accent')).toBeGreaterThan(20);
    const [zip] = await Promise.all([
      page.waitForEvent('download'),
      button(page, 'Save as EDF and csv_bi').click(),
    ]);
    const names = [...readZip(new Uint8Array(readFileSync(await zip.path()))).keys()];
    expect(names).toHaveLength(12);
    expect(names[0]).toBe('synth000/synth000_s001_t000.edf');

    // Held-out recordings and those that were trained on are on the disk now.
    const kept = page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
    expect(await kept).toContain('smokescan-prepared');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      button(page, 'Save detected events (csv_bi)').click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^synth00\d_s001_t000\.predicted\.csv_bi$/);
    expect(await violations(page)).toEqual([]);

    await page.getByRole('link', { name: 'Runs' }).click();
    await page.getByText(/Preprocessing cache: [\d.]+\sMiB/).waitFor();
    await button(page, 'Clear cache').click();
    await page.getByText(/Preprocessing cache/).waitFor({ state: 'detached' });

    expect(complaints).toEqual(SILENT);
    if (!FULL) return;
    // The same on a folder with real and generated recordings, for longer: the loss falls.
    await page.getByRole('link', { name: 'Train', exact: true }).click();
    await button(page, 'Use synthetic EEG').waitFor();
    const real = fileURLToPath(new URL('../../../shared/data/edf/microstates_test.edf', import.meta.url));
    if (!existsSync(real)) console.warn(`without the real recording, which is not at ${real}`);
    await chooseFolder(page, [
      ...syntheticCorpus({ seed: 3, patients: 3, recordingsPerPatient: 1, duration: 300, seizures: 1 }),
      ...(existsSync(real)
        ? [{ path: 'microstates_test.edf', bytes: new Uint8Array(readFileSync(real)) }]
        : []),
    ]);
    // Five minutes; those before had ten.
    await page.getByRole('row', { name: /synth002.* 5:00/ }).waitFor();
    if (existsSync(real)) await page.getByRole('row', { name: /microstates_test.*not labelled/ }).waitFor();
    await page.getByLabel('Max steps per epoch').fill('6');
    await page.getByLabel('Learning rate').fill('0.003');
    await page.evaluate(() => {
      globalThis.losses = [];
      const note = (): number =>
        globalThis.losses.push(Number(document.querySelector('[data-testid=Loss]')?.textContent ?? NaN));
      new MutationObserver(note).observe(document.body, {
        characterData: true,
        childList: true,
        subtree: true,
      });
    });
    await button(page, 'Start training').click();
    await phase(page, 'All epochs done');
    const losses = (await page.evaluate(() => globalThis.losses)).filter(Number.isFinite);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    expect(losses.length).toBeGreaterThan(4);
    expect(mean(losses.slice(-3))).toBeLessThan(0.6 * (losses[0] as number));
    expect(complaints).toEqual(SILENT);
  },
  LONGEST,
);

test('a recording of 24 hours scrolls without holding up the page', async () => {
  const { page, complaints } = await app.open('#/train', { viewport: { width: 1440, height: 900 } });
  // A minute of it, again and again: the header's number of records is all that differs.
  const [edf] = recordingFiles(
    'day',
    generate({ seed: 1, duration: 60, seizures: 0, rate: 128, lineFrequency: 60 }),
  );
  const header = 256 * 20;
  await page.getByLabel('Open a folder').waitFor({ state: 'attached' });
  await page.evaluate(
    ([base64, header]) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const head = bytes.slice(0, header);
      head.set(new TextEncoder().encode(String(86_400).padEnd(8)), 236);
      const minute = new Blob([bytes.slice(header)]);
      const day = new File([head, ...Array<Blob>(24 * 60).fill(minute)], 'day.edf');
      const transfer = new DataTransfer();
      transfer.items.add(day);
      const input = document.querySelector<HTMLInputElement>('input[type=file]')!;
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    [Buffer.from(edf.bytes).toString('base64'), header] as const,
  );
  await page.getByText('0:00 of 24:00:00').waitFor();
  await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
  await page.getByRole('application').focus();
  const longest = await longestTask(page, async () => {
    await page.keyboard.press('End');
    for (let i = 0; i < 40; i++) await page.keyboard.press(i % 2 === 0 ? 'PageUp' : 'ArrowLeft');
    await page.getByText('23:51:20 of 24:00:00').waitFor();
  });
  await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
  // As readers of EEG know it.
  await page.keyboard.press('Home');
  for (const key of ['PageDown', 'ArrowRight', 'Shift+ArrowRight', '+', ']', 'm'])
    await page.keyboard.press(key);
  await page.getByText('0:26 of 24:00:00').waitFor();
  expect(await page.getByRole('combobox', { name: 'Gain' }).inputValue()).toBe('7');
  expect(await page.getByRole('combobox', { name: 'Page' }).inputValue()).toBe('30');
  expect(await page.getByRole('combobox', { name: 'Montage' }).inputValue()).toBe('referential');
  expect(longest).toBeLessThan(1);
  expect(complaints).toEqual(SILENT);
});

test('a folder is opened on a phone: what can be read is shown, what cannot is rejected with a sentence', async () => {
  const { page, complaints } = await app.open('#/train', { ...PHONE, colorScheme: 'dark' });
  const files = [
    ...syntheticCorpus({ seed: 3, patients: 2, recordingsPerPatient: 1, duration: 90, seizures: 1 }),
    { path: 'broken.edf', bytes: new Uint8Array(400) },
  ];
  await chooseFolder(page, files);
  await page.getByRole('cell', { name: /synth001/ }).waitFor();
  await page.getByText('1 file skipped').waitFor();
  await page.getByText(/^broken\.edf/).waitFor();
  await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);

  const before = await page.getByText(/ of 1:30$/).textContent();
  await page.getByRole('application').focus();
  await page.keyboard.press('PageDown');
  await expect.poll(() => page.getByText(/ of 1:30$/).textContent()).not.toBe(before);
  expect(complaints).toEqual(SILENT);
});

test('files without a recording are answered with a sentence, and nothing is lost', async () => {
  const { page } = await app.open('#/train');
  await page.getByLabel('Open a folder').waitFor({ state: 'attached' });
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['hello'], 'notes.txt'));
    const input = document.querySelector<HTMLInputElement>('input[type=file]')!;
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await page.getByText('No .edf or .bdf files found.').waitFor();
  await button(page, 'Close').click();
  expect(await button(page, 'Use synthetic EEG').isEnabled()).toBe(true);
});
