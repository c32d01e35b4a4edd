// Runs the `main` of a TypeScript module in Node. Vite loads TypeScript and shaders (`?raw`) exactly as it does for the
// app, so no build is needed.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, createServerModuleRunner } from 'vite';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Loads `module`, a path from the root, and ends the process with the exit code that its main(args) returns. */
export async function runModule(module, args) {
  const code = await load(module)
    .then(({ main }) => main(args))
    .catch((error) => {
      console.error(error);
      return 1;
    });
  await endProcess(code);
}

async function load(module) {
  const server = await createServer({
    root,
    // The app's configuration would write into node_modules, where not every account may, and serves pages alone.
    configFile: false,
    appType: 'custom',
    logLevel: 'warn',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  return createServerModuleRunner(server.environments.ssr, { hmr: false }).import(`/${module}`);
}

const flushed = (stream) => new Promise((done) => stream.write('', done));

/** Dawn and the Vite server keep the process alive, so it is ended rather than awaited. */
async function endProcess(code) {
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}
