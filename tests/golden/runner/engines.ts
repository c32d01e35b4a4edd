/** The two places where golden cases run: the engine in Node, and the same code in a page of Chromium. */
import type { Page } from 'playwright-core';
import { createServer, type ViteDevServer } from 'vite';
import type { Device } from '../../../src/engine/device';
import { launchChromium } from '../../chromium';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import type { Verdict } from './compare';
import { GoldenRunner, type GoldenOptions } from './run';

export interface GoldenEngine {
  run(name: string, file: Uint8Array): Promise<Verdict>;
  /** Errors that belong to no case; the run fails when there are any. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** In this process, on a device of its own or on one that is given. */
export async function nodeEngine(
  options: GoldenOptions,
  device?: Device,
): Promise<GoldenEngine & Pick<GoldenRunner, 'kernels'>> {
  const runner = new GoldenRunner(await requestNodeGpu(), options, device);
  return {
    run: (name, file) => runner.run(name, file),
    kernels: (file) => runner.kernels(file),
    complaints: [],
    close: async () => runner.close(),
  };
}

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/tests/golden/runner/page.ts"></script>';

/** A page that Vite serves from the sources, as the app is served, and the files' bytes beside it. */
export async function chromiumEngine(root: string, options: GoldenOptions): Promise<GoldenEngine> {
  const server = await createServer({
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    optimizeDeps: { noDiscovery: true },
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null },
  });
  await server.listen();
  const browser = await launchChromium().catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const close = async (): Promise<void> => {
    await browser.close();
    await server.close();
  };
  try {
    const page = await browser.newPage();
    const complaints = collectComplaints(page);
    const url = addressOf(server);
    await page.route(`${url}golden`, (route) => route.fulfill({ contentType: 'text/html', body: PAGE }));
    await page.goto(`${url}golden`);
    if (complaints.length > 0) throw new Error(`The page does not load:\n${complaints.join('\n')}`);
    return {
      run: (name, file) => runInPage(page, `${url}golden/case`, options, name, file),
      complaints,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function runInPage(
  page: Page,
  address: string,
  options: GoldenOptions,
  name: string,
  file: Uint8Array,
): Promise<Verdict> {
  await page.route(address, (route) => route.fulfill({ body: Buffer.from(file) }), { times: 1 });
  return page.evaluate(([name, address, options]) => runGolden(name, address, options), [
    name,
    address,
    options,
  ] as const);
}

function collectComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => complaints.push(`page: ${error.message}`));
  page.on('crash', () => complaints.push('the page crashed'));
  return complaints;
}

function addressOf(server: ViteDevServer): string {
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The server of the golden page has no port.');
  return `http://127.0.0.1:${address.port}/`;
}
