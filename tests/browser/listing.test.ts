import { linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { FULL, fullTest } from '../full';
import { startApp, type App } from './app';
import { SILENT } from './looks';
import { longestTask } from './long-tasks';

const RECORDINGS = FULL ? 12_000 : 600;
/** In tasks of 50 ms. */
const LONGEST_TASK = 4;

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const recording = () => [
  ...syntheticCorpus({ seed: 3, patients: 1, recordingsPerPatient: 1, duration: 2, seizures: 0 }),
];

/** Lays so many recordings with their labels into the button that opens a folder, without opening them yet. */
async function prepare(page: Page, count: number): Promise<void> {
  const given = recording().map(({ path, bytes }) => ({
    path,
    bytes: Buffer.from(bytes).toString('base64'),
  }));
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

fullTest(
  'a folder of 12,000 that is dropped is counted while it is looked through, which can be stopped',
  async () => {
    const root = mkdtempSync(join(tmpdir(), 'smokescan-many-'));
    const [one] = recording();
    const first = join(root, 'r00000.edf');
    writeFileSync(first, one?.bytes ?? '');
    for (let i = 1; i < 12_000; i++) linkSync(first, join(root, `r${`${i}`.padStart(5, '0')}.edf`));
    const { page, complaints } = await app.open('#/train');
    await page.getByText('No recordings loaded').waitFor();
    const session = await page.context().newCDPSession(page);
    const drop = async () => {
      const data = { items: [], files: [root], dragOperationsMask: 1 };
      for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
        await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
    };
    const search = page
      .getByRole('status')
      .filter({ hasText: /Looking through what was dropped: [\d,]+ files/ });
    const stop = page.getByRole('button', { name: 'Stop', exact: true });
    try {
      const longest = await longestTask(page, async () => {
        await drop();
        await search.getByRole('button', { name: 'Stop' }).click();
        await search.waitFor({ state: 'detached' });
        expect(await page.getByTestId('phase').textContent()).toBe('Ready to train');
        await drop();
        await page.getByTestId('phase').filter({ hasText: ' of 12,000' }).waitFor({ timeout: 600_000 });
        await stop.click();
        await page.getByTestId('phase').filter({ hasText: 'Ready to train' }).waitFor();
      });
      expect(longest).toBeLessThan(LONGEST_TASK);
      expect(complaints).toEqual(SILENT);
    } finally {
      rmSync(root, { recursive: true });
    }
  },
  900_000,
);
