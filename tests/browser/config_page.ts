/** The config page in a browser: how it is opened, and where its parts are. */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { readZip } from '../../src/checkpoints/zip';
import { startApp } from './app';
import { WIDE } from './looks';

export const CRASHED = readFileSync(new URL('../../configs/review/tusz_train.yaml', import.meta.url), 'utf8');
/** Saved files are read alike by all readers of YAML. */
export const SAVED = CRASHED.replace('3e-4', '3.0e-4');

export const tab = (page: Page, name: string | RegExp) => page.getByRole('tab', { name });
export const issues = (page: Page) => page.getByRole('list', { name: 'Issues' }).getByRole('listitem');
export const issue = (page: Page, key: string) => issues(page).filter({ hasText: key });
/** Another issue says of the same key that its memory does not fit. */
export const workers = (page: Page) =>
  issue(page, 'data.num_workers').filter({ hasText: 'under WSL2; write' });
export const editor = (page: Page) => page.getByRole('textbox', { name: 'Text of the configuration' });
const inspected = (page: Page): Promise<void> =>
  page.getByRole('group', { name: 'Show issues by severity' }).waitFor();

/** The page as it is on a first visit, once its file is inspected. */
export async function open(options = {}) {
  const app = await startApp();
  const opened = await app.open('#/config', { ...WIDE, ...options });
  await inspected(opened.page);
  return opened;
}

/** The bytes that a person gets who saves the file that is shown. */
async function savedBytes(page: Page): Promise<Buffer> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: /^Save [^ ]+\.(ya?ml|txt)$/ }).click(),
  ]);
  return readFileSync(await download.path());
}
export const savedText = async (page: Page): Promise<string> => (await savedBytes(page)).toString('utf8');

/** The texts of launch.zip by their paths. */
export async function savedBundle(page: Page): Promise<Map<string, string>> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save launch.zip' }).click(),
  ]);
  const zip = readZip(new Uint8Array(readFileSync(await download.path())));
  return new Map([...zip].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]));
}

interface GivenFile {
  readonly path: string;
  readonly bytes: Uint8Array | string;
}

/** Gives files to the page as if they were chosen in a dialog. */
export const choose = (page: Page, files: readonly GivenFile[]): Promise<void> =>
  page
    .locator('input[type=file]')
    .first()
    .setInputFiles(
      files.map(({ path, bytes }) => ({
        name: path,
        mimeType: 'application/yaml',
        buffer: Buffer.from(bytes),
      })),
    );

/** Drops a file on the page, as from a file manager. */
export async function drop(page: Page, name: string, text: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], name));
      return transfer;
    },
    [name, text] as const,
  );
  await page.locator('h1').dispatchEvent('drop', { dataTransfer });
}

export async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('button', { name: 'New file' }).click();
  await editor(page).click();
  await page.keyboard.insertText(text);
}
