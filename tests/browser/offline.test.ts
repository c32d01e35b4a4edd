/** The app as the browser keeps it: without a network, in a newer version, with files that the system opens. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serve } from '../built';
import { FULL } from '../full';
import { openPage, PATIENCE, startApp, type App } from './app';

const DIST = join(import.meta.dirname, '../../dist');

let app: App;
let folder: string;
beforeAll(async () => {
  app = await startApp();
  folder = mkdtempSync(join(tmpdir(), 'smokescan-build-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const open = (url: string) => openPage(app.browser, url, '', { serviceWorkers: 'allow' });
/** Until the browser has the app. A service worker that does not install is never ready. */
const kept = (page: Page) =>
  page.evaluate(async (patience) => {
    const late = new Promise((_, reject) => setTimeout(reject, patience, new Error('no service worker')));
    await Promise.race([navigator.serviceWorker.ready, late]);
  }, PATIENCE);

test('it opens and every page works where the network is gone, and it can be installed', async () => {
  const served = await serve();
  const { page, complaints } = await open(served.url);
  await kept(page);
  const context = page.context();
  const session = await context.newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  // A window that leaves no traces is all that playwright opens.
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
  const manifest = await session.send('Page.getAppManifest');
  expect(manifest.errors).toEqual([]);
  expect(JSON.parse(manifest.data ?? '')).toMatchObject({ name: 'Smokescan', display: 'standalone' });
  await served.close();
  await page.close();

  const offline = await context.newPage();
  await offline.goto(served.url);
  const links = offline.getByRole('navigation', { name: 'Pages' }).getByRole('link');
  const names = await links.allTextContents();
  expect(names).toHaveLength(7);
  for (const name of names) {
    await links.getByText(name, { exact: true }).click();
    await offline.locator('main:visible, h1:visible').first().waitFor();
    await expect.poll(() => offline.getByText(/^Loading /).count()).toBe(0);
    expect(await offline.getByText('could not be loaded').count()).toBe(0);
    await offline.locator('h1:visible').waitFor();
  }
  // Workers start, too: the configuration of the first visit is inspected in one.
  await offline.getByRole('link', { name: 'Config', exact: true }).click();
  await offline.getByRole('group', { name: 'Show issues by severity' }).waitFor();
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
  await context.close();
});

test('a newer version waits while anything is computed in any tab, then is used when it is asked for', async () => {
  cpSync(DIST, folder, { recursive: true });
  const served = await serve(folder);
  const { page, complaints } = await open(served.url);
  await kept(page);
  await page.reload();

  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  writeFileSync(join(folder, 'index.html'), html.replace('<body>', '<body data-version="2">'));
  const worker = readFileSync(join(folder, 'sw.js'), 'utf8');
  const revised = worker.replace(
    /("?url"?:\s*"index\.html",\s*"?revision"?:\s*")|("?revision"?:\s*")(?=[0-9a-f]+",\s*"?url"?:\s*"index\.html")/,
    '$&0',
  );
  expect(revised).not.toBe(worker);
  writeFileSync(join(folder, 'sw.js'), revised);
  const other = await page.context().newPage();
  await other.goto(served.url);
  await other.evaluate(() => {
    void navigator.locks.request('smokescan busy', { mode: 'shared' }, () => new Promise(() => undefined));
  });
  await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
  await page.getByText('A newer version of Smokescan is ready.').waitFor();
  const button = page.getByRole('button', { name: 'Reload and use it' });
  await button.click();
  await page.getByText('Something is still running in another tab: try again when it has ended.').waitFor();
  expect(await page.locator('body[data-version="2"]').count()).toBe(0);
  await other.close();
  // The locks of a tab outlive it by as much as 0.3 s on a busy machine.
  await page.waitForFunction(async () => (await navigator.locks.query()).held?.length === 0);
  if (FULL) {
    // A browser that does not answer: it takes ten seconds.
    await page.evaluate(() => {
      const { prototype } = ServiceWorker;
      // It is put back, not called.
      // oxlint-disable-next-line typescript/unbound-method
      const { postMessage } = prototype;
      prototype.postMessage = () => Object.assign(prototype, { postMessage });
    });
    await button.click();
    await page.getByText('The newer version of Smokescan did not start.').waitFor();
  }
  await button.click();
  await page.locator('body[data-version="2"]').waitFor();
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
  await page.context().close();
  await served.close();
});

test('files that the system opens with the app go where dropped ones go', async () => {
  const { page, complaints } = await app.open();
  await page.addInitScript(() => {
    Object.defineProperty(window, 'launchQueue', {
      value: { setConsumer: (consumer: unknown) => void Object.assign(window, { launched: consumer }) },
    });
  });
  await page.reload();
  await page.waitForFunction(() => 'launched' in window);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle('run.yaml', { create: true });
    const file = await handle.createWritable();
    await file.write('experiment:\n  name: launched\n');
    await file.close();
    const { launched } = window as unknown as { launched: (launch: { files: FileSystemHandle[] }) => void };
    launched({ files: [handle] });
  });
  await page.getByText('launched').first().waitFor();
  expect(new URL(page.url()).hash).toMatch(/^#\/config/);
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
});
