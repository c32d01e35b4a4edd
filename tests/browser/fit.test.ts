import { readFile as readFileText } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { bytes, percent, short } from '../../src/app/ui/format';
import { givenLengths, lengthsView } from '../../src/app/pages/fit/ram_view';
import { planOf } from '../../src/app/pages/fit/plan';
import { readFile, settingsOf } from '../../src/app/pages/fit/settings';
import { hours } from '../../src/app/pages/fit/text';
import { openRecordings } from '../../src/eeg/windows/dataset';
import { pairFiles } from '../../src/eeg/files/recording';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { predictRam } from '../../src/estimate/ram_predict';
import { cheapest, largestBatch } from '../../src/estimate/what_fits';
import { costsOf, ramPlanOf, loadingOf } from '../../src/estimate/scenario';
import { scenarioTable, withRam } from '../../src/estimate/scenario_table';
import { predictVram, vramTimeline } from '../../src/estimate/vram/predict';
import { MACHINES } from '../../src/config/targets';
import { PRESETS } from '../../src/config/presets';
import { chooseFolder, startApp, type App } from './app';
import { fullTest } from '../full';
import { overflow, PHONE, SILENT, violations } from './looks';
import { longestTask } from './long-tasks';

/** Simulations take seconds, on a busy machine more. */
const SLOW = { timeout: 120_000 };

const PATH = 'configs/review/tusz_train.yaml';
const text = PRESETS.find(({ name }) => name === PATH)?.text ?? '';
const settings = settingsOf(readFile(text, PATH, 'wsl2'));
const plan = planOf(
  settings,
  MACHINES.wsl2,
  { from: 'later', typed: 1, smokeSeconds: 600, smokeWindows: 1000 },
  { card: 'modal-2026-07-01', perKwh: null, watts: null },
);

let app: App;
beforeAll(async () => {
  app = await startApp();
});

/** A run of three updates of one window, of the narrowest model. */
const SMALLEST =
  '#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=1&batch=1&stepsPerEpoch=3&validationStride=60';

/** Shows a part of the answers. */
const show = (page: Page, name: string): Promise<void> =>
  page.getByRole('tab', { name, exact: true }).click(SLOW);

const answer = (page: Page, name: string) => page.getByTestId(`answer-${name}`);
const total = (batch: number): string => bytes(predictVram({ ...settings.vram, batch }).total.likely);

test('the figures are the estimator’s, for the file as it is and with what is changed', async () => {
  const { page, complaints } = await app.open('#/resources', { viewport: { width: 1440, height: 900 } });
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(16) })
    .waitFor(SLOW);
  await answer(page, 'Time')
    .filter({ hasText: hours(costsOf(plan).at(-1)?.hours.likely ?? NaN) })
    .waitFor(SLOW);

  const ram = predictRam(ramPlanOf(plan));
  await show(page, 'System RAM');
  await page
    .getByTestId('kill-odds')
    .filter({ hasText: percent(ram.odds.killed.likely) })
    .waitFor(SLOW);
  await page
    .getByTestId('validation-need')
    .filter({ hasText: bytes(ram.validation.likely) })
    .waitFor(SLOW);
  await answer(page, 'System RAM')
    .filter({ hasText: `${ram.fits.replace("'", '’')} in` })
    .waitFor(SLOW);
  expect(ram.validation.likely).toBeGreaterThan(61e9);

  await show(page, 'GPU memory');
  await page.getByLabel('Batch size', { exact: true }).fill('8');
  await page.getByLabel('Batch size', { exact: true }).press('Enter');
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(8) })
    .waitFor(SLOW);
  await answer(page, 'GPU memory')
    .filter({ hasText: `${total(16)} in the file` })
    .waitFor(SLOW);
  await page.getByText('training.batch_size: 8').waitFor();
  // A number out of bounds is refused in a sentence, and what has no bound is taken.
  await page.getByLabel('Batch size', { exact: true }).fill('300');
  await page.getByLabel('Batch size', { exact: true }).press('Enter');
  await page.getByText('300 is not taken: it has to be a whole number from 1 to 256.').waitFor();
  expect(await page.getByLabel('Batch size', { exact: true }).inputValue()).toBe('8');
  await page.getByLabel('Prefetch factor', { exact: true }).fill('100');
  await page.getByLabel('Prefetch factor', { exact: true }).press('Enter');
  await page.getByText('data.prefetch_factor: 100').waitFor();
  await page.getByLabel('Prefetch factor', { exact: true }).fill('2');
  await page.getByLabel('Prefetch factor', { exact: true }).press('Enter');
  await page.getByText('data.prefetch_factor: 100').waitFor({ state: 'detached' });

  await show(page, 'Find limits');
  const largest = largestBatch(plan.settings.vram, plan.machine.gpu);
  await page
    .getByTestId('inverse-batch')
    .filter({ hasText: `a batch size of ${largest}` })
    .waitFor(SLOW);

  await page.getByRole('button', { name: 'Write to config' }).click();
  await page.getByText(`training.batch_size changed in ${PATH}`).waitFor(SLOW);
  await show(page, 'GPU memory');
  await page
    .getByTestId('vram-total')
    .filter({ hasText: total(8) })
    .waitFor(SLOW);
  await page.getByRole('link', { name: 'Config', exact: true }).click();
  await page.getByRole('tab', { name: 'Parsed values' }).click();
  await page
    .getByRole('row')
    .filter({ hasText: 'training.batch_size' })
    .getByRole('cell', { name: '8', exact: true })
    .first()
    .waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('a step’s memory is read with the keyboard, sliders leave the page free, and the review’s crash plays until the kill', async () => {
  const { page, complaints } = await app.open('#/resources', { viewport: { width: 1440, height: 900 } });
  const picture = page.getByRole('slider', { name: 'Memory during one training step' });
  const { points } = vramTimeline(settings.vram);
  const peak = bytes(predictVram(settings.vram).allocated.likely);
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

  // What the page computes at first is there before it is asked for more.
  await show(page, 'System RAM');
  await page.getByRole('heading', { name: 'Outcome of 40 simulated runs' }).waitFor(SLOW);
  await page.getByRole('slider', { name: 'System RAM during validation' }).waitFor(SLOW);
  await show(page, 'GPU memory');
  const slider = page.getByLabel('Batch size, slider');
  await slider.focus();
  const longest = await longestTask(page, async () => {
    for (let i = 0; i < 6; i++) await page.keyboard.press('ArrowRight');
    await page
      .getByTestId('vram-total')
      .filter({ hasText: total(22) })
      .waitFor(SLOW);
  });
  expect(longest).toBeLessThan(1);

  // The review's crash plays until the kill, and can be held and moved in.
  await page.goto(`${app.url}#/resources/crash`);
  await page.getByRole('button', { name: 'Replay the crash' }).click(SLOW);
  await page.getByRole('button', { name: 'Pause', exact: true }).click(SLOW);
  const moment = page.getByLabel('Moment of the replay');
  const held = Number(await moment.inputValue());
  expect(await page.getByTestId('kill').textContent()).not.toMatch(/kills/);
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await expect.poll(async () => Number(await moment.inputValue())).toBeGreaterThan(held);
  await moment.fill(String(0.9 * Number(await moment.getAttribute('max'))));
  await page
    .getByTestId('kill')
    .filter({ hasText: /after \d+ batches .* kills worker \d/ })
    .waitFor(SLOW);
  await moment.fill('0');
  await expect.poll(() => page.getByTestId('kill').textContent()).not.toMatch(/kills/);
  expect(complaints).toEqual(SILENT);
});

test('a run’s own measurement calibrates the prediction, also for another batch', async () => {
  const { page, complaints } = await app.open('#/resources');
  const run = settings.vram;
  const allocated = Math.round(1.3 * predictVram(run).allocated.likely);
  const calibrated = (batch: number): string =>
    bytes(predictVram({ ...run, batch, measurement: { run, allocated } }).total.likely);
  await page.getByLabel('torch.cuda.max_memory_allocated()').fill(String(allocated));
  await page.getByRole('button', { name: 'Calibrate' }).click();
  const shown = page.getByTestId('vram-total');
  await shown.filter({ hasText: calibrated(16) }).waitFor(SLOW);
  expect(calibrated(16)).not.toBe(total(16));
  await page.getByText(/The measurement multiplies saved tensors, .* by 1\.\d\d/).waitFor(SLOW);
  await page.getByLabel('Batch size', { exact: true }).fill('8');
  await page.getByLabel('Batch size', { exact: true }).press('Enter');
  await shown.filter({ hasText: calibrated(8) }).waitFor(SLOW);
  await page.getByRole('button', { name: 'Remove calibration' }).click();
  await shown.filter({ hasText: total(8) }).waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

test('RAM is moved with the keyboard, and the odds and the cheapest plan follow', async () => {
  const { page, complaints } = await app.open('#/resources');
  await answer(page, 'System RAM').filter({ hasText: 'won’t fit' }).waitFor(SLOW);
  const ram = page.getByRole('slider', { name: 'RAM, slider' });
  await ram.focus();
  await page.keyboard.press('End');
  expect(await ram.getAttribute('aria-valuetext')).toBe('256 GiB');
  await answer(page, 'System RAM')
    .filter({ hasText: /fits in 256.GiB/i })
    .waitFor(SLOW);
  await show(page, 'Time and cost');
  const scenarios = page.getByTestId('scenarios');
  // Simulated when it comes into sight.
  await scenarios.scrollIntoViewIfNeeded();
  const own = scenarios.getByRole('row', { name: /^WSL2, RTX 4090/ });
  await own.filter({ hasText: 'of 256 GiB' }).waitFor(SLOW);
  const needed = scenarioTable({ ...plan, machine: { ...plan.machine, ramGiB: 256 } }).map(withRam);
  const linux = needed.find(({ title }) => title === 'Linux, RTX 4090');
  await scenarios
    .getByRole('row', { name: /^Linux/ })
    .filter({ hasText: `needs ${bytes(linux?.ram.needs)}` })
    .waitFor(SLOW);
  await page.getByRole('spinbutton', { name: 'Deadline (h)' }).fill('1000');
  await page.getByRole('spinbutton', { name: 'Deadline (h)' }).press('Enter');
  await show(page, 'Find limits');
  await page
    .getByTestId('inverse-plan')
    .filter({ hasText: `${cheapest(needed, 1000)?.title}: all 100 epochs in` })
    .waitFor(SLOW);
  expect(complaints).toEqual(SILENT);
});

/** Makes a copy of each kept run that took longer, in the database that the page keeps runs in. */
const keepSlower = (page: Page, times: number): Promise<number> =>
  page.evaluate(async (factor) => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(new Error(String(request.error)));
      });
    const database = await done(indexedDB.open('smokescan-checkpoints'));
    const store = database.transaction('checkpoints', 'readwrite').objectStore('checkpoints');
    const runs = (await done(store.getAll(IDBKeyRange.bound('run/', 'run/\uffff')))) as {
      id: string;
      summary: { seconds: number };
    }[];
    for (const run of runs) {
      const id = crypto.randomUUID();
      const summary = { ...run.summary, seconds: factor * run.summary.seconds };
      await done(store.put({ ...run, id, name: 'A slower one', last: [], best: [], summary }, `run/${id}`));
    }
    database.close();
    return runs.length;
  }, times);

// A training and a measurement, for figures that the unit tests compute from given ones.
fullTest(
  'a run made here gives the lengths of recordings, the time of others on this device, and the hours on a card',
  async () => {
    const { page, complaints } = await app.open(SMALLEST, { viewport: { width: 1440, height: 900 } });
    const corpus = [
      ...syntheticCorpus({ seed: 3, patients: 3, recordingsPerPatient: 1, duration: 180, seizures: 1 }),
    ];
    await chooseFolder(page, corpus);
    await page.getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByRole('button', { name: 'Start training' }).click();
    await page.getByTestId('phase').filter({ hasText: 'All epochs done' }).waitFor({ timeout: 300_000 });

    await page.getByRole('link', { name: 'Resources' }).click();
    await show(page, 'System RAM');
    await page.getByText('Recording lengths and loader memory').click(SLOW);
    const files = corpus.map(({ path, bytes }) => ({ path, data: new Blob([bytes]) }));
    const { recordings } = await openRecordings(pairFiles(files));
    await page.getByRole('button', { name: `Use the ${recordings.length} open recordings` }).click();
    const given = givenLengths(recordings);
    await page
      .getByText(`As opened: a recording has ${short(lengthsView(given).mean)} windows`)
      .waitFor(SLOW);
    const loading = hours(loadingOf({ ...plan, reading: { recordings: given } }).likely);
    await show(page, 'Time and cost');
    await page
      .locator('dd', { has: page.getByText(loading, { exact: true }) })
      .first()
      .waitFor(SLOW);

    expect(await keepSlower(page, 1.5)).toBe(1);
    await show(page, 'This browser');
    const here = page.getByRole('region', { name: 'This browser' });
    await here.getByRole('button', { name: 'Measure this GPU and predict' }).click();
    // Each of two runs is predicted from the other: off by a half and by a third.
    const corrected = here.getByText(/the median of 2 runs made here/);
    await corrected.waitFor({ timeout: 300_000 });
    expect((await corrected.textContent())?.replace(/\s+/g, ' ')).toContain(
      'Each of 2 runs in this browser was predicted from the others: the median error is 42 %.',
    );

    await show(page, 'Time and cost');
    await page.getByLabel('Time per epoch').selectOption('browser');
    const scaled = page.getByTestId('scaled');
    await scaled.getByRole('cell', { name: /measured: .* of the limits/ }).waitFor(SLOW);
    await page.getByText(/Assumed: PyTorch brings a card as near to its data sheet/).waitFor();
    const took = async (): Promise<string> =>
      (await scaled.getByRole('row', { name: /^takes \d/ }).textContent()) ?? '';
    const first = await took();
    const choices = page.getByTestId('browser-pace').getByLabel('Run');
    const options = await choices.getByRole('option').allTextContents();
    expect(options).toHaveLength(2);
    await choices.selectOption({ index: 1 });
    await expect.poll(took).not.toBe(first);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual(SILENT);
  },
  600_000,
);

fullTest('this GPU is tested until it is stopped, and what was measured is saved', async () => {
  const { page, complaints } = await app.open('#/resources/device');
  const part = page.getByRole('region', { name: 'This GPU', exact: true });
  await part.getByRole('button', { name: 'Test this GPU' }).click();
  await part.getByText(/^Checking what this GPU computes/).waitFor(SLOW);
  await part.getByRole('button', { name: 'Stop', exact: true }).click();
  await part.getByTestId('gpu-check').filter({ hasText: '13 ops agree' }).waitFor({ timeout: 300_000 });
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    part.getByRole('button', { name: 'Save as JSON' }).click(),
  ]);
  const name = (await part.getByTestId('gpu-name').textContent()) ?? '';
  expect(JSON.parse(await readFileText(await saved.path(), 'utf8'))).toMatchObject({
    gpu: name,
    check: { cases: 13, wrong: [] },
    step: null,
  });
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual(SILENT);
});

test('on a phone, without motion and in the dark nothing is cut off', async () => {
  const { page, complaints } = await app.open('#/resources', {
    ...PHONE,
    colorScheme: 'dark',
    reducedMotion: 'reduce',
  });
  await show(page, 'Time and cost');
  // It is computed when it comes into sight.
  await page.getByTestId('stop-all').waitFor(SLOW);
  await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await page.getByTestId('scenarios').waitFor(SLOW);
  await show(page, 'Crash replay');
  await page.getByRole('button', { name: 'Replay the crash' }).click();
  // Nothing moves by itself: the end is there at once.
  await page.getByTestId('kill').filter({ hasText: /kills/ }).waitFor(SLOW);
  expect(await page.getByRole('button', { name: 'Pause', exact: true }).count()).toBe(0);

  // A crash of one's own, with what its log says, has an address.
  await page.getByLabel('Crash', { exact: true }).selectOption('own');
  await page.getByLabel('Kernel log').fill('no kill here');
  await page.getByText('No OOM kill is in this text').waitFor();
  await page
    .getByLabel('Kernel log')
    .fill('6291456 pages RAM\n 1%| | 40/3110 [01:00<\nOut of memory: Killed process 7 (python) total-vm:4kB');
  await page.getByText('Linux killed python (pid 7)').waitFor();
  const address = page.url();
  expect(address).toContain('#/resources/crash?on=wsl2&ram=24&batch=16&workers=4&died=40');
  await page.goto('about:blank');
  await page.goto(address);
  expect(await page.getByLabel('RAM (GiB)').inputValue()).toBe('24');
  await page.getByRole('button', { name: 'Replay the crash' }).click();
  await page.getByTestId('kill').filter({ hasText: /kills/ }).waitFor(SLOW);
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual(SILENT);
});
