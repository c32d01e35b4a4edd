import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  ConsoleMessage,
  Page,
  Request,
  WebError,
} from 'playwright-core';
import { build, serve } from '../built';
import { launchChromium } from '../chromium';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const SOURCES = [
  'index.html',
  'vite.config.ts',
  'app_manifest.ts',
  'security_headers.ts',
  'kernels_version.mjs',
  'package-lock.json',
  'public',
  'configs',
  'shaders',
  'src',
];

/** Milliseconds to wait for what must come: only a failure takes them, and a busy machine is none. */
export const PATIENCE = 120_000;

/** What must stay empty while a page is used. */
export interface Complaints {
  /** console.error and console.warn of the page and its workers */
  console: string[];
  /** exceptions that nobody caught */
  page: string[];
  /** addresses of requests that left the app's origin */
  foreign: string[];
}

export interface OpenPage {
  page: Page;
  complaints: Complaints;
}

/** The built app, served on a free port, and a browser to open it in; one of each for all test files of a process. */
export interface App {
  url: string;
  browser: Browser;
  /** Opens a path such as `#/train` in an empty profile: no stored runs, no cookies. */
  open(path?: string, options?: BrowserContextOptions): Promise<OpenPage>;
}

let started: Promise<App> | undefined;

/** Builds the app where a source is newer than dist, serves it and starts Chromium, at the first call. */
export const startApp = (): Promise<App> => (started ??= start());

async function start(): Promise<App> {
  buildIfStale();
  const { url } = await serve();
  const browser = await launchChromium();
  return { url, browser, open: (path = '', options = {}) => openEmptied(browser, url, path, options) };
}

interface Kept {
  readonly context: BrowserContext;
  /** While a test uses it. */
  stopListening?: () => void;
}

/** Profiles, by their options, that keep the app's files and compiled code from test to test, which halves an opening, and nothing else. */
const kept = new Map<string, Kept>();

/** Opens the app in a profile that is kept, where that is free, or else in a fresh one. */
async function openEmptied(
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions,
): Promise<OpenPage> {
  // What a page takes on by itself.
  const { viewport, colorScheme, reducedMotion, ...own } = options;
  const key = JSON.stringify(own);
  const profile = kept.get(key) ?? { context: await newProfile(browser, own) };
  if (profile.stopListening) return openPage(browser, url, path, options);
  kept.set(key, profile);
  const { complaints, stop } = listen(profile.context, url);
  profile.stopListening = stop;
  const page = await profile.context.newPage();
  if (viewport) await page.setViewportSize(viewport);
  if (colorScheme) await page.emulateMedia({ colorScheme });
  if (reducedMotion) await page.emulateMedia({ reducedMotion });
  await page.goto(url + path);
  return { page, complaints };
}

/** Closes what a test has left open, so that nothing computes on beside the next, and empties the profiles that are kept. */
export async function closePages(): Promise<void> {
  if (!started) return;
  const { url, browser } = await started;
  const all = [...kept.values()];
  for (const context of browser.contexts())
    if (!all.some((profile) => profile.context === context)) await context.close();
  for (const profile of all) {
    if (!profile.stopListening) continue;
    const { context } = profile;
    for (const page of context.pages()) await page.close();
    profile.stopListening();
    delete profile.stopListening;
    const session = await context.newCDPSession(await context.newPage());
    await session.send('Storage.clearDataForOrigin', { origin: new URL(url).origin, storageTypes: 'all' });
  }
}

/** A fresh profile. Each would load all of the app for later, unless its service worker is left out; tests of that ask for it. */
export async function newProfile(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<BrowserContext> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(PATIENCE);
  if (options.serviceWorkers !== 'allow')
    await context.addInitScript(() => void Reflect.deleteProperty(Navigator.prototype, 'serviceWorker'));
  return context;
}

/** The same in any browser. */
export async function openPage(
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const context = await newProfile(browser, options);
  const { complaints } = listen(context, url);
  const page = await context.newPage();
  await page.goto(url + path);
  return { page, complaints };
}

/** Collects what the pages of a profile complain of, until it is stopped. */
function listen(context: BrowserContext, url: string): { complaints: Complaints; stop: () => void } {
  const complaints: Complaints = { console: [], page: [], foreign: [] };
  const { origin } = new URL(url);
  const onConsole = (message: ConsoleMessage) => {
    if (['error', 'warning'].includes(message.type())) complaints.console.push(message.text());
  };
  const onError = (error: WebError) => void complaints.page.push(String(error.error()));
  const onRequest = (request: Request) => {
    const address = new URL(request.url());
    const local = ['data:', 'blob:', 'about:'].includes(address.protocol);
    if (!local && address.origin !== origin) complaints.foreign.push(request.url());
  };
  context.on('console', onConsole).on('weberror', onError).on('request', onRequest);
  const stop = () => {
    context.off('console', onConsole).off('weberror', onError).off('request', onRequest);
  };
  return { complaints, stop };
}

/** Gives files to the page as if the person had chosen a folder. */
export const chooseFolder = (page: Page, files: readonly GivenFile[]): Promise<void> =>
  page.getByLabel('Open a folder').evaluate(giveFiles, sendable(files));

export interface GivenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Files in a form that can be sent to a page. */
export const sendable = (files: readonly GivenFile[]) =>
  files.map(({ path, bytes }) => ({
    name: path.split('/').at(-1) ?? '',
    bytes: Buffer.from(bytes).toString('base64'),
  }));

/** Runs in a page: what is chosen in a button that opens files. */
export function giveFiles(input: Element, list: ReturnType<typeof sendable>): void {
  if (!(input instanceof HTMLInputElement)) throw new Error('It is no field for files.');
  const transfer = new DataTransfer();
  for (const { name, bytes } of list)
    transfer.items.add(new File([Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0))], name));
  input.files = transfer.files;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

/** Builds the app where a source is newer than dist. */
export function buildIfStale(): void {
  const built = join(root, 'dist/index.html');
  if (existsSync(built) && statSync(built).mtimeMs > newest(SOURCES.map((name) => join(root, name)))) return;
  build();
}

/** Time of the last change of files and of folders, whose own times show deletions. */
function newest(paths: string[]): number {
  const times = paths
    .filter((path) => existsSync(path))
    .map((path) => {
      const stat = statSync(path);
      const inside = stat.isDirectory() ? readdirSync(path).map((name) => join(path, name)) : [];
      return Math.max(stat.mtimeMs, newest(inside));
    });
  return Math.max(0, ...times);
}
