/** A Chromium with a profile on the disk that can be killed, and the page of the store's tests in it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium, type Page } from 'playwright-core';
import { createServer } from 'vite';
import { findChromium } from '../../chromium';
import { PATIENCE } from '../app';

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/tests/browser/store/page.ts"></script>';

export interface Site {
  readonly url: string;
  close(): Promise<void>;
}

/** The sources, served by Vite; the origin stays the same while browsers come and go. */
export async function startSite(): Promise<Site> {
  const server = await createServer({
    root: join(import.meta.dirname, '../../..'),
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null },
    plugins: [
      {
        name: 'store-tests',
        configureServer: (vite) => {
          vite.middlewares.use('/store', (_, response) => {
            response.setHeader('Content-Type', 'text/html');
            response.end(PAGE);
          });
        },
      },
    ],
  });
  await server.listen();
  const { port } = server.httpServer!.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/store`, close: () => server.close() };
}

export interface Killable {
  readonly page: Page;
  /** SIGKILL, to the browser and all its processes. */
  kill(): Promise<void>;
  /** SIGKILL to the process that talks to the GPU; Linux only. */
  killGpu(): void;
  /** Stops all its processes for so many milliseconds, as a machine that sleeps does. */
  suspend(milliseconds: number): Promise<void>;
}

export interface KillableOptions {
  readonly onAnnounce?: (step: number) => void;
  /** Of Chromium. */
  readonly args?: readonly string[];
  /** A global that the page has when it is loaded. */
  readonly ready?: string;
}

/** Starts Chromium on a profile's folder and opens the page. */
export async function startKillable(
  profile: string,
  url: string,
  { onAnnounce, args = ['--disable-gpu'], ready = 'storeTests' }: KillableOptions = {},
): Promise<Killable> {
  const program = findChromium();
  if (program === undefined) throw new Error('No Chromium was found.');
  const portFile = join(profile, 'DevToolsActivePort');
  rmSync(portFile, { force: true });
  const child = spawn(
    program,
    [
      '--headless',
      '--no-sandbox',
      ...args,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--password-store=basic',
      '--hide-crash-restore-bubble',
      'about:blank',
    ],
    // A group of its own, so that all its processes can be killed at once.
    { stdio: 'ignore', detached: true },
  );
  const kill = (): Promise<void> => killGroup(child);
  try {
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${await portOf(child, portFile)}`);
    const [context] = browser.contexts();
    if (!context) throw new Error('Chromium has no context.');
    context.setDefaultTimeout(PATIENCE);
    const page = await context.newPage();
    if (onAnnounce) await page.exposeFunction('announce', onAnnounce);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    await page
      .waitForFunction((name) => name in globalThis, ready)
      .catch((error: unknown) => {
        throw new Error(`The page does not load: ${complaints.join('; ')}`, { cause: error });
      });
    const suspend = async (milliseconds: number): Promise<void> => {
      const group = -(child.pid ?? NaN);
      process.kill(group, 'SIGSTOP');
      await sleep(milliseconds);
      process.kill(group, 'SIGCONT');
    };
    return { page, kill, killGpu: () => killGpu(child), suspend };
  } catch (error) {
    await kill();
    throw error;
  }
}

async function portOf(child: ChildProcess, file: string): Promise<string> {
  for (let waited = 0; waited < 60_000; waited += 50) {
    const [port] = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (port) return port;
    if (child.exitCode !== null) throw new Error(`Chromium ended with ${child.exitCode}.`);
    await sleep(50);
  }
  throw new Error('Chromium did not start within a minute.');
}

async function killGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((done) => child.once('exit', done));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

function killGpu({ pid }: ChildProcess): void {
  const ofGroup = ['--pgroup', String(pid), '--full', 'type=gpu-process'];
  const { status } = spawnSync('pkill', ['--signal', 'KILL', ...ofGroup]);
  if (status !== 0) throw new Error('There is no GPU process to kill.');
}
