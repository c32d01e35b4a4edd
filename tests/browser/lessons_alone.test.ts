import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preview, type PreviewServer } from 'vite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { build } from '../built';
import { startApp, type App } from './app';
import { SILENT } from './looks';

const root = join(import.meta.dirname, '../..');
const built = mkdtempSync(join(tmpdir(), 'smokescan-lessons-'));

/** What a page opens files of the machine with: the field of a form, pickers, drops, readers. */
const OPENS_FILES =
  /type="file"|show\w+Picker|webkitGetAsEntry|getAsFile|getAsFileSystemHandle|FileReader|dataTransfer/;

let app: App;
let server: PreviewServer;
beforeAll(async () => {
  app = await startApp();
  const config = join(root, 'vite.lessons.config.ts');
  build('--config', config, '--outDir', built, '--emptyOutDir');
  server = await preview({
    configFile: config,
    logLevel: 'warn',
    build: { outDir: built },
    preview: { port: 0, strictPort: false, host: '127.0.0.1' },
  });
});
afterAll(async () => {
  await server.close();
  rmSync(built, { recursive: true });
});

test('the lessons alone hold no code that opens files', () => {
  for (const source of ['src/app/ui/FileButton.svelte', 'src/app/ui/dropped.ts', 'src/app/App.svelte'])
    expect(readFileSync(join(root, source), 'utf8'), source).toMatch(OPENS_FILES);
  const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(js|html)$/.test(name),
  );
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) expect(readFileSync(join(built, file), 'utf8'), file).not.toMatch(OPENS_FILES);
});

test('another site may frame the lessons, and they work there; the app it may not', async () => {
  const lessons = `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}/`;
  const context = await app.browser.newContext();
  const complaints = { console: [] as string[], page: [] as string[], foreign: [] };
  context.on('weberror', (error) => complaints.page.push(String(error.error())));
  const page = await context.newPage();
  const refused: string[] = [];
  page.on('console', (message) => {
    if (message.text().includes('frame-ancestors')) refused.push(message.text());
    else if (['error', 'warning'].includes(message.type())) complaints.console.push(message.text());
  });
  // Another port is another origin; a response of a route would be of no address, which may frame nothing local.
  const site = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end(
      `<iframe id="lessons" src="${lessons}#/learn/scan-tree/1"></iframe><iframe id="app" src="${app.url}"></iframe>`,
    );
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  await page.goto(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  const frame = page.frameLocator('#lessons');
  await frame.getByRole('radio').first().check();
  await frame.getByRole('button', { name: 'That’s my guess' }).click();
  await frame.getByTestId('reveal').waitFor();
  await frame.getByRole('link', { name: 'How Mamba works' }).click();
  await frame.getByText('3 of 3 right here').first().waitFor();
  await expect.poll(() => refused.length).toBeGreaterThan(0);
  expect(await page.frameLocator('#app').getByRole('navigation').count()).toBe(0);
  expect(complaints).toEqual(SILENT);
  site.close();
});
