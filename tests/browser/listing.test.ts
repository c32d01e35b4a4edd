import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { FULL } from '../full';
import { startApp, type App } from './app';
import { SILENT } from './looks';
import { longestTask } from './long-tasks';

const RECORDINGS = FULL ? 12_000 : 1500;
/** In tasks of 50 ms. */
const LONGEST_TASK = 4;

let app: App;
beforeAll(async () => {
  app = await startApp();
});

/** Lays so many recordings with their labels into the button that opens a folder, without opening them yet. */
async function prepare(page: Page, count: number): Promise<void> {
  const files = [
    ...syntheticCorpus({ seed: 3, patients: 1, recordingsPerPatient: 1, duration: 2, seizures: 0 }),
  ];
  const given = files.map(({ path, bytes }) => ({ path, bytes: Buffer.from(bytes).toString('base64') }));
  await page.getByLabel('Open a folder').evaluate(
    (input: HTMLInputElement, { given, count }) => {
      const transfer = new DataTransfer();
      for (const { path, bytes } of given) {
        const data = new Blob([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))]);
        const extension = path.slice(path.indexOf('.'));
        for (let i = 0; i < count; i++)
          transfer.items.add(new File([data], `r${`${i}`.padStart(5, '0')}${extension}`));
      }
      input.files = transfer.files;
    },
    { given, count },
  );
}

const choose = (page: Page): Promise<void> =>
  page
    .getByLabel('Open a folder')
    .evaluate((input) => void input.dispatchEvent(new Event('change', { bubbles: true })));

test(`${RECORDINGS} recordings are listed with a count, which can be stopped, and never block the page`, async () => {
  const { page, complaints } = await app.open('#/train');
  const total = RECORDINGS.toLocaleString('en');
  const counting = page.getByTestId('phase').filter({ hasText: new RegExp(`, [\\d,]+ of ${total}`) });
  await page.getByText('No recordings loaded').waitFor();
  await prepare(page, RECORDINGS);
  await choose(page);
  await counting.waitFor();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.getByTestId('phase').filter({ hasText: 'Ready to train' }).waitFor();
  expect(await page.getByText('No recordings loaded').count()).toBe(1);

  await prepare(page, RECORDINGS);
  const longest = await longestTask(page, async () => {
    await choose(page);
    await counting.waitFor();
    await page.getByText(`1–200 of ${total}`).waitFor({ timeout: 600_000 });
    await page.getByRole('button', { name: 'Next recordings' }).click();
    await page.getByRole('button', { name: 'r00399.edf' }).click();
    await page.getByRole('application', { name: /r00399\.edf/ }).waitFor();
  });
  expect(longest).toBeLessThan(LONGEST_TASK);
  expect(complaints).toEqual(SILENT);
}, 900_000);
