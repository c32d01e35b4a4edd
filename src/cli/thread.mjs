// The thread in which a command runs; see load.mjs. Vite loads TypeScript and shaders (`?raw`) exactly as it does for the app, so
// no build is needed; the package has no sources, and what was built of them (build.mjs).
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { module, args, root, terminal } = workerData.smokescan;
// A thread's streams do not say so themselves.
process.stderr.isTTY = terminal;
parentPort.on('message', ({ signal }) => process.emit(signal));

async function load() {
  if (!existsSync(join(root, module))) {
    const built = join(root, 'dist-cli', `${basename(module, '.ts')}.js`);
    return (await import(pathToFileURL(built))).main(args);
  }
  const { createServer, createServerModuleRunner } = await import('vite');
  const { DEFINED } = await import('../../kernels_version.mjs');
  const server = await createServer({
    root,
    define: DEFINED,
    // The app's configuration would write into node_modules, where not every account may, and serves pages alone.
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const runner = createServerModuleRunner(server.environments.ssr, { hmr: false });
  const { main } = await runner.import(`/${module}`);
  return main(args);
}

const code = await load().catch((error) => {
  console.error(error);
  return 1;
});
const flushed = (stream) => new Promise((done) => stream.write('', done));
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
process.exit(code);
