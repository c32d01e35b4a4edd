/** A GPU process that is killed again and again: Chromium then gives the page none for two minutes, and after the third time none at all. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readState } from '../../src/checkpoints/state_file';
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
  'killed three times, the last two within seconds: the page counts down and goes on, then says that the browser has to be started anew, and goes on there',
  async () => {
    const open = () =>
      startKillable(profile, `${app.url}${RUN}`, { args: webgpuFlags(), ready: 'navigator' });
    const opened = (browser = await open());
    const { page } = opened;
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByRole('button', { name: 'Start training', exact: true }).click();
    const step = async () => Number(await page.getByTestId('Step').textContent()) || 0;
    const phase = page.getByTestId('phase');
    const held = phase.filter({ hasText: 'the browser gives none for a while; trying again' });
    const resumed = phase.filter({ hasText: 'Training, epoch' });
    /** Kills the GPU's process while it trains. */
    const kill = async (kills: number) => {
      const before = await step();
      await expect.poll(step, { timeout: SLOW.timeout }).toBeGreaterThan(before + 3);
      opened.killGpu();
      await page.getByText(`attempt ${kills} of 5`).waitFor(SLOW);
    };
    await kill(1);
    await resumed.waitFor(SLOW);
    await kill(2);
    // On a slow machine compiling anew takes longer than the browser remembers the first loss.
    await held.or(resumed).waitFor(SLOW);
    if (await held.isVisible()) {
      await page.getByRole('button', { name: 'Try now' }).waitFor();
      await page.getByRole('button', { name: 'Save the state as a file' }).waitFor();
      expect(await page.getByTestId('Step').textContent()).not.toBe('–');
      expect(await page.locator('option', { hasText: 'synth000' }).count()).toBeGreaterThan(0);
    }
    await resumed.waitFor(SLOW);
    await kill(3);
    // Chromium gives no GPU after the third loss.
    await held.waitFor(SLOW);
    const dialog = page.getByRole('dialog');
    await dialog.getByText('until it is started anew: close all its windows').waitFor(SLOW);
    const [, reached] =
      /The state of step (\d+) is stored in this browser/.exec(await dialog.innerText()) ?? [];
    expect(Number(reached)).toBeGreaterThan(0);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Save the state as a file' }).click(),
    ]);
    const { progress } = readState(new Uint8Array(readFileSync(await file.path())));
    expect(progress.step).toBe(Number(reached));
    await opened.kill();

    browser = await open();
    const again = browser.page;
    const offer = again.getByRole('region', { name: 'Interrupted run' });
    await offer.getByText(`after step ${reached} of 60`).waitFor(SLOW);
    await offer.getByRole('button', { name: 'Resume the run' }).click();
    await again.getByTestId('phase').filter({ hasText: 'All epochs done' }).waitFor(SLOW);
    expect(await again.getByTestId('Step').textContent()).toContain('60');
  },
  1_800_000,
);
