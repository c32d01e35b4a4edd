import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { webgpuFlags } from '../../src/cli/chromium';
import { startApp, type App } from './app';
import { startKillable, type Killable } from './store/browser';

const LONGEST = 900_000;
const SLOW = { timeout: 400_000 };
/** A narrow model whose ten updates take seconds; a checkpoint after every second one. */
const LINK =
  '#/detector?v=1&model.baseChannels=4&model.mixer=conv&model.layers=1&epochs=2&batch=2&stepsPerEpoch=5&validationStride=60&checkpoints.everySteps=2&cache=false';

let app: App;
let profile: string;
beforeAll(async () => {
  app = await startApp();
  profile = mkdtempSync(join(tmpdir(), 'smokescan-resume-'));
});
afterAll(async () => {
  await app.close();
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

interface Kept {
  name: string;
  losses: number[];
  aurocs: unknown[];
  outcome: string | null;
  step: number;
  /** Of the parts of the newest checkpoint, which hold all of its tensors. */
  shards: string[];
}

/** What the store holds, the oldest run first. */
const kept = (page: Page): Promise<Kept[]> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
      });
    const database = await done(indexedDB.open('smokescan-checkpoints'));
    const store = database.transaction('checkpoints').objectStore('checkpoints');
    interface StoredRun {
      id: string;
      name: string;
      created: number;
      last: { number: number; step: number }[];
      summary: {
        losses: number[];
        validations: { scores: { auroc: unknown } }[];
        outcome: string | null;
      };
    }
    const keys = IDBKeyRange.bound('run/', 'run/\uffff');
    const runs = await done(store.getAll(keys) as IDBRequest<StoredRun[]>);
    const found = runs
      .sort((a, b) => a.created - b.created)
      .map(async ({ id, name, last: [newest], summary: { losses, validations, outcome } }) => {
        const manifest = store.get(`manifest/${id}/${newest?.number}`) as IDBRequest<string>;
        const { shards } = JSON.parse(await done(manifest)) as { shards: { sha256: string }[] };
        return {
          name,
          losses,
          aurocs: validations.map(({ scores }) => scores.auroc),
          outcome,
          step: newest?.step ?? 0,
          shards: shards.map(({ sha256 }) => sha256),
        };
      });
    const all = await Promise.all(found);
    database.close();
    return all;
  });

test(
  'a run whose browser is killed goes on from its last checkpoint, to the bit',
  async () => {
    const first = await openApp(LINK);
    await first.page.getByText('Nothing runs before you use them').waitFor();
    await button(first.page, 'Use these settings').click();
    await button(first.page, 'Start training').click();
    await first.page
      .getByTestId('saved')
      .filter({ hasText: /update [4-9]/ })
      .waitFor(SLOW);
    await first.kill();

    const second = await openApp('#/runs');
    const run = second.page.getByRole('article', { name: 'Width 4, convolution, 1 layer' });
    await run.getByTestId('kept').filter({ hasText: 'of 10' }).waitFor();
    const [broken] = await kept(second.page);
    expect(broken?.outcome).toBeNull();
    expect(broken?.step).toBeGreaterThanOrEqual(4);
    expect(broken?.step).toBeLessThan(10);
    await run.getByRole('button', { name: 'Resume' }).click();
    await ended(second.page);
    // The same again, without a break.
    await button(second.page, 'Start training').click();
    await second.page.getByTestId('phase').filter({ hasText: 'Training' }).waitFor(SLOW);
    await ended(second.page);
    const [resumed, unbroken] = await kept(second.page);
    expect(resumed?.step).toBe(10);
    expect(resumed?.outcome).toBe('completed');
    expect(resumed?.losses).toHaveLength(10);
    expect(resumed?.shards.length).toBeGreaterThan(0);
    expect(resumed).toEqual(unbroken);

    // On the page of runs: rename, compare, pin, save, delete.
    await second.page.getByRole('link', { name: 'Runs' }).click();
    const articles = second.page.getByRole('article');
    await expect.poll(() => articles.count()).toBe(2);
    const newest = articles.first();
    await newest.getByLabel('Name of the run').fill('unbroken');
    await newest.getByLabel('Name of the run').press('Enter');
    const renamed = second.page.getByRole('article', { name: 'unbroken' });
    await renamed.waitFor();
    await renamed.getByLabel('compare').check();
    await second.page.getByRole('region', { name: 'Compared runs' }).locator('canvas').waitFor();
    await renamed.getByLabel('pinned').check();
    await renamed.locator('button[aria-disabled=true]', { hasText: 'Delete…' }).waitFor();
    await run.getByRole('button', { name: 'Delete…' }).click();
    await run.getByRole('button', { name: 'Delete', exact: true }).click();
    await run.waitFor({ state: 'detached' });
    await second.page.reload();
    await second.page.getByRole('article', { name: 'unbroken' }).waitFor();
    await expect.poll(() => articles.count()).toBe(1);
  },
  LONGEST,
);

test.skipIf(process.platform !== 'linux')(
  'a run whose GPU process is killed goes on in place',
  async () => {
    const opened = await openApp(LINK);
    const { page } = opened;
    await button(page, 'Use these settings').click();
    await button(page, 'Start training').click();
    await page
      .getByTestId('saved')
      .filter({ hasText: /update [2-9]/ })
      .waitFor(SLOW);
    opened.killGpu();
    await page.getByText('The GPU was lost. The run goes on from update').waitFor(SLOW);
    await ended(page);
    const runs = await kept(page);
    expect(runs.at(-1)).toMatchObject({ step: 10, outcome: 'completed' });
    // The same seed and data as in the runs of the test before.
    expect(runs.at(-1)?.shards).toEqual(runs[0]?.shards);
    expect(runs.at(-1)?.losses).toEqual(runs[0]?.losses);
  },
  LONGEST,
);

test(
  'a damaged checkpoint is named, and the older one is offered and used',
  async () => {
    const { page } = await openApp(LINK.replace('everySteps=2', 'everySteps=1'));
    await button(page, 'Use these settings').click();
    await button(page, 'Start training').click();
    const second = page.getByTestId('saved').filter({ hasText: /update [2-9]/ });
    await second.waitFor(SLOW);
    await button(page, 'Stop').click();
    await page.getByTestId('phase').filter({ hasText: 'Stopped' }).waitFor(SLOW);
    const step = await page.evaluate(async () => {
      const done = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
        });
      const database = await done(indexedDB.open('smokescan-checkpoints'));
      const store = database.transaction('checkpoints', 'readwrite').objectStore('checkpoints');
      interface StoredRun {
        id: string;
        updated: number;
        last: { number: number; step: number }[];
      }
      const keys = IDBKeyRange.bound('run/', 'run/\uffff');
      const [run] = (await done(store.getAll(keys) as IDBRequest<StoredRun[]>)).sort(
        (a, b) => b.updated - a.updated,
      );
      const [newest, older] = run?.last ?? [];
      const key = `shard/${run?.id}/${newest?.number}/0`;
      const shard = await done(store.get(key) as IDBRequest<Uint8Array<ArrayBuffer>>);
      shard[1000] = (shard[1000] ?? 0) ^ 1;
      await done(store.put(shard, key));
      database.close();
      return older?.step;
    });
    await page.getByRole('link', { name: 'Runs' }).click();
    await page.reload();
    await page.getByRole('article').first().getByRole('button', { name: 'Resume' }).click();
    await page
      .getByText(/The checkpoint “last” of the run .* is damaged: shard 1 of \d+ does not have/)
      .waitFor();
    await button(page, `Go on from update ${step}`).click();
    await page.getByTestId('phase').filter({ hasText: 'Training, epoch' }).waitFor(SLOW);
    // What the run has shown before is there again.
    expect(Number(await page.getByTestId('Update').textContent())).toBeGreaterThanOrEqual(step ?? NaN);
    await button(page, 'Stop').click();
    await page.getByTestId('phase').filter({ hasText: 'Stopped' }).waitFor(SLOW);
  },
  LONGEST,
);

test(
  'a page that is hidden keeps its state',
  async () => {
    const { page } = await app.open(
      LINK.replace('everySteps=2', 'everySteps=null&checkpoints.everyMinutes=null'),
    );
    await button(page, 'Use these settings').click();
    await button(page, 'Start training').click();
    await page.getByTestId('phase').filter({ hasText: 'Training, epoch 1' }).waitFor(SLOW);
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { value: true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await page
      .getByTestId('saved')
      .filter({ hasText: /update [1-4]/ })
      .waitFor(SLOW);
    await page
      .getByTestId('saved')
      .filter({ hasText: /the browser (promised|may delete)/ })
      .waitFor();
    await page.context().close();
  },
  LONGEST,
);

test('a link that sets what is no setting is refused with a sentence', async () => {
  const { page, complaints } = await app.open('#/detector?v=1&epochs=1000');
  await page.getByText('Epochs is a whole number from 1 to 200, it is 1000').waitFor();
  expect(complaints).toEqual({ console: [], page: [], foreign: [] });
  await page.context().close();
});
