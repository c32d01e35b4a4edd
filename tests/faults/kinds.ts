/** Kinds of faults, each as a person meets it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { damageNewest } from '../browser/stored_runs';
import type { TrainedPage } from './trained_page';

/** Steps that were lost beyond the last checkpoint; undefined where the run ended before the fault came about. */
type Fault = (run: TrainedPage) => Promise<number | undefined>;

const expectThat = (right: boolean, sentence: string): void => {
  if (!right) throw new Error(sentence);
};

const storedStep = async (run: TrainedPage): Promise<number> => (await run.stored())?.step ?? 0;

/** How many steps of those that were stored are trained again. */
const lost = (stored: number, resumed: number): number => Math.max(0, stored - resumed);

async function killTab(run: TrainedPage): Promise<number | undefined> {
  const stored = await storedStep(run);
  if (await run.ended()) return undefined;
  // A tab that is closed, whose process dies, or whose browser does.
  const how = run.random.integer(3);
  if (how === 0) await run.page.close();
  else if (how === 1) await run.killBrowser();
  else await Promise.race([(await run.session()).send('Page.crash'), gone(run)]);
  await run.reopen();
  // It may have ended, and be stored so, in the moment before.
  if ((await run.stored())?.outcome) return undefined;
  const resumed = await run.resume();
  await run.trains();
  return lost(stored, resumed);
}

const gone = (run: TrainedPage): Promise<void> =>
  new Promise((resolve) => run.page.once('crash', () => resolve()));

async function killGpu(run: TrainedPage): Promise<number | undefined> {
  const times = 1 + run.random.integer(3);
  let all = 0;
  for (let time = 0; time < times; time++) {
    // The sixth ends a run, by design.
    if (run.losses === 5) return killTab(run);
    const stored = await storedStep(run);
    if (await run.ended()) return time === 0 ? undefined : all;
    run.browser.killGpu();
    run.losses++;
    const said = run.page.getByText(`attempt ${run.losses} of 5`);
    if (!(await run.until(() => said.isVisible()))) return all;
    const text = await said.innerText();
    all += lost(stored, Number(/resumes from step (\d+)/.exec(text)?.[1]));
    await run.trains();
    // Twice at one step is another matter.
    if (!(await run.more(4))) return all;
  }
  return all;
}

async function fillDisk(run: TrainedPage): Promise<number | undefined> {
  const full = await run.withFullDisk(async () => {
    // What was under way may have been stored.
    if (!(await run.more(1))) return undefined;
    const stored = await storedStep(run);
    if (!(await run.more(3))) return undefined;
    expectThat((await storedStep(run)) === stored, 'A disk that is full took a checkpoint.');
    return stored;
  });
  if (full === undefined || !(await run.more(1))) return undefined;
  await run.storedFrom(full + 4);
  return 0;
}

/** The store does not take how the run ended, and a click stores it once there is room. */
async function fillDiskAtEnd(run: TrainedPage): Promise<number | undefined> {
  const notice = run.page.getByRole('status').filter({ hasText: 'The end of this run is not stored' });
  const told = await run.withFullDisk(async () => {
    await run.until(() => run.ended());
    return notice.isVisible();
  });
  const stored = await run.stored();
  // It had ended in the moment before.
  if (!told && stored?.outcome) return undefined;
  expectThat(told, 'The page does not say that the end of the run is not stored.');
  expectThat(stored?.outcome === null, 'A disk that is full took the end of a run.');
  await notice.getByRole('button', { name: 'Store it now' }).click();
  await notice.waitFor({ state: 'detached' });
  return 0;
}

async function clearStore(run: TrainedPage): Promise<number | undefined> {
  if (await run.ended()) return undefined;
  const step = await run.step();
  await run.clearStore();
  if (!(await run.more(1))) return undefined;
  await run.storedFrom(step);
  return 0;
}

async function damage(run: TrainedPage): Promise<number | undefined> {
  if (!(await run.until(async () => ((await run.stored())?.generations ?? 0) > 1))) return undefined;
  await run.reopen();
  if ((await run.stored())?.outcome) return undefined;
  const whole = (await damageNewest(run.page)) ?? 0;
  await run.resume();
  const dialog = run.page.getByRole('dialog');
  await dialog.getByText(/is damaged: shard 1 of \d+ does not have its checksum/).waitFor();
  const button = dialog.getByRole('button', { name: /^Resume from step \d+$/ });
  const resumed = Number(/\d+/.exec(await button.innerText()));
  await button.click();
  await run.trains();
  return lost(whole, resumed);
}

async function openTwice(run: TrainedPage): Promise<number | undefined> {
  const other = await run.page.context().newPage();
  try {
    await other.goto(`${run.url}#/runs`);
    const article = other.getByRole('article').first();
    await article.waitFor();
    const status = await article.getByText('training in another tab', { exact: true }).count();
    if (await run.ended()) return undefined;
    expectThat(status === 1, 'Another tab does not see that the run is training.');
    const resume = await article.getByRole('button', { name: 'Resume' }).count();
    const remove = await article.locator('button[aria-disabled=true]', { hasText: 'Delete…' }).count();
    expectThat(resume === 0 && remove === 1, 'Another tab may resume or delete the run.');
  } finally {
    await other.close();
  }
  return goesOn(run);
}

/** Nothing may be lost where nothing was interrupted. */
async function goesOn(run: TrainedPage): Promise<number | undefined> {
  const stored = await storedStep(run);
  if (!(await run.more(2))) return undefined;
  await run.storedFrom(stored + 1);
  return 0;
}

async function sleepAWhile(run: TrainedPage): Promise<number | undefined> {
  await run.browser.suspend(500 + run.random.integer(1500));
  return goesOn(run);
}

async function cutNetwork(run: TrainedPage): Promise<number | undefined> {
  let result: number | undefined;
  await run.withoutNetwork(async () => {
    result = run.random.integer(4) === 0 ? await killTab(run) : await goesOn(run);
  });
  return result;
}

async function setClock(run: TrainedPage): Promise<number | undefined> {
  const days = run.random.integer(730) - 365;
  const shift = (milliseconds: number): void => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + milliseconds;
  };
  const by = days * 24 * 3600e3;
  await run.page.evaluate(shift, by);
  for (const worker of run.page.workers()) await worker.evaluate(shift, by);
  return goesOn(run);
}

async function update(run: TrainedPage): Promise<number | undefined> {
  for (const [file, before, after] of [
    ['index.html', /<body[^>]*>/, `<body data-version="${run.random.integer(1e9)}">`],
    ['sw.js', /(url:"index\.html",revision:")[0-9a-f]+/, `$1${run.random.integer(1e9).toString(16)}`],
  ] as const) {
    const path = join(run.folder, file);
    const text = readFileSync(path, 'utf8');
    const changed = text.replace(before, after);
    expectThat(changed !== text, `${file} has no version to change.`);
    writeFileSync(path, changed);
  }
  await run.page.evaluate(async () => {
    Object.assign(window, { opened: true });
    await (await navigator.serviceWorker.ready).update();
  });
  const waits = run.page.getByText('You can use it when what is running has ended.');
  if (!(await run.until(() => waits.isVisible()))) return undefined;
  const result = await goesOn(run);
  expectThat(await run.page.evaluate(() => 'opened' in window), 'The page was loaded anew during a run.');
  return result;
}

/** By the names that the table shows. */
export const FAULTS = {
  'tab or browser killed': killTab,
  'GPU killed, one to three times': killGpu,
  'disk full': fillDisk,
  'disk full at the end': fillDiskAtEnd,
  'store cleared': clearStore,
  'checkpoint damaged': damage,
  'opened in two tabs': openTwice,
  'all processes stopped, as in sleep': sleepAWhile,
  'network gone': cutNetwork,
  'clock set': setClock,
  'app updated': update,
} as const satisfies Readonly<Record<string, Fault>>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];
