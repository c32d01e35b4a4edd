// `npm run test:crash [KILLS]`: kills the browser while it saves checkpoints, a hundred times unless told otherwise.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const args = [
  'node_modules/vitest/vitest.mjs',
  'run',
  '--project',
  'browser',
  'tests/browser/store-crash.test.ts',
];
const env = { ...process.env, KILLS: process.argv[2] ?? '100' };
process.exitCode = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit', env }).status ?? 1;
