/** A run of the built app on the page Train, in a Chromium of its own, and ways to look at it from outside. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { errors, type CDPSession, type Page } from 'playwright-core';
import { Random } from '../../src/base/random';
import { syntheticCorpus } from '../../src/eeg/synthetic/corpus';
import { buildIfStale, chooseFolder, PATIENCE } from '../browser/app';
import { serve, type Served } from '../built';
import { startKillable, type Killable } from '../browser/store/browser';
import { kept, type Kept } from '../browser/stored_runs';
import { webgpuFlags } from '../chromium';

/** Milliseconds: what a busy machine takes to compile all kernels. */
const SLOW = 4 * PATIENCE;

/** Chromium takes the GPU away from pages that lose it often; gpu-loss.test.ts has that. */
const GPU_COMES_BACK = ['--disable-gpu-process-crash-limit', '--disable-domain-blocking-for-3d-apis'];

/** Bytes that the app's origin may store: what it needs, and what Chromium's database has not yet given back. */
const ROOM = 64e6;

/** Three short recordings. */
const RECORDINGS = [
  ...syntheticCorpus({ seed: 3, patients: 3, recordingsPerPatient: 1, duration: 120, seizures: 1 }),
];

const startBrowser = (profile: string, url: string): Promise<Killable> =>
  startKillable(profile, url, { args: [...webgpuFlags(), ...GPU_COMES_BACK], ready: 'navigator' });

export class TrainedPage {
  /** To the tab that trains; what it limits ends with it. */
  #session: CDPSession | undefined;
  /** How often the GPU was lost since the run was started or resumed. */
  losses = 0;
  /**
   * Tabs that stayed blank, in whose place another was opened. Where the last tab was closed while a newer service worker waited,
   * Chromium 156 stops the old one, and a navigation of the same moment may never start; other tabs load.
   */
  blank = 0;

  private constructor(
    readonly random: Random,
    /** The build that is served, a copy. */
    readonly folder: string,
    public browser: Killable,
    private readonly profile: string,
    private readonly epochs: number,
    private served: Served,
    /** The tab that trains. */
    public page: Page,
  ) {}

  static async open(seed: number, epochs: number): Promise<TrainedPage> {
    buildIfStale();
    const folder = mkdtempSync(join(tmpdir(), 'smokescan-build-'));
    cpSync(join(import.meta.dirname, '../../dist'), folder, { recursive: true });
    const profile = mkdtempSync(join(tmpdir(), 'smokescan-faults-'));
    const served = await serve(folder);
    const browser = await startBrowser(profile, served.url);
    const { page } = browser;
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    return new TrainedPage(new Random(seed), folder, browser, profile, epochs, served, page);
  }

  /** Kills all its processes and starts it anew, on the same profile. */
  async killBrowser(): Promise<void> {
    await this.browser.kill();
    this.browser = await startBrowser(this.profile, this.url);
    this.page = this.browser.page;
    this.#session = undefined;
  }

  async close(): Promise<void> {
    await this.browser.kill();
    await this.served.close();
    for (const folder of [this.folder, this.profile])
      rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  }

  get url(): string {
    return this.served.url;
  }

  async session(): Promise<CDPSession> {
    return (this.#session ??= await this.page.context().newCDPSession(this.page));
  }

  async clearStore(): Promise<void> {
    const { origin } = new URL(this.url);
    await this.#ask('clears the store', (session) =>
      session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'indexeddb' }),
    );
  }

  /** Lets the origin store so many bytes. */
  async #limit(quotaSize: number): Promise<void> {
    const { origin } = new URL(this.url);
    await this.#ask('limits the store', (session) =>
      session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize }),
    );
  }

  /** Asks Chromium by its protocol, which has no time limit of its own; throws TimeoutError where it does not answer. */
  async #ask(what: string, ask: (session: CDPSession) => Promise<unknown>): Promise<void> {
    const late = new AbortController();
    const patience = sleep(PATIENCE, undefined, { signal: late.signal }).then(() => {
      throw new errors.TimeoutError(`Chromium did not answer within ${PATIENCE} ms what ${what}.`);
    });
    try {
      await Promise.race([this.session().then(ask), patience]);
    } finally {
      late.abort();
      patience.catch(() => undefined);
    }
  }

  /** Has no room on the disk while `act` goes on. */
  async withFullDisk<T>(act: () => Promise<T>): Promise<T> {
    await this.#limit(1);
    // Chromium looks again at what is left only where something is larger than what was left when it looked last.
    const error = await this.page.evaluate(async (bytes) => {
      const opening = indexedDB.open('filler');
      opening.onupgradeneeded = () => void opening.result.createObjectStore('bytes');
      await new Promise((resolve) => (opening.onsuccess = resolve));
      const filler = new Uint8Array(bytes);
      for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(filler.subarray(at, at + 65_536));
      const transaction = opening.result.transaction('bytes', 'readwrite');
      transaction.objectStore('bytes').put(filler, 1);
      await new Promise((resolve) => (transaction.onabort = transaction.oncomplete = resolve));
      opening.result.close();
      return transaction.error?.name;
    }, ROOM);
    if (error !== 'QuotaExceededError') throw new Error(`The disk is not full: ${error}.`);
    try {
      return await act();
    } finally {
      await this.#limit(ROOM);
    }
  }

  /** Stops the server while `act` goes on. */
  async withoutNetwork(act: () => Promise<void>): Promise<void> {
    const { port } = new URL(this.url);
    await this.served.close();
    try {
      await act();
    } finally {
      this.served = await serve(this.folder, Number(port));
    }
  }

  /** Starts a run in a store that is empty. */
  async start(): Promise<void> {
    const link = `#/train?v=1&model.baseChannels=2&model.mixer=conv&model.layers=1&epochs=${this.epochs}&batch=1&validationStride=60&checkpoints.everySteps=1&cache=false`;
    await this.#replacePage(this.url);
    await this.clearStore();
    await this.page.goto(`${this.url}${link}`);
    await this.page.getByRole('button', { name: 'Apply', exact: true }).click();
    await chooseFolder(this.page, RECORDINGS);
    await this.page.getByRole('button', { name: 'Start training', exact: true }).click();
    await this.trains();
  }

  /** Another tab in the place of the one that trained, which may be gone; opens the recordings and the offer to resume. */
  async reopen(): Promise<void> {
    await this.#replacePage(`${this.url}#/train`);
    await chooseFolder(this.page, RECORDINGS);
  }

  /** Resumes the run as the page offers it; the step that it is resumed from. */
  async resume(): Promise<number> {
    const offer = this.page.getByRole('region', { name: 'Interrupted run' });
    const text = await offer.getByText('was interrupted after step').innerText();
    await offer.getByRole('button', { name: 'Resume the run' }).click();
    return Number(/after step (\d+)/.exec(text)?.[1]);
  }

  async #replacePage(address: string, again = true): Promise<void> {
    const { page } = this;
    this.page = await page.context().newPage();
    this.#session = undefined;
    await this.#limit(ROOM);
    // A tab whose process died may not answer.
    await Promise.race([page.close().catch(() => undefined), sleep(2000)]);
    this.losses = 0;
    try {
      await this.page.goto(address);
    } catch (error) {
      if (!again || !(error instanceof errors.TimeoutError)) throw error;
      this.blank++;
      await this.#replacePage(address, false);
    }
  }

  /** The run as it is stored; undefined where there is none. */
  async stored(): Promise<Kept | undefined> {
    return (await kept(this.page)).at(-1);
  }

  /** The last step that the page shows. */
  async step(): Promise<number> {
    return Number(await this.page.getByTestId('Step').textContent()) || 0;
  }

  async ended(): Promise<boolean> {
    return (await this.page.getByTestId('phase').textContent())?.includes('All epochs done') ?? false;
  }

  /** Waits until steps are done again, or the run has ended. */
  async trains(): Promise<void> {
    const phase = this.page.getByTestId('phase');
    await phase.filter({ hasText: /Training, epoch|Validating|All epochs done/ }).waitFor({ timeout: SLOW });
  }

  /** Waits until so many more steps are done, or the run has ended: false then. */
  async more(steps: number): Promise<boolean> {
    const from = await this.step();
    return this.until(async () => (await this.step()) >= from + steps);
  }

  /** Waits until the store has the state of a step from `step` on. */
  async storedFrom(step: number): Promise<void> {
    await this.until(async () => ((await this.stored())?.step ?? 0) >= step, true);
  }

  /** Waits for `reached`; false where the run ended before. `even`: waits on when it has ended, as what is written last may come later. */
  async until(reached: () => Promise<boolean>, even = false): Promise<boolean> {
    for (let waited = 0; waited < SLOW; waited += 100) {
      if (await reached()) return true;
      if (!even && (await this.ended())) return false;
      const dialog = this.page.getByRole('dialog');
      if (await dialog.isVisible()) throw new Error(`The page says: ${await dialog.innerText()}`);
      await sleep(100);
    }
    throw new Error(`The run does not go on: it is at step ${await this.step()}.`);
  }
}
