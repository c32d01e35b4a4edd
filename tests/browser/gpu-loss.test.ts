/** A GPU process that is killed again and again: Chromium then gives the page none for two minutes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { webgpuFlags } from '../chromium';
import { FULL } from '../full';
import { startApp, type App } from './app';
import { startKillable, type Killable } from './store/browser';

const SLOW = { timeout: 400_000 };
const RUN =
  '#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=1&batch=1&stepsPerEpoch=60&validationStride=60&checkpoints.everySteps=2&cache=false';

let app: App;
let browser: Killable | undefined;
let profile: string;
beforeAll(async () => {
  app = await startApp();
  profile = mkdtempSync(join(tmpdir(), 'smokescan-loss-'));
});
afterAll(async () => {
  await browser?.kill();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
});

test.skipIf(!FULL || process.platform !== 'linux')(
  'killed three times, the last two within seconds: the page counts down, keeps what it shows and goes on to the end',
  async () => {
    browser = await startKillable(profile, `${app.url}${RUN}`, { args: webgpuFlags(), ready: 'navigator' });
    const opened = browser;
    const { page } = opened;
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByRole('button', { name: 'Start training', exact: true }).click();
    const step = async () => Number(await page.getByTestId('Step').textContent()) || 0;
    const phase = page.getByTestId('phase');
    for (let kills = 1; kills <= 3; kills++) {
      const before = await step();
      await expect.poll(step, { timeout: SLOW.timeout }).toBeGreaterThan(before + 3);
      opened.killGpu();
      await page.getByText(`attempt ${kills} of 5`).waitFor(SLOW);
      const held = phase.filter({ hasText: 'the browser gives none for a while; trying again' });
      const resumed = phase.filter({ hasText: 'Training, epoch' });
      await held.or(resumed).waitFor(SLOW);
      if (await held.isVisible()) {
        await page.getByRole('button', { name: 'Try now' }).waitFor();
        await page.getByRole('button', { name: 'Save the state as a file' }).waitFor();
        expect(await page.getByTestId('Step').textContent()).not.toBe('–');
        expect(await page.locator('option', { hasText: 'synth000' }).count()).toBeGreaterThan(0);
      }
      await resumed.waitFor(SLOW);
    }
    await phase.filter({ hasText: 'All epochs done' }).waitFor(SLOW);
    expect(await step()).toBe(60);
  },
  1_800_000,
);
