import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes, percent } from '../../src/app/format';
import { machineOf } from '../../src/app/pages/fit/machine';
import { planOf, wholeRun } from '../../src/app/pages/fit/plan';
import { hours } from '../../src/app/pages/fit/said';
import { setupOf, vramRunOf } from '../../src/app/pages/fit/setup';
import { HOST_RUNS, predictHostRam } from '../../src/estimate/host_predict';
import { GIB } from '../../src/estimate/host_facts';
import { cheapest, largestBatch } from '../../src/estimate/inverse';
import { costsOf, hostPlanOf } from '../../src/estimate/scenario';
import { scenarioTable, withHost } from '../../src/estimate/scenario_table';
import { predictVram, vramTimeline } from '../../src/estimate/vram/predict';
import { PRESETS } from '../../src/production/presets';
import { startApp, type App } from './app';
import { LONG_MILLISECONDS, watchMainThread } from './long-tasks';

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const SILENT = { console: [], page: [], foreign: [] };
/** Simulations take seconds, on a busy machine more. */
const SLOW = { timeout: 120_000 };

const PATH = 'configs/review/tusz_train.yaml';
const text = PRESETS.find(({ name }) => name === PATH)?.text ?? '';
const setup = setupOf(text, PATH, 'wsl2');
const plan = planOf(
  setup,
  machineOf('wsl2'),
  { from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 },
  { card: 'modal-2026-07-01', perKwh: 0.2, watts: null },
);

let app: App;
beforeAll(async () => {
  app = await startApp();
});
afterAll(() => app.close());

declare global {
  var axe: { run(): Promise<AxeResults> };
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run());
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

const answer = (page: Page, name: string) => page.getByTestId(`answer-${name}`);
const total = (batch: number): string => bytes(predictVram({ ...vramRunOf(setup), batch }).total.likely);

test('the figures are the estimator’s, for the file as it is and with what is changed', async () => {
  const { page, complaints } = await app.open('#/fit', { viewport: { width: 1440, height: 900 } });
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(16) })
    .waitFor(SLOW);
  await answer(page, 'Time')
    .filter({ hasText: hours(wholeRun(costsOf(plan), 'hours')?.likely ?? NaN) })
    .waitFor(SLOW);

  const host = predictHostRam(hostPlanOf(plan));
  await page
    .getByTestId('kill-odds')
    .filter({ hasText: percent(host.odds.killed.likely) })
    .filter({ hasText: `${HOST_RUNS} runs` })
    .waitFor(SLOW);
  await page
    .getByTestId('validation-need')
    .filter({ hasText: bytes(host.validation.likely) })
    .waitFor(SLOW);
  await answer(page, 'Host memory').filter({ hasText: host.fits }).waitFor(SLOW);
  expect(host.validation.likely).toBeGreaterThan(61e9);

  await page.getByLabel('Batch', { exact: true }).fill('8');
  await page.getByLabel('Batch', { exact: true }).press('Enter');
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(8) })
    .waitFor(SLOW);
  await answer(page, 'GPU memory')
    .filter({ hasText: `${total(16)} in the file` })
    .waitFor(SLOW);
  await page.getByText('training.batch_size: 8').waitFor();

  await page.getByRole('button', { name: 'Find the largest batch for the card' }).click();
  const largest = largestBatch(plan.settings.vram, plan.gpu);
  await page
    .getByTestId('inverse-batch')
    .filter({ hasText: `batches of ${largest}` })
    .waitFor(SLOW);

  await page.getByRole('button', { name: 'Write these keys into the config' }).click();
  await page.getByText(`training.batch_size changed in ${PATH}`).waitFor(SLOW);
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(8) })
    .waitFor(SLOW);
  await page.getByRole('link', { name: 'Check a config' }).click();
  await page.getByRole('tab', { name: 'Production sees' }).click();
  await page
    .getByRole('row')
    .filter({ hasText: 'training.batch_size' })
    .getByRole('cell', { name: '8', exact: true })
    .first()
    .waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('a step’s memory is read with the keyboard, and sliders leave the page free', async () => {
  const { page, complaints } = await app.open('#/fit', { viewport: { width: 1440, height: 900 } });
  const picture = page.getByRole('slider', { name: 'Memory during one training step' });
  const { points } = vramTimeline(vramRunOf(setup));
  const peak = bytes(predictVram(vramRunOf(setup)).allocated.likely);
  await page.getByTestId('living').filter({ hasText: peak }).waitFor(SLOW);
  await picture.focus();
  await page.keyboard.press('End');
  await page
    .getByTestId('living')
    .filter({ hasText: points.at(-1)?.op ?? '' })
    .waitFor();
  expect(await picture.getAttribute('aria-valuetext')).toContain(
    `operation ${points.length} of ${points.length}`,
  );

  const slider = page.getByLabel('Batch, slider');
  await slider.focus();
  const thread = await watchMainThread(page, async () => {
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    await page
      .getByTestId('vram-total')
      .filter({ hasText: total(22) })
      .waitFor(SLOW);
  });
  expect(thread.mostWorking).toBeLessThan(LONG_MILLISECONDS);
  expect(complaints).toEqual(SILENT);
});

test('the review’s crash plays until the kill, and can be held and moved in', async () => {
  const { page, complaints } = await app.open('#/fit');
  await page.getByRole('button', { name: 'Replay the crash' }).click(SLOW);
  await page.getByRole('button', { name: 'Pause', exact: true }).click(SLOW);
  const moment = page.getByLabel('Moment of the replay');
  const held = await moment.inputValue();
  expect(await page.getByTestId('kill').textContent()).not.toMatch(/kills/);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => Number(await moment.inputValue())).toBeGreaterThan(Number(held));
  await page
    .getByTestId('kill')
    .filter({ hasText: /After \d+ batches .* kills worker \d/ })
    .waitFor(SLOW);
  await moment.fill('0');
  await expect.poll(() => page.getByTestId('kill').textContent()).not.toMatch(/kills/);
  expect(complaints).toEqual(SILENT);
});

test('a run’s own measurement calibrates the prediction, also for another batch', async () => {
  const { page, complaints } = await app.open('#/fit');
  const run = vramRunOf(setup);
  const allocated = Math.round(1.3 * predictVram(run).allocated.likely);
  const calibrated = (batch: number): string =>
    bytes(predictVram({ ...run, batch, measurement: { run, allocated } }).total.likely);
  await page.getByLabel('torch.cuda.max_memory_allocated()').fill(String(allocated));
  await page.getByRole('button', { name: 'Calibrate' }).click();
  const shown = page.getByTestId('vram-total');
  await shown.filter({ hasText: calibrated(16) }).waitFor(SLOW);
  expect(calibrated(16)).not.toBe(total(16));
  await page.getByText(/The measurement multiplies saved tensors, .* by 1\.\d\d/).waitFor(SLOW);
  await page.getByLabel('Batch', { exact: true }).fill('8');
  await page.getByLabel('Batch', { exact: true }).press('Enter');
  await shown.filter({ hasText: calibrated(8) }).waitFor(SLOW);
  await page.getByRole('button', { name: 'Without it' }).click();
  await shown.filter({ hasText: total(8) }).waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('RAM is moved with the keyboard, and the odds and the cheapest plan follow', async () => {
  const { page, complaints } = await app.open('#/fit');
  await answer(page, 'Host memory').filter({ hasText: 'does not fit' }).waitFor(SLOW);
  const ram = page.getByRole('slider', { name: 'RAM, slider' });
  await ram.focus();
  await page.keyboard.press('End');
  expect(await ram.getAttribute('aria-valuetext')).toBe('256 GiB');
  await answer(page, 'Host memory')
    .filter({ hasText: /fits 256.GiB/ })
    .waitFor(SLOW);
  const scenarios = page.getByTestId('scenarios');
  const own = scenarios.getByRole('row', { name: /^WSL2, RTX 4090/ });
  await own.filter({ hasText: 'of 256 GiB' }).waitFor(SLOW);
  const needed = scenarioTable({ ...plan, ramBytes: 256 * GIB }).map(withHost);
  const linux = needed.find(({ title }) => title === 'Linux, RTX 4090');
  await scenarios
    .getByRole('row', { name: /^Linux/ })
    .filter({ hasText: `it needs ${bytes(linux?.host.needs)}` })
    .waitFor(SLOW);
  await page.getByRole('spinbutton', { name: 'Deadline, h' }).fill('1000');
  await page.getByRole('spinbutton', { name: 'Deadline, h' }).press('Enter');
  await page.getByRole('button', { name: 'Find the cheapest plan' }).click();
  await page
    .getByTestId('inverse-plan')
    .filter({ hasText: `${cheapest(needed, 1000)?.title}: all 100 epochs in` })
    .waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('on a phone, without motion and in the dark nothing is cut off', async () => {
  const { page, complaints } = await app.open('#/fit', {
    ...PHONE,
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  });
  await page.getByTestId('scenarios').waitFor(SLOW);
  await page.getByRole('button', { name: 'Replay the crash' }).click();
  // Nothing moves by itself: the end is there at once.
  await page.getByTestId('kill').filter({ hasText: /kills/ }).waitFor(SLOW);
  expect(await page.getByRole('button', { name: 'Pause', exact: true }).count()).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - screen.width)).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual(SILENT);
});
