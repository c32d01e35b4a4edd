/** Where the bench runs: a page of Chromium with all contenders, or Node with those that need no browser. */
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { createServer, type InlineConfig, type ViteDevServer } from 'vite';
import { launchChromium } from '../../chromium';
import { requestNodeGpu } from '../../../src/cli/node_gpu';
import { CONTENDERS, type Bench, type ContenderName } from './protocol';

export interface Place {
  /** As in `Chromium 140.0.7339.16`. */
  readonly name: string;
  readonly contenders: readonly ContenderName[];
  /** A bench in which nothing has happened yet. */
  open(): Promise<Bench>;
  close(): Promise<void>;
}

const MODULE = '/tests/bench/page.ts';

/** Isolation from other origins gives the page a clock of 5 µs instead of 100 µs. */
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const PAGE = `<!doctype html><link rel="icon" href="data:,"><script type="module">
import '${MODULE}';
globalThis.bench = createBench(navigator.gpu);
</script>`;

function viteOptions(root: string): InlineConfig {
  return {
    root,
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    // The app's server has other dependencies; with one cache each would throw away the other's.
    cacheDir: join(root, 'node_modules/.vite-bench'),
    optimizeDeps: {
      noDiscovery: true,
      include: ['@jax-js/jax', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'],
    },
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false, watch: null, headers: ISOLATED },
  };
}

/** A browser of its own for each bench: pools are empty, and a contender that hangs cannot slow the next. */
export async function chromiumPlace(root: string): Promise<Place> {
  const server = await createServer(viteOptions(root));
  await server.listen();
  try {
    const url = `${addressOf(server)}bench`;
    const probe = await launchChromium();
    const version = probe.version();
    await probe.close();
    return {
      name: `Chromium ${version}`,
      contenders: CONTENDERS,
      open: async () => openPage(await launchChromium(), url),
      close: () => server.close(),
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

async function openPage(browser: Browser, url: string): Promise<Bench> {
  try {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.route(url, (route) =>
      route.fulfill({ contentType: 'text/html', body: PAGE, headers: ISOLATED }),
    );
    await page.goto(url);
    if (errors.length > 0) throw new Error(`The page does not load: ${errors.join('\n')}`);
    return {
      adapter: () => page.evaluate(() => bench.adapter()),
      prepare: (contender, work) =>
        page.evaluate(([contender, work]) => bench.prepare(contender, work), [contender, work] as const),
      run: (contender) => page.evaluate((contender) => bench.run(contender), contender),
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

function addressOf(server: ViteDevServer): string {
  const address = server.httpServer?.address();
  if (!address || typeof address === 'string') throw new Error('The server of the bench has no port.');
  return `http://127.0.0.1:${address.port}/`;
}

/** Dawn without a browser; the libraries need one. */
export async function nodePlace(root: string): Promise<Place> {
  const gpu = await requestNodeGpu();
  const server = await createServer({
    ...viteOptions(root),
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  await server.ssrLoadModule(MODULE);
  return {
    name: `Node ${process.versions.node}`,
    contenders: ['ours', 'cpu'],
    open: async () => createBench(gpu),
    close: () => server.close(),
  };
}
