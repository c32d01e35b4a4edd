#!/usr/bin/env node
// Runs src/cli/COMMAND.ts: `node src/cli/run.mjs COMMAND [ARGUMENT…]`.
// Vite loads the TypeScript and the shaders (`?raw`) exactly as it does for the app, so no build is needed.
import { readdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createServer, createServerModuleRunner } from 'vite';

const folder = dirname(fileURLToPath(import.meta.url));
const root = resolve(folder, '../..');

/** Loads the command's module and returns its exit code. */
async function run(command, args) {
  const modules = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.slice(0, -3));
  if (!modules.includes(command)) {
    const usage = 'Usage: node src/cli/run.mjs COMMAND [ARGUMENT…]';
    console.error(command === undefined ? usage : `There is no command "${command}" in src/cli.`);
    return 2;
  }
  const server = await createServer({
    root,
    configFile: resolve(root, 'vite.config.ts'),
    appType: 'custom',
    logLevel: 'warn',
    optimizeDeps: { noDiscovery: true },
    server: { middlewareMode: true, hmr: false, ws: false, watch: null },
  });
  const runner = createServerModuleRunner(server.environments.ssr, { hmr: false });
  const module = await runner.import(`/src/cli/${command}.ts`);
  if (typeof module.main !== 'function') {
    console.error(`src/cli/${command}.ts is a part of other commands, not a command.`);
    return 2;
  }
  return module.main(args);
}

const flushed = (stream) => new Promise((done) => stream.write('', done));

const [command, ...args] = process.argv.slice(2);
const code = await run(command, args).catch((error) => {
  console.error(error);
  return 1;
});
await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
// Dawn and the Vite server keep the process alive, so it is ended rather than awaited.
process.exit(code);
