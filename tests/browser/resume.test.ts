import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Random } from '../../src/base/random';
import { write } from '../../src/checkpoints/safetensors';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { readState } from '../../src/checkpoints/state_file';
import { webgpuFlags } from '../chromium';
import { FULL } from '../full';
import { chooseFolder, newProfile, startApp, type App } from './app';
import { startKillable, type Killable } from './store/browser';
import { damageNewest, kept } from './stored_runs';

const LONGEST = 900_000;
const SLOW = { timeout: 400_000 };
/** Updates of an epoch. */
const UPDATES = 20;
/** The narrowest model, two epochs, a checkpoint after each. */
const linkOf = ({ epochs = 2, updates = UPDATES, every = UPDATES }): string =>
  `#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=${epochs}&batch=1&stepsPerEpoch=${updates}&validationStride=60&checkpoints.everySteps=${every}&cache=false`;

let app: App;
let profile: string;
beforeAll(async () => {
  app = await startApp();
  profile = mkdtempSync(join(tmpdir(), 'smokescan-resume-'));
});
afterAll(async () => {
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
let browser: Killable | undefined;
afterEach(() => browser?.kill());

/** In a browser of its own, always on the same profile. */
async function openApp(hash: string): Promise<Killable> {
  browser = await startKillable(profile, `${app.url}${hash}`, { args: webgpuFlags(), ready: 'navigator' });
  return browser;
}

const ended = (page: Page) => page.getByTestId('phase').filter({ hasText: 'All epochs done' }).waitFor(SLOW);

/** Three short recordings, opened as a folder. */
const openFolder = (page: Page): Promise<void> =>
  chooseFolder(page, [
    ...syntheticCorpus({ seed: 3, patients: 3, recordingsPerPatient: 1, duration: 180, seizures: 1 }),
  ]);

async function start(page: Page): Promise<void> {
  await button(page, 'Apply').click();
  await button(page, 'Start training').click();
}

/** Waits until the page says that the checkpoint of a step that matches is saved. */
const saved = (page: Page, step: RegExp) =>
  page
    .getByTestId('saved')
    .filter({ hasText: new RegExp(`step ${step.source}\\b`) })
    .waitFor(SLOW);

/** What a person does who deletes the data of the site. */
const clearStore = (page: Page): Promise<void> =>
  page.evaluate(
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

/** The browser's own picker cannot be driven; a private folder of the page stands in for what it gives. */
async function keepCopies(page: Page): Promise<void> {
  await page.evaluate(() =>
    Object.assign(window, {
      showDirectoryPicker: async () =>
        (await navigator.storage.getDirectory()).getDirectoryHandle('copies', { create: true }),
    }),
  );
  await button(page, 'Keep copies in a folder').click();
}

/** What that folder holds. */
const copiedRuns = (page: Page) =>
  page.evaluate(async () => {
    const root = await (await navigator.storage.getDirectory()).getDirectoryHandle('copies');
    const runs: { outcome: unknown; files: string[] }[] = [];
    for await (const folder of root.values()) {
      if (!(folder instanceof FileSystemDirectoryHandle)) continue;
      const files: string[] = [];
      for await (const name of folder.keys()) files.push(name);
      const record = await (await folder.getFileHandle('run.json')).getFile();
      const { summary } = JSON.parse(await record.text()) as { summary: { outcome: unknown } };
      runs.push({ outcome: summary.outcome, files });
    }
    return runs;
  });

// Faults one by one, in a sample of the campaign, are quicker; this has all of them in one run, and the copies.
test.skipIf(!FULL || process.platform !== 'linux')(
  'a run whose browser and GPU process are killed and whose checkpoint is damaged ends as an unbroken one, to the bit',
  async () => {
    const first = await openApp('#/runs');
    await keepCopies(first.page);
    await first.page.getByText('0 runs copied to the folder “copies”').waitFor();
    await first.page.goto(`${app.url}${linkOf({ every: UPDATES / 2 })}`);
    await first.page.getByText('This link contains training settings').waitFor();
    await openFolder(first.page);
    await start(first.page);
    // The first epoch is done.
    await saved(first.page, /[23]0/);
    await first.kill();

    const opened = await openApp('#/runs');
    const { page } = opened;
    const run = page.getByRole('article', { name: 'Width 2, convolution, 1 layer' });
    const [broken] = await kept(page);
    expect(broken?.step).toBeGreaterThanOrEqual(UPDATES);
    expect(broken?.outcome).toBe(null);
    await run
      .getByTestId('checkpoint')
      .filter({ hasText: `step ${broken?.step} of ${2 * UPDATES}` })
      .waitFor();
    const older = await damageNewest(page);
    await page.goto(`${app.url}#/train`);
    await openFolder(page);
    await page.getByRole('row', { name: /synth002.* 3:00/ }).waitFor();
    await page.getByRole('link', { name: 'Runs' }).click();
    await run.getByRole('button', { name: 'Resume' }).click();
    // Where the copy was not written before the browser was killed, the page of runs says the same of it.
    const dialog = page.getByRole('dialog');
    await dialog
      .getByText(/The checkpoint “last” of the run .* is damaged: shard 1 of \d+ does not have/)
      .waitFor();
    await button(page, `Resume from step ${older}`).click();
    await page.getByTestId('phase').filter({ hasText: 'Training, epoch' }).waitFor(SLOW);
    // What the run has shown before is there again.
    expect(Number(await page.getByTestId('Step').textContent())).toBeGreaterThanOrEqual(older ?? NaN);
    await saved(page, new RegExp(`${1.5 * UPDATES}`));
    opened.killGpu();
    await page.getByText('The GPU was lost. Training resumes from step').waitFor(SLOW);
    await ended(page);

    // The same again, without a break.
    await page.goto(`${app.url}${linkOf({})}`);
    await page.getByText('This link contains training settings').waitFor();
    await start(page);
    await page.getByTestId('phase').filter({ hasText: 'Training' }).waitFor(SLOW);
    await ended(page);
    const [resumed, unbroken] = await kept(page);
    expect(resumed?.step).toBe(2 * UPDATES);
    expect(resumed?.outcome).toBe('completed');
    expect(resumed?.losses).toHaveLength(2 * UPDATES);
    expect(resumed?.aurocs).toHaveLength(2);
    expect(resumed?.shards.length).toBeGreaterThan(0);
    expect(resumed).toEqual(unbroken);

    // The folder has copies of both, as they ended; the store, once deleted, is made anew from there.
    const copies = await copiedRuns(page);
    expect(copies.map(({ outcome }) => outcome)).toEqual(['completed', 'completed']);
    for (const { files } of copies) expect(files.length).toBeGreaterThan(2);
    await clearStore(page);
    await page.goto(`${app.url}#/runs`);
    await page.reload();
    await page.getByText(/^Put back from the folder “copies”: “Width 2, .*”, “Width 2, .*”\.$/).waitFor();
    expect(await kept(page)).toEqual([resumed, unbroken]);
  },
  LONGEST,
);

test(
  `in a private window with a full disk: training continues, it is told once, the state is saved as a file, room is made${FULL ? '; what is deleted is stored anew and offered, what is damaged is not' : ''}`,
  async () => {
    const context = await newProfile(app.browser);
    const page = await context.newPage();
    const { origin } = new URL(app.url);
    // Chromium remembers how much room an origin has, so a limit comes first.
    const session = await context.newCDPSession(page);
    const limit = (quotaSize: number) =>
      session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
    await limit(2e6);
    await page.goto(`${app.url}#/runs`);
    const open = (name: string, buffer: Buffer) =>
      page.getByLabel('Open a checkpoint').setInputFiles({ name, mimeType: '', buffer });
    // Chromium compresses what it stores, so the weights are random.
    const random = new Random(1);
    const data = Float32Array.from({ length: 430_000 }, () => random.uniform());
    const weights = { dtype: 'F32', shape: [data.length], data } as const;
    const old = Buffer.from(write(new Map([['weight', weights]])));
    await open('old.safetensors', old);
    const oldRun = page.getByRole('article', { name: 'old.safetensors' });
    await oldRun.getByTestId('checkpoint').filter({ hasText: 'step 0' }).waitFor();
    await limit(1.8e6);
    await open('more.safetensors', old);
    await page
      .getByRole('alert')
      .filter({ hasText: /There is no room for .*Delete old runs/ })
      .waitFor();
    expect(await page.getByRole('article').count()).toBe(1);

    /** A page that is hidden may be closed without notice, so it keeps its state. */
    const hide = () =>
      page.evaluate(() => {
        Object.defineProperty(document, 'hidden', { value: true, configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
    const phase = (text: string | RegExp) =>
      page.getByTestId('phase').filter({ hasText: text }).waitFor(SLOW);
    const update = async () => Number(await page.getByTestId('Step').textContent());
    // So long that it is not over before it is paused.
    await page.goto(`${app.url}${linkOf({ epochs: 100, updates: 20 })}`);
    await openFolder(page);
    await start(page);
    await phase('Training, epoch');
    await hide();
    const notice = page.getByRole('status').filter({ hasText: /There is no room for .* Training continues/ });
    await notice.waitFor(SLOW);
    const told = await update();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      button(page, 'Save the state as a file').click(),
    ]);
    const file = readFileSync(await download.path());
    const { progress } = readState(new Uint8Array(file));
    expect(progress.step).toBeGreaterThanOrEqual(1);
    await button(page, 'Dismiss').click();
    await expect.poll(update, SLOW).toBeGreaterThan(told);
    // A pause would keep the state too.
    await button(page, 'Pause').click();
    await phase('Paused');
    expect(await notice.count()).toBe(0);
    expect(await page.getByTestId('saved').count()).toBe(0);

    await page.getByRole('link', { name: 'Runs' }).click();
    await oldRun.getByRole('button', { name: 'Delete…' }).click();
    await oldRun.getByRole('button', { name: 'Delete', exact: true }).click();
    await oldRun.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Train', exact: true }).click();
    await button(page, 'Resume').click();
    await phase('Training, epoch');
    await hide();
    await saved(page, /[1-9][\d,]*/);
    await page
      .getByTestId('saved')
      .getByTitle('may be evicted if disk space runs low, or when a private window closes')
      .waitFor();

    // What was saved as a file becomes a run that can be gone on with; the one that is under way is not deleted.
    await button(page, 'Pause').click();
    await phase('Paused');
    await page.getByRole('link', { name: 'Runs' }).click();
    const name = 'Width 2, convolution, 1 layer';
    await page.getByRole('link', { name: /^Training paused at step \d+ of 2,000$/ }).waitFor();
    expect(await page.title()).toMatch(/^Training paused at step \d+ of 2,000 · Runs/);
    const other = await context.newPage();
    await other.goto(`${app.url}#/runs`);
    for (const [tab, status] of [
      [page, 'training'],
      [other, 'training in another tab'],
    ] as const) {
      const training = tab.getByRole('article', { name });
      await training.getByText(status, { exact: true }).waitFor();
      await training.locator('button[aria-disabled=true]', { hasText: 'Delete…' }).waitFor();
      expect(await training.getByRole('button', { name: 'Resume' }).count()).toBe(0);
    }
    await other.close();
    await open('run.state.safetensors', file);
    const imported = page.getByRole('article', { name: 'run.state.safetensors' });
    await imported
      .getByTestId('checkpoint')
      .filter({ hasText: `step ${progress.step} of 2,000` })
      .waitFor();
    await imported.getByRole('button', { name: 'Resume' }).waitFor();

    // All is saved, so that leaving asks nothing; what is trained after that would be lost.
    await page.getByRole('link', { name: 'Train', exact: true }).click();
    /** Whether the page asks before it is left. */
    const asks = () =>
      page.evaluate(() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true })));
    expect(await asks()).toBe(false);
    const before = await update();
    await button(page, 'Resume').click();
    await expect.poll(update, SLOW).toBeGreaterThan(before);
    expect(await asks()).toBe(true);

    // A store that is cleared and a damaged checkpoint are among the faults of faults/, but for what the page says of them.
    if (!FULL) return;
    // The data of the page is deleted meanwhile.
    await clearStore(page);
    await hide();
    await page
      .getByText(/The stored data of this run was deleted. It is stored anew from step \d+/)
      .waitFor(SLOW);
    const anew = await update();
    await expect.poll(update, SLOW).toBeGreaterThan(anew);
    await button(page, 'Pause').click();
    await phase('Paused');
    const step = await update();
    await expect.poll(async () => (await kept(page)).map((run) => run.step), SLOW).toEqual([step]);

    // The next visit offers it, though its newest checkpoint is damaged.
    const whole = await damageNewest(page);
    await page.goto('about:blank');
    await page.goto(`${app.url}#/train`);
    const offer = page.getByRole('region', { name: 'Interrupted run' });
    await offer.getByText(`was interrupted after step ${step} of 2,000`).waitFor();
    await openFolder(page);
    await button(page, 'Resume the run').click();
    await page
      .getByRole('dialog')
      .getByText(/The checkpoint “last” of the run .* is damaged: shard 1 of \d+ does not have/)
      .waitFor();
    await button(page, `Resume from step ${whole}`).click();
    await offer.waitFor({ state: 'detached' });
    await phase('Training, epoch');
  },
  LONGEST,
);

test('a link that sets what is no setting is rejected with a sentence', async () => {
  const { page, complaints } = await app.open('#/train?v=1&epochs=1000');
  await page.getByText('The link sets epochs to "1000"; it must be a whole number from 1 to 200').waitFor();
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
});
