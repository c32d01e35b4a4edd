import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { FULL, fullTest } from '../full';
import { launchChromium } from '../chromium';
import { openPage, PATIENCE, startApp, type App } from './app';
import { MODES, OTHER_MODES, overflow, PHONE, SILENT, violations, STILL, WIDE } from './looks';

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const said = (page: Page) => page.getByTestId('said');
const numbers = (page: Page) => page.locator('form input[type="number"]');

/** Guesses by keyboard alone: numbers are typed, of options the one `at` is chosen. */
async function guess(page: Page, values: readonly number[], at = 0): Promise<void> {
  await page.locator('form').waitFor();
  const fields = await numbers(page).count();
  if (fields > 0) {
    for (let i = 0; i < fields; i++) {
      await numbers(page).nth(i).focus();
      await page.keyboard.press('Control+a');
      await page.keyboard.type(String(values[i] ?? 1));
    }
    await page.keyboard.press('Enter');
  } else {
    await page.locator('form .option input').nth(at).focus();
    await page.keyboard.press('Space');
    await page.keyboard.press('Enter');
  }
}

/** To the next step, away from the fields, which have a use for arrows themselves. */
async function next(page: Page, step: number): Promise<void> {
  await page.locator('h2:visible').first().click();
  await page.keyboard.press('ArrowRight');
  await page.waitForURL(new RegExp(`/${step}(\\?|$)`));
}

/** The page as it is: on a screen and a phone, in both schemes of colours, on a projector. */
async function everyLook(page: Page): Promise<void> {
  const look = async (mode: string): Promise<void> => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await violations(page, '[data-testid="lesson"]'), `${mode}, ${colorScheme}`).toEqual([]);
      expect(await overflow(page), `${mode}, ${colorScheme}`).toBe(0);
    }
  };
  await look('wide');
  await page.setViewportSize(PHONE.viewport);
  await look('phone');
  await page.setViewportSize(WIDE.viewport);
  await page.getByTestId('lesson').getByRole('button', { name: 'Present', exact: true }).click();
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor();
  await page.getByTestId('reveal').waitFor();
  await look('presentation');
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor({ state: 'detached' });
}

/** Guesses wrong at every step, and at the last first wrong and then right; in full runs each answer is looked at. */
async function walk(page: Page, steps: number, transfer: readonly number[]): Promise<void> {
  for (let step = 1; step <= steps; step++) {
    await page.locator('form').waitFor();
    expect(await page.getByTestId('reveal').count(), 'nothing is shown before the guess').toBe(0);
    if (step < steps) {
      await guess(page, [99, 98, 97]);
      // A step may train before it answers.
      await page.getByTestId('reveal').waitFor({ timeout: 5 * PATIENCE });
      expect(await said(page).textContent()).toMatch(/^You said/);
      expect(await page.getByTestId('checked').textContent()).toMatch(/float64|Table/);
      if (FULL) await everyLook(page);
      await next(page, step + 1);
    } else {
      await guess(
        page,
        transfer.map((value) => value * 1.2),
      );
      await page.getByText('More than 5 % away').waitFor();
      expect(await page.getByTestId('reveal').count()).toBe(0);
      await guess(page, transfer);
      await page.getByText('Within 5 %: understood.').waitFor();
      await page.getByTestId('reveal').waitFor();
    }
  }
}

test('a lesson is walked by keyboard, with wrong guesses and a right answer', async () => {
  const { page, complaints } = await app.open('#/learn/who-decides', WIDE);
  await walk(page, 6, [1]);
  expect(await violations(page)).toEqual([]);
  // An address without a step resumes where the learner was.
  await page.goto(`${app.url}#/learn`);
  await page.getByRole('link', { name: 'Who decides what is remembered?' }).click();
  await page
    .getByText('Token 19 forgets', { exact: false })
    .or(page.getByText('token 19 forgets'))
    .first()
    .waitFor();
  expect(complaints).toEqual(SILENT);
});

fullTest('any token may be edited: the letter is lost at the token that writes it', async () => {
  const { page, complaints } = await app.open('#/learn/who-decides/2', PHONE);
  await guess(page, []);
  const answers = page.getByTestId('answers');
  await answers.getByText('Mark 2: A, right.').waitFor();
  await page.getByRole('radio', { name: 'Token 18: ·' }).focus();
  await page.keyboard.press('Space');
  await page.getByLabel('It writes (off: B = 0)').uncheck();
  await answers.getByText(/Mark 1: F, right\..*Mark 2: ., wrong\..*Mark 3: D, right\./).waitFor();
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  expect(complaints).toEqual(SILENT);
});

fullTest('the lesson on half-lives is walked the same way, its models training meanwhile', async () => {
  const { page, complaints } = await app.open('#/learn/half-lives/1', WIDE);
  await walk(page, 6, [Math.LN2 / 128]);
  expect(complaints).toEqual(SILENT);
});

test('a slider is in the address, and the guess is not', async () => {
  const { page, complaints } = await app.open('#/learn/half-lives/1?a=16&delta=0.1', STILL);
  await guess(page, [3]);
  await page.getByText('A = −16').first().waitFor();
  expect(await page.getByTestId('reveal').textContent()).toContain('Δ = 0.1 and A = −16');
  await page.getByLabel('|A| of the strong curve').selectOption('8');
  await page.getByText('A = −8').first().waitFor();
  expect(page.url()).toMatch(/#\/learn\/half-lives\/1\?delta=0.1&a=8$/);
  expect(complaints).toEqual(SILENT);
});

fullTest('an entry of a matrix that is pointed at says what it joins, its value and its parts', async () => {
  const { page, complaints } = await app.open('#/learn/attention/1?direction=1&present', PHONE);
  await guess(page, []);
  const entry = page.getByTestId('entry');
  await entry.waitFor();
  await page.getByRole('slider', { name: 'Row' }).focus();
  await page.keyboard.press('End');
  const joined =
    /What 58\.5–60\.0 s hears of 0\.0–1\.5 s: mean weight (\S+) by the kernel, (\S+) in float64\./;
  expect(await entry.textContent()).toMatch(joined);
  await page.getByRole('slider', { name: 'Column' }).focus();
  await page.keyboard.press('End');
  const middle =
    /mean weight (\S+) by the kernel, (\S+) in float64\. In the middle, .* = (\S+); by the kernel (\S+)\.$/;
  const [, ...values] = middle.exec((await entry.textContent()) ?? '') ?? [];
  const [mean, mean64, weight64, weight] = values.map((text) => Number(text.replaceAll('−', '-')));
  expect(mean! / mean64!).toBeCloseTo(1, 5);
  expect(weight! / weight64!).toBeCloseTo(1, 5);
  // The square in the second row and the last column, of the zoomed picture.
  const box = (await page.getByRole('img', { name: /^Row hears/ }).boundingBox())!;
  const zoom = 1.15;
  const side = Math.min(box.width, 340 * zoom);
  await page.mouse.move(box.x + side * (39.5 / 40), box.y + 20 * zoom + side * (1.5 / 40));
  await entry.getByText('What 1.5–3.0 s hears of 58.5–60.0 s').waitFor();
  expect(await entry.textContent()).toContain('has not read it yet');
  expect(await violations(page, '[data-testid="lesson"]')).toEqual([]);
  expect(complaints).toEqual(SILENT);
});

fullTest('P around one onset is drawn again for another look-ahead, which is in the address', async () => {
  const { page, complaints } = await app.open('#/learn/look-ahead/3?ahead=2', WIDE);
  await guess(page, [0.5]);
  const reveal = page.getByTestId('reveal');
  await reveal.getByText(/^With a look-ahead of 2 s it is 0\.\d\d, with all EEG/).waitFor();
  await page.getByLabel('Look-ahead in seconds').focus();
  await page.keyboard.press('Home');
  await reveal.getByText(/^With a look-ahead of 0 s it is 0\.0\d, with all EEG/).waitFor();
  expect(page.url()).toMatch(/look-ahead\/3$/);
  expect(await violations(page)).toEqual([]);
  expect(complaints).toEqual(SILENT);
});

test('an address with what there is not says what is shown, and the app has one mode to present', async () => {
  const { page, complaints } = await app.open('#/learn/half-lives/99?delta=1e9&a=4&b=2', STILL);
  await page.waitForURL(/#\/learn\/half-lives\/1\?a=4$/);
  await page.getByLabel('Presentation mode').click();
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor();
  await page.getByRole('button', { name: 'Explore (leave presentation)' }).click();
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor({ state: 'detached' });
  expect(await page.getByLabel('Presentation mode').getAttribute('aria-pressed')).toBe('false');
  expect(complaints).toEqual(SILENT);
});

const present = async (name: string, steps: number): Promise<void> => {
  const { page, complaints } = await app.open(`#/learn/${name}/1`, WIDE);
  // The app has a button to present, too.
  await page.getByTestId('lesson').getByRole('button', { name: 'Present', exact: true }).click();
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor();
  await page.getByRole('heading', { level: 2 }).first().click();
  await page.keyboard.press('ArrowRight');
  await page.getByText(`Step 2 of ${steps}`).waitFor();
  await page.keyboard.press('PageDown');
  await page.getByText(`Step 3 of ${steps}`).waitFor();
  await page.keyboard.press('PageUp');
  await page.getByText(`Step 2 of ${steps}`).waitFor();
  expect(page.url()).toContain('present');
  expect(await violations(page, '[data-testid="lesson"]')).toEqual([]);
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'For the teacher' }).waitFor({ state: 'detached' });
  await page.goBack();
  await page.getByText(`Step 3 of ${steps}`).waitFor();
  expect(await page.getByRole('heading', { name: 'For the teacher' }).count()).toBe(0);
  expect(complaints).toEqual(SILENT);
};
const PRESENTED = 'the presentation of %s has notes for the teacher, keys for its steps, and one key back';
fullTest.each([
  ['half-lives', 6],
  ['attention', 5],
  ['look-ahead', 7],
] as const)(PRESENTED, present);

test('the opening shows a solved recording, and its scrubber goes back to the start', async () => {
  const { page, complaints } = await app.open('#/learn', PHONE);
  await page.getByText('3 of 3 right here').first().waitFor();
  const scrubber = page.getByLabel('Training');
  await scrubber.focus();
  await page.keyboard.press('Home');
  await page.getByText('Step 0:').first().waitFor();
  expect(await overflow(page)).toBe(0);
  expect(await violations(page)).toEqual([]);
  await page.getByRole('link', { name: 'Train it live' }).click();
  await page.getByRole('button', { name: 'Start training' }).waitFor();
  expect(complaints).toEqual(SILENT);
});

test('an address that names no lesson says so', async () => {
  const { page } = await app.open('#/learn/nothing', WIDE);
  await page.getByText('There is no lesson “nothing”.').waitFor();
});

test('without WebGPU a lesson is computed in float64, and shows a training as it was recorded', async () => {
  const browser = await launchChromium({ webgpu: false });
  try {
    const { page, complaints } = await openPage(browser, app.url, '#/learn/zero-order-hold/4', PHONE);
    await page.getByText('This browser has no WebGPU').waitFor();
    await guess(page, [99]);
    await page.getByText('After 400 steps: 99.5 % with Mamba’s B̄, 75.5 % with the exact one.').waitFor();
    expect(await page.getByTestId('checked').textContent()).toContain('Computed in float64');
    await next(page, 5);
    await guess(page, [99]);
    await page.getByText('Recorded beforehand').waitFor();
    expect(await violations(page)).toEqual([]);
    // Chromium itself says this of requestAdapter.
    const own = complaints.console.filter((text) => text !== 'No available adapters.');
    expect({ ...complaints, console: own }).toEqual(SILENT);
  } finally {
    await browser.close();
  }
});

const look = async (place: string, _: string, options: object): Promise<void> => {
  const { page, complaints } = await app.open(`#/learn/${place}`, options);
  await guess(page, []);
  await page.getByTestId('reveal').waitFor({ timeout: 5 * PATIENCE });
  await page.getByTestId('checked').click();
  expect(await violations(page)).toEqual([]);
  expect(await overflow(page)).toBe(0);
  expect(complaints).toEqual(SILENT);
};
const looksAt = (place: string, modes: typeof MODES) =>
  modes.map(([mode, options]) => [place, mode, options] as const);
const LOOK = 'an answered step is accessible and fits: %s, %s';
test.each(looksAt('half-lives/3', MODES))(LOOK, look);
fullTest.each([
  ...looksAt('half-lives/3', OTHER_MODES),
  ...['attention/1', 'attention/3', 'look-ahead/3', 'look-ahead/5'].flatMap((place) =>
    looksAt(place, [...MODES, ...OTHER_MODES]),
  ),
])(LOOK, look);

test('a lesson may be read in another language, which is remembered', async () => {
  const { page, complaints } = await app.open('#/learn/half-lives/6', STILL);
  await page.getByLabel('Language').selectOption('Deutsch');
  await page.getByRole('button', { name: 'Das ist meine Antwort' }).waitFor();
  await guess(page, [Math.LN2 / 128]);
  await page.getByText('Auf 5 % genau: verstanden.').waitFor();
  // So are the numbers at the axes.
  await page
    .locator('svg text')
    .getByText(/^0,\d$/)
    .first()
    .waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Sechzehn Uhren in einem Kanal' }).waitFor();
  expect(complaints).toEqual(SILENT);
});

fullTest.each([
  ['backward', 6, [64, 128]],
  ['zero-order-hold', 6, [2.005]],
  ['convolution', 6, [0.2]],
  ['scan-tree', 5, [9217, 10]],
  ['attention', 5, [32]],
  ['look-ahead', 7, [2.06]],
] as const)('the lesson %s is walked the same way', async (name, steps, transfer) => {
  const { page, complaints } = await app.open(`#/learn/${name}/1`, WIDE);
  await walk(page, steps, transfer);
  expect(complaints).toEqual(SILENT);
});
