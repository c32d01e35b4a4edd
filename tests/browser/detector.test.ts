import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticCorpus } from '../../src/data/synthetic/corpus';
import { startApp, type App } from './app';

const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };
const SILENT = { console: [], page: [], foreign: [] };
/** Hundreds of kernels are compiled before the first step, on a software GPU slowly. */
const SLOW = { timeout: 200_000 };

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const phase = (page: Page, text: string | RegExp) =>
  page.getByTestId('phase').filter({ hasText: text }).waitFor(SLOW);

declare global {
  var axe: { run(): Promise<AxeResults> };
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
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
  await page.locator('summary', { has: page.getByRole('heading', { name: 'What is trained' }) }).click();
  await page.getByLabel('Base width').selectOption('4');
  await page.getByLabel('Mixer').selectOption('conv');
  await page.getByLabel('Layers').fill('1');
  await page.getByLabel('Epochs').fill('1');
  await page.getByLabel('Windows in a batch').fill('1');
  await page.getByLabel('Updates of an epoch', { exact: true }).fill('3');
  await page.getByLabel('Seconds between validated windows').fill('60');
}

test('with nothing but the one button a detector is trained on synthetic EEG, scored and drawn', async () => {
  const { page, complaints } = await app.open('', { viewport: { width: 1440, height: 900 } });
  await page.getByText('No recordings yet').waitFor();
  await smallest(page);
  await page.getByLabel('Workers that read windows').fill('2');
  await button(page, 'Start training').click();
  await phase(page, 'Training, epoch 1');
  await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
  expect(await page.getByRole('row', { name: /synth00\d.*validation/ }).count()).toBe(1);
  await phase(page, 'All epochs done');
  expect(Number(await page.getByTestId('auroc').first().textContent())).toBeGreaterThan(0);
  expect(await pixels(page, '--accent')).toBeGreaterThan(20);
  // Held-out recordings and those that were trained on are on the disk now.
  const kept = page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));
  expect(await kept).toContain('smokescan-prepared');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    button(page, 'Save predicted events (csv_bi)').click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^synth00\d_s001_t000\.predicted\.csv_bi$/);
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual(SILENT);
});

test('a folder is opened on a phone: what can be read is shown, what cannot is refused with a sentence', async () => {
  const { page, complaints } = await app.open('#/detector', { ...PHONE, colorScheme: 'dark' });
  const files = [
    ...syntheticCorpus({ seed: 3, patients: 2, recordingsPerPatient: 1, duration: 90, seizures: 1 }),
    { path: 'broken.edf', bytes: new Uint8Array(400) },
  ];
  await page.evaluate(
    (list) => {
      const transfer = new DataTransfer();
      for (const { name, bytes } of list)
        transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
      const input = document.querySelector<HTMLInputElement>('input[type=file]')!;
      input.files = transfer.files;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    },
    files.map(({ path, bytes }) => ({
      name: path.split('/').at(-1) ?? '',
      bytes: Buffer.from(bytes).toString('base64'),
    })),
  );
  await page.getByRole('cell', { name: 'synth001', exact: true }).waitFor();
  await page.getByText('1 could not be used').waitFor();
  await page.getByText(/^broken\.edf/).waitFor();
  await expect.poll(() => pixels(page, '--text')).toBeGreaterThan(1000);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - screen.width)).toBe(0);
  expect(await violations(page)).toEqual([]);

  const before = await page.getByText(/ of 1:30$/).textContent();
  await page.getByRole('application').focus();
  await page.keyboard.press('PageDown');
  await expect.poll(() => page.getByText(/ of 1:30$/).textContent()).not.toBe(before);
  expect(complaints).toEqual(SILENT);
});

test('files without a recording are answered with a sentence, and nothing is lost', async () => {
  const { page } = await app.open('#/detector');
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['hello'], 'notes.txt'));
    const input = document.querySelector<HTMLInputElement>('input[type=file]')!;
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
  await page.getByText('There are no recordings (.edf or .bdf) among these files.').waitFor();
  await button(page, 'Close').click();
  expect(await button(page, 'Use synthetic EEG').isEnabled()).toBe(true);
});
