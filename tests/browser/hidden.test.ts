/**
 * A tab behind another, which headless Chromium does not have: a window of Chromium on a display in memory (Xvfb). Driven by
 * puppeteer, since playwright keeps every page visible.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'puppeteer-core';
import { afterAll, describe, expect, test } from 'vitest';
import { serve, type Served } from '../built';
import { findChromium, webgpuFlags } from '../chromium';
import { FULL } from '../full';
import { buildIfStale } from './app';

const LONGEST = 900_000;
/** Milliseconds of training that are counted in each turn. */
const TURN = 15_000;

const hasXvfb = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => existsSync(join(folder, 'Xvfb')));
if (FULL && !hasXvfb)
  console.warn('No tab is hidden behind another: Xvfb is not installed (on Debian: apt-get install xvfb).');

/** Playwright and puppeteer give them, so that a browser in the background is as fast. */
const KEEP_AWAKE = [
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
];

describe.skipIf(!FULL || !hasXvfb)('a tab behind another', () => {
  let served: Served | undefined;
  let display: ChildProcess | undefined;
  let browser: Browser | undefined;
  afterAll(async () => {
    await browser?.close();
    display?.kill();
    await served?.close();
  });

  /** Starts Xvfb on a number that is free. */
  async function startDisplay(): Promise<string> {
    const started = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '1300x900x24'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    });
    display = started;
    return new Promise((resolve, reject) => {
      started.once('error', reject);
      started.once('exit', () => reject(new Error('Xvfb ended.')));
      started.stdio[3]?.once('data', (number) => resolve(`:${String(number).trim()}`));
    });
  }

  const press = async (page: Page, name: string): Promise<void> => {
    const button = await page.locator(`::-p-aria([role="button"][name="${name}"])`).waitHandle();
    await page.waitForFunction((element) => element.ariaDisabled !== 'true', {}, button);
    await button.evaluate((element) => (element as HTMLElement).click());
  };

  const steps = (page: Page): Promise<number> =>
    page.evaluate(() =>
      Number(document.querySelector('[data-testid=Step]')?.textContent?.replaceAll(/\D/g, '') ?? 0),
    );

  test(
    'trains as fast as one in sight',
    async () => {
      buildIfStale();
      served = await serve();
      const { default: puppeteer } = await import('puppeteer-core');
      browser = await puppeteer.launch({
        executablePath: findChromium() ?? '',
        headless: false,
        env: { ...process.env, DISPLAY: await startDisplay() },
        ignoreDefaultArgs: KEEP_AWAKE,
        args: [...webgpuFlags(), '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-sync'],
        protocolTimeout: LONGEST,
      });
      const [page] = (await browser.pages()) as [Page];
      await page.goto(
        `${served.url}#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=100&batch=1&stepsPerEpoch=2000&cache=false`,
      );
      await press(page, 'Apply');
      await press(page, 'Start training');
      await expect.poll(() => steps(page), { timeout: LONGEST, interval: 500 }).toBeGreaterThan(2);
      const other = await browser.newPage();

      // In turns, so that what else the machine does is done to both.
      const done = { visible: 0, hidden: 0 };
      for (let turn = 0; turn < 6; turn++) {
        const wanted = turn % 2 === 0 ? 'visible' : 'hidden';
        await (wanted === 'visible' ? page : other).bringToFront();
        await expect.poll(() => page.evaluate(() => document.visibilityState)).toBe(wanted);
        const before = await steps(page);
        await sleep(TURN);
        done[wanted] += (await steps(page)) - before;
      }
      console.log(`steps in ${(3 * TURN) / 1000} s: ${done.visible} visible, ${done.hidden} hidden`);
      expect(done.hidden).toBeGreaterThan(0.5 * done.visible);
    },
    LONGEST,
  );
});
