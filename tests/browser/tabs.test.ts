/** What a second tab of the app does to the first. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from './app';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

test('two tabs that change one configuration: the later one is told, and both texts are kept', async () => {
  const { page } = await app.open('#/config');
  const editor = (tab: Page) => tab.locator('.cm-content');
  await editor(page).waitFor();
  const other = await page.context().newPage();
  await other.goto(`${app.url}#/config`);
  await editor(other).waitFor();
  const write = async (tab: Page, text: string): Promise<void> => {
    await editor(tab).click();
    await tab.keyboard.press('Control+Home');
    await tab.keyboard.type(text);
  };
  const stored = () =>
    page.evaluate(
      () =>
        new Promise<string[]>((resolve, reject) => {
          const opening = indexedDB.open('smokescan-configs');
          opening.onerror = () => reject(opening.error ?? new Error('IndexedDB'));
          opening.onsuccess = () => {
            const all = opening.result.transaction('files').objectStore('files').getAll();
            all.onsuccess = () => {
              opening.result.close();
              resolve((all.result as { text: string }[]).map(({ text }) => text.slice(0, 3)).sort());
            };
          };
        }),
    );
  await write(page, '#A\n');
  await expect.poll(stored).toEqual(['#A\n']);
  await write(other, '#B\n');
  await other
    .getByText(/Another tab has changed .*tusz_train.yaml too. Both texts are kept: yours is/)
    .waitFor();
  await expect.poll(stored).toEqual(['#A\n', '#B\n']);
  // From then on each has a file of its own.
  await write(page, '#C\n');
  await expect.poll(stored).toEqual(['#B\n', '#C\n']);
  expect(await page.getByText('Another tab has changed').count()).toBe(0);
});
