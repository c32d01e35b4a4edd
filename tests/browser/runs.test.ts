/** What of a run, and of a configuration, survives: deleted data, a reload, a second tab. */
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { startApp, type App } from './app';

const SLOW = { timeout: 400_000 };
const LONG_RUN =
  '#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=100&batch=1&stepsPerEpoch=40&validationStride=60&checkpoints.everySteps=2&cache=false';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

/** Step of the newest checkpoint of each run that the store holds. */
const steps = (page: Page): Promise<(number | undefined)[]> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
      });
    const database = await done(indexedDB.open('smokescan-checkpoints'));
    const store = database.transaction('checkpoints').objectStore('checkpoints');
    const keys = IDBKeyRange.bound('run/', 'run/\uffff');
    const runs = await done(store.getAll(keys) as IDBRequest<{ last: { step: number }[] }[]>);
    database.close();
    return runs.map(({ last }) => last[0]?.step);
  });

test('a run whose stored data is deleted is stored anew and says so; after a reload it is offered, one click from going on', async () => {
  const { page } = await app.open(LONG_RUN);
  await page.getByRole('button', { name: 'Apply', exact: true }).click();
  await page.getByRole('button', { name: 'Start training', exact: true }).click();
  const saved = page.getByTestId('saved');
  await saved.waitFor(SLOW);
  await page.evaluate(
    () =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('smokescan-checkpoints');
        opening.onerror = () => reject(opening.error ?? new Error('IndexedDB'));
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('checkpoints', 'readwrite');
          transaction.objectStore('checkpoints').clear();
          transaction.oncomplete = () => {
            opening.result.close();
            resolve();
          };
        };
      }),
  );
  await page
    .getByText(/The stored data of this run was deleted. It is stored anew from step \d+/)
    .waitFor(SLOW);
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByTestId('phase').filter({ hasText: 'Paused' }).waitFor(SLOW);
  const said = async () => Number(/step ([\d,]+)/.exec((await saved.textContent()) ?? '')?.[1]);
  await expect.poll(said, SLOW).toBe(Number(await page.getByTestId('Step').textContent()));
  expect(await steps(page)).toEqual([await said()]);
  const step = await said();

  await page.goto('about:blank');
  await page.goto(`${app.url}#/train`);
  const offer = page.getByRole('region', { name: 'Interrupted run' });
  await offer.getByText(`was interrupted after step ${step} of 4,000`).waitFor();
  await offer.getByRole('button', { name: 'Resume the run' }).click();
  await page.getByTestId('phase').filter({ hasText: 'Training, epoch' }).waitFor(SLOW);
  expect(Number(await page.getByTestId('Step').textContent())).toBeGreaterThanOrEqual(step);
  expect(await offer.count()).toBe(0);
}, 900_000);

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
