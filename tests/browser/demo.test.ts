import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { FULL } from '../full';
import { startApp, type App } from './app';
import { countClicks } from './clicks';
import { overflow, SILENT, WIDE } from './looks';
import { longestTask } from './long-tasks';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const step = async (page: Page): Promise<number> =>
  Number(/Step (\d+)/.exec((await page.getByTestId('step').textContent()) ?? '')?.[1]);

test('the name is painted before any script runs', async () => {
  const { page } = await app.open('', { javaScriptEnabled: false });
  await page.getByRole('banner').getByText('Smokescan', { exact: true }).waitFor();
});

test('the recorded run plays at once, loads nothing that trains, and can be sought and shared', async () => {
  const { page, complaints } = await app.open('', WIDE);
  const scripts: string[] = [];
  page.on('request', (request) => scripts.push(request.url()));
  const longest = await longestTask(page, () => expect.poll(() => step(page)).toBeGreaterThan(8));
  expect(longest).toBeLessThan(1);
  expect(scripts.filter((url) => /worker|states/i.test(url))).toEqual([]);

  // The app's header took the place of the first one.
  expect(await page.getByRole('banner').count()).toBe(1);

  await button(page, 'Pause').click();
  const slider = page.getByRole('slider', { name: 'Step of the run' });
  await slider.focus();
  await page.keyboard.press('End');
  await expect
    .poll(() => page.getByTestId('step').textContent())
    .toMatch(/(\d+) of \1 seizures found · no false alarm/);
  await page.keyboard.press('Home');
  expect(await step(page)).toBe(0);

  const saved = async (name: string): Promise<string> => {
    const [download] = await Promise.all([page.waitForEvent('download'), button(page, name).click()]);
    return Buffer.from(await streamOf(await download.createReadStream())).toString('latin1');
  };
  expect(await saved('Save PNG')).toMatch(/^.PNG/);
  const svg = await saved('Save SVG');
  expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
  expect(svg).toContain('A seizure detector learning');
  expect(complaints).toEqual(SILENT);
});

async function streamOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts);
}

test('one click trains the same run, and its film grows below the recorded one', async () => {
  const { page, complaints } = await app.open('#/demo/24', WIDE);
  await expect.poll(() => step(page)).toBe(24);
  await page.getByText(/The same seed and settings on/).waitFor();
  const clicks = await countClicks(page);
  await button(page, 'Train it live').click();
  // Before the first step and after the first few; a software GPU compiles and steps for a minute until then.
  if (FULL) await page.getByRole('img', { name: /^Live filmstrip: 2 of/ }).waitFor({ timeout: 400_000 });
  await page.getByRole('link', { name: /^Training/ }).waitFor();
  expect(await clicks()).toBe(1);
  expect(await overflow(page)).toBe(0);
  await button(page, 'Stop').click();
  await page.getByTestId('live').filter({ hasText: 'Stopped' }).waitFor();
  // It is a run like any other.
  await page.getByRole('link', { name: 'Open in Train' }).click();
  await page.getByTestId('phase').filter({ hasText: 'Stopped' }).waitFor();
  expect(complaints).toEqual(SILENT);
});
