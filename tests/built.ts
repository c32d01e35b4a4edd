/** The app as `npm start` has it, for tests and benches that look at it in a browser. */
import { spawnSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve as serveFolder, type Served } from '../src/cli/app';

export type { Served };

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Builds the app, or what `args` of `vite build` name. Throws where it does not build. */
export function build(...args: string[]): void {
  // A process of its own without NODE_ENV: Vite and Vitest set it in theirs, and a build would be one for development, whose
  // service worker does not install.
  const { NODE_ENV: _, ...env } = process.env;
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  const options = { cwd: root, env, stdio: 'inherit' } as const;
  const built = spawnSync(process.execPath, [vite, 'build', '--logLevel', 'warn', ...args], options);
  if (built.status !== 0) throw new Error('The app does not build.');
}

/** Serves a build, the app's own unless told otherwise, on a free port unless one is given, as `smokescan app` does. */
export const serve = (outDir = 'dist', port = 0): Promise<Served> =>
  serveFolder(resolve(root, outDir), { port, host: '127.0.0.1' });
