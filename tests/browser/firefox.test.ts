/** The app in Firefox, by WebDriver BiDi; where there is no GPU, on Mesa's software driver. */
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linuxHasGpu } from '../../src/cli/node_gpu';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { serve, type Served } from '../built';
import { FULL } from '../full';
import { buildIfStale, giveFiles, PATIENCE, sendable } from './app';
import { PAGES } from './looks';

const LONGEST = 900_000;

/** In PATH; ESR as Debian names it. */
const FIREFOX = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) => ['firefox-esr', 'firefox'].map((name) => join(folder, name)))
  .find((path) => existsSync(path));
if (FULL && FIREFOX === undefined)
  console.warn(
    'The app is not tried in Firefox, which is not installed (on Debian: apt-get install firefox-esr).',
  );

const DRIVERS = '/usr/share/vulkan/icd.d';
const LAVAPIPE = existsSync(DRIVERS)
  ? readdirSync(DRIVERS).find((name) => name.startsWith('lvp_'))
  : undefined;

describe.skipIf(!FULL || FIREFOX === undefined)('Firefox', () => {
  let served: Served;
  let browser: Browser;
  beforeAll(async () => {
    buildIfStale();
    served = await serve();
    const { default: puppeteer } = await import('puppeteer-core');
    browser = await puppeteer.launch({
      browser: 'firefox',
      executablePath: FIREFOX ?? '',
      protocolTimeout: LONGEST,
      extraPrefsFirefox: {
        'dom.webgpu.enabled': true,
        'dom.webgpu.workers.enabled': true,
        // Among what is blocked are software drivers.
        'gfx.webgpu.ignore-blocklist': true,
      },
      env: {
        ...process.env,
        ...(!linuxHasGpu() && LAVAPIPE && { VK_DRIVER_FILES: join(DRIVERS, LAVAPIPE) }),
      },
    });
  });
  afterAll(async () => {
    await browser.close();
    await served.close();
  });

  async function open(hash: string): Promise<{ page: Page; complaints: string[] }> {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${served.url}${hash}`);
    return { page, complaints };
  }

  /** Waits until the page shows a text, or something that is called so. */
  const shows = (page: Page, text: string, timeout = PATIENCE) =>
    page.waitForFunction(
      (wanted) =>
        document.body.innerText.includes(wanted) ||
        document.querySelector(`[aria-label="${wanted}"]`) !== null,
      { timeout, polling: 200 },
      text,
    );

  const press = (page: Page, name: string): Promise<void> =>
    page.evaluate((wanted) => {
      const button = [...document.querySelectorAll('button')].find(
        (one) => one.textContent?.trim() === wanted && one.checkVisibility(),
      );
      if (!button) throw new Error(`There is no button ${wanted}.`);
      button.click();
    }, name);

  const hasGpu = (page: Page): Promise<boolean> =>
    page.evaluate(async () => Boolean(await navigator.gpu?.requestAdapter()));

  test(
    'every page opens without an error',
    async () => {
      for (const [hash, ready] of Object.entries(PAGES)) {
        const { page, complaints } = await open(hash);
        await shows(page, ready);
        expect(complaints, hash).toEqual([]);
        // What goes wrong would be heard of.
        await page.evaluate(() => console.error('heard'));
        await expect.poll(() => complaints).toEqual(['heard']);
        await page.close();
      }
    },
    LONGEST,
  );

  test(
    'a detector is trained on a folder, validated and stored; where WebGPU does not start, the page says so',
    async () => {
      const { page, complaints } = await open(
        '#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=1&batch=1&stepsPerEpoch=3&validationStride=60',
      );
      await shows(page, 'This link contains training settings');
      if (!(await hasGpu(page))) {
        console.warn('WebGPU does not start in this Firefox, so nothing is trained in it.');
        await page.goto(`${served.url}#/demo`);
        await shows(page, 'This browser cannot train: WebGPU is not available.');
        return;
      }
      await press(page, 'Apply');
      const recordings = syntheticCorpus({
        ...{ seed: 3, patients: 3, recordingsPerPatient: 1 },
        ...{ duration: 120, seizures: 1 },
      });
      await page.$eval('input[webkitdirectory]', giveFiles, sendable([...recordings]));
      await shows(page, 'Ready to train');
      await press(page, 'Start training');
      await shows(page, 'All epochs done', LONGEST);
      await shows(page, 'Checkpoint saved at step 3');
      const loss = await page.$eval('[data-testid=Loss]', (element) => Number(element.textContent));
      expect(loss).toBeGreaterThan(0);
      await page.goto(`${served.url}#/runs`);
      await shows(page, 'Width 2, convolution, 1 layer');
      await shows(page, 'completed');
      expect(complaints).toEqual([]);
    },
    LONGEST,
  );
});
