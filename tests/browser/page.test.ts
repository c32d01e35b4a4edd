import { chromium, type BrowserContextOptions, type Page } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { findChromium } from '../chromium';
import { fullTest } from '../full';
import { openPage, startApp, type App } from './app';
import { MODES, OTHER_MODES, overflow, PHONE, SILENT, violations, STILL, WIDE } from './looks';
import { longestTask } from './long-tasks';

/** Kernels are timed and compiled before the first step, on a software GPU slowly. */
const PREPARATION = { timeout: 400_000 };

let app: App;
beforeAll(async () => {
  app = await startApp();
});

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const phase = (page: Page) => page.getByTestId('phase');
const waitForPhase = (page: Page, text: string) => phase(page).filter({ hasText: text }).waitFor(PREPARATION);

async function chooseTiny(page: Page): Promise<void> {
  const details = page.locator('details', { has: page.getByRole('heading', { name: 'Model and data' }) });
  if (!(await details.evaluate((element: HTMLDetailsElement) => element.open)))
    await details.locator('summary').click();
  await page.getByRole('radio', { name: 'Tiny' }).check();
}

async function startTiny(page: Page): Promise<void> {
  await chooseTiny(page);
  await button(page, 'Start training').click();
  await waitForPhase(page, 'Training');
}

const stepsDone = async (page: Page): Promise<number> =>
  Number(((await page.getByTestId('Step').textContent()) ?? '').replace(/\D/g, ''));

/** Pixels of a chart that have the colour of its curve. */
const curvePixels = (page: Page, chart: string): Promise<number> =>
  page
    .getByRole('slider', { name: chart })
    .locator('canvas')
    .evaluate((canvas: HTMLCanvasElement) => {
      const accent = getComputedStyle(canvas).getPropertyValue('--accent');
      const [r, g, b] = [1, 3, 5].map((at) => parseInt(accent.slice(at, at + 2), 16));
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      let found = 0;
      for (let i = 0; i < data.length; i += 4)
        if (data[i] === r && data[i + 1] === g && data[i + 2] === b) found++;
      return found;
    });

describe('a run of the tiny preset', () => {
  test('is started by the one button, draws its curves, does not block the page, and obeys mouse and keyboard', async () => {
    const { page, complaints } = await app.open('#/learn/mamba', WIDE);
    await page.getByText('An example, not answered yet').waitFor();
    expect(await page.getByRole('grid').locator('tr.input td').count()).toBe(48);
    expect(await curvePixels(page, 'Loss')).toBe(0);

    await startTiny(page);
    const longest = await longestTask(page, async () => {
      const before = await stepsDone(page);
      await expect.poll(() => stepsDone(page)).toBeGreaterThan(before + 20);
    });
    // The first charts are drawn by code that is not compiled yet: half a long task on two cores.
    expect(longest).toBeLessThan(1);

    for (const chart of ['Loss', 'Training accuracy'])
      expect(await curvePixels(page, chart)).toBeGreaterThan(50);
    for (const metric of ['loss', 'accuracy'])
      expect(await page.getByTestId(`${metric}-reading`).textContent()).toMatch(/step \d+ .*\d/);
    for (const reading of ['Speed', 'Throughput', 'Time left', 'Parameters', 'Dispatches', 'FLOPs', 'memory'])
      expect(await page.getByTestId(reading).textContent(), reading).toMatch(/^[\d,.]+/);
    expect(await page.getByTestId('right').textContent()).toMatch(/^[0-3] of 3$/);
    const grid = page.getByRole('grid');
    expect(await grid.locator('tr.input td').count()).toBe(32);
    expect(await grid.locator('tr.delta .bar').count()).toBe(32);
    expect(await grid.getByText(/, (correct|wrong)$/).count()).toBe(3);
    expect(await page.getByTestId('bandwidth').textContent()).toMatch(/B\/s$/);

    // Paused, resumed, stopped and restarted by mouse and by keyboard.
    await button(page, 'Pause').click();
    await waitForPhase(page, 'Paused');
    const paused = await stepsDone(page);
    await page.waitForTimeout(500);
    expect(await stepsDone(page)).toBe(paused);
    expect(await violations(page)).toEqual([]);

    await button(page, 'Resume').click();
    await waitForPhase(page, 'Training');
    await expect.poll(() => stepsDone(page)).toBeGreaterThan(paused);

    await page.locator('h1').click(); // away from the buttons, which the space bar presses
    await page.keyboard.press('Space');
    await waitForPhase(page, 'Paused');
    await page.keyboard.press('Space');
    await waitForPhase(page, 'Training');
    await page.keyboard.press('r');
    await page.getByText('Selective copying · Tiny · Selective · seed 2').first().waitFor();
    await waitForPhase(page, 'Training');
    await page.getByText('Dashed: previous run (Selective, seed 1).').waitFor();
    await page.keyboard.press('s');
    await waitForPhase(page, 'Stopped after');

    const seed = page.getByLabel('Seed');
    await seed.focus();
    await page.keyboard.press('r');
    await page.keyboard.press('s');
    expect(await phase(page).textContent()).toContain('Stopped after');
    await page.getByLabel('Keys').uncheck();
    await page.locator('h1').click();
    await page.keyboard.press('r');
    expect(await phase(page).textContent()).toContain('Stopped after');

    await button(page, /^Restart/).click();
    await waitForPhase(page, 'Training');
    expect(await seed.inputValue()).toBe('3');
    await button(page, 'Stop').click();
    await waitForPhase(page, 'Stopped after');
    await button(page, 'Start again').click();
    await waitForPhase(page, 'Training');
    expect(await seed.inputValue()).toBe('3');
    expect(complaints).toEqual(SILENT);
  });

  fullTest('fits a phone and is accessible there in the dark', async () => {
    const { page, complaints } = await app.open('#/learn/mamba', { ...PHONE, colorScheme: 'dark' });
    await startTiny(page);
    await expect.poll(() => stepsDone(page)).toBeGreaterThan(2);
    expect(await overflow(page)).toBe(0);
    await button(page, 'Pause').click();
    await waitForPhase(page, 'Paused');
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual(SILENT);
  });
});

describe('before a run', () => {
  const look = async (_: string, options: BrowserContextOptions): Promise<void> => {
    const { page, complaints } = await app.open('#/learn/mamba', options);
    await page.getByText('Features and limits').click();
    expect(await violations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    expect(complaints).toEqual(SILENT);
  };
  test.each(MODES)('the page is accessible and fits: %s', look);
  fullTest.each(OTHER_MODES)('the page is accessible and fits: %s', look);

  test('each address shows its page and title, and one that names no page says so', async () => {
    const { page, complaints } = await app.open('', STILL);
    for (const [address, title] of [
      ['', /^Demo · Smokescan$/],
      ['#/config', /Config · Smokescan$/],
      ['#/config/form', /Config · Smokescan$/],
      ['#/resources', /^Resources · Smokescan$/],
      ['#/nowhere', /^Page not found · Smokescan$/],
      ['#/runs?x=1', /^Runs · Smokescan$/],
      ['#/learn', /^Learn · Smokescan$/],
      ['#/learn/mamba', /^Learn · Smokescan$/],
      ['#/train', /^Train · Smokescan$/],
    ] as const) {
      await page.goto(app.url + address);
      await expect.poll(() => page.title()).toMatch(title);
      await page.locator('h1:visible').waitFor();
      expect(await page.locator('h1:visible').count(), address).toBe(1);
    }
    expect(complaints).toEqual(SILENT);
  });

  test('old addresses lead to their pages, and links to the state of a page', async () => {
    const { page, complaints } = await app.open('', STILL);
    const opens = async (address: string, becomes: string): Promise<void> => {
      await page.goto(app.url + address);
      await expect.poll(() => new URL(page.url()).hash).toBe(becomes);
    };
    await opens('#/fit', '#/resources');
    await opens('#/lesson/mamba', '#/learn/mamba');
    await opens('#/detector', '#/train');
    await opens('#/config/form', '#/config/form');
    expect(await page.getByRole('tab', { name: 'Form' }).getAttribute('aria-selected')).toBe('true');
    await page.getByRole('tab', { name: 'Compare' }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#/config/compare');
    await page.getByRole('link', { name: 'Runs' }).click();
    await page.getByRole('heading', { name: 'Runs' }).waitFor();
    await page.getByRole('link', { name: 'Config' }).click();
    await expect.poll(() => new URL(page.url()).hash).toBe('#/config/compare');
    await page.goto(`${app.url}#/config/nothing`);
    await page.getByText('There is no tab “nothing” on this page.').waitFor();
    await page.goto(`${app.url}#/runs/gone`);
    await page.getByText('This browser has no run “gone”.').waitFor();
    expect(complaints).toEqual(SILENT);
  });

  test('the chosen colours and settings are remembered', async () => {
    const { page } = await app.open('#/learn/mamba', { ...WIDE, colorScheme: 'light' });
    const theme = () => page.locator('html').getAttribute('data-theme');
    expect(await theme()).toBe('light');
    await button(page, 'Dark theme').click();
    expect(await theme()).toBe('dark');
    await page.reload();
    await button(page, 'Light theme').waitFor();
    expect(await theme()).toBe('dark');
  });

  test('a sequence of 4,096 tokens has only the columns in sight in the page, and keys move through it', async () => {
    const { page } = await app.open('#/learn/mamba', WIDE);
    await page.getByRole('radio', { name: 'As in the paper' }).check();
    const grid = page.getByRole('grid');
    await button(page, 'Go to the next answer').click();
    await page.getByTestId('token').getByText('Token 4,081').waitFor();
    expect(await grid.locator('tr.input td').count()).toBeLessThan(200);
    await grid.focus();
    await page.keyboard.press('ArrowLeft');
    expect(await page.getByTestId('token').textContent()).toMatch(/^Token 4,080: input/);
    await page.keyboard.press('Home');
    expect(await page.getByTestId('token').textContent()).toMatch(/^Token 1: input/);
    await expect.poll(() => grid.locator('td[data-column="0"]').count()).toBe(4);
    expect(await overflow(page)).toBe(0);
  });

  test('a worker that does not load ends in a dialog that says what happened, was kept and is to be done', async () => {
    const { page } = await app.open('#/learn/mamba');
    await page.route('**/worker-*.js', (route) => route.abort());
    await page.reload();
    await button(page, 'Start training').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The training worker broke').waitFor();
    for (const heading of ['What happened', 'What was kept', 'What to do'])
      await dialog.getByText(heading).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
    expect(await phase(page).textContent()).toBe('Training failed');
  });
});

describe('a browser without WebGPU', () => {
  // Reserved for documentation (RFC 5737): this name for the test's own server is no secure address.
  const INSECURE = '192.0.2.1';

  test.each([
    ['has no adapter', '127.0.0.1', 'finds no graphics adapter'],
    ['opens an address that is not secure', INSECURE, 'This address is not secure'],
  ])('that %s gets advice and the example', async (_, host, reason) => {
    const executablePath = findChromium() ?? '';
    const args = ['--disable-gpu', `--host-resolver-rules=MAP ${INSECURE} 127.0.0.1`];
    const browser = await chromium.launch({ executablePath, args });
    try {
      const url = app.url.replace('127.0.0.1', host);
      const { page, complaints } = await openPage(browser, url, '#/learn/mamba', PHONE);
      await page.getByText(reason).waitFor();
      for (const name of ['Chrome', 'Safari', 'Firefox'])
        await page.getByRole('heading', { name: new RegExp(`^${name}`) }).waitFor();
      await page.getByText('An example, not answered yet').waitFor();
      expect(await button(page, 'Start training').count()).toBe(0);
      expect(await violations(page)).toEqual([]);
      expect(await overflow(page)).toBe(0);
      await page.goto(`${url}#/demo`);
      await page.getByText('This browser cannot train: WebGPU is not available.').waitFor();
      await expect.poll(() => page.getByTestId('step').textContent()).toMatch(/Step [1-9]/);
      expect(await overflow(page)).toBe(0);
      // Chromium itself says this of requestAdapter, and of a header that it obeys at secure addresses alone.
      const itself = /^No available adapters\.$|Cross-Origin-Opener-Policy header has been ignored/;
      const own = complaints.console.filter((text) => !itself.test(text));
      expect({ ...complaints, console: own }).toEqual(SILENT);
    } finally {
      await browser.close();
    }
  });
});
