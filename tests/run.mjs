// The whole of `npm test`: every section in order, stopping at the first that fails.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reports = mkdtempSync(join(tmpdir(), 'smokescan-tests-'));
const total = { passed: 0, failed: 0 };

function run(command, args, options = {}) {
  // On Windows npm is a script, which only a shell starts.
  const shell = process.platform === 'win32' && command === 'npm';
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', encoding: 'utf8', shell, ...options });
}

const script = (name, ...args) => run('npm', ['run', '--silent', name, ...args]).status === 0;

/** Runs a Vitest script and adds its counts. */
function vitest(name) {
  const report = join(reports, `${name.replace(':', '-')}.json`);
  const args = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ok = script(name, '--', ...args);
  const { numPassedTests = 0, numFailedTests = 0 } = existsSync(report)
    ? JSON.parse(readFileSync(report, 'utf8'))
    : {};
  total.passed += numPassedTests;
  total.failed += numFailedTests;
  return ok;
}

/** The type check must refuse the files in tests/canary, in TypeScript and in Svelte; otherwise it sleeps. */
function canary() {
  const expected = ['wrong.ts:2', 'wrong.ts:3', 'Wrong.svelte:3'];
  const bin = join(root, 'node_modules/svelte-check/bin/svelte-check');
  const args = [bin, '--tsconfig', 'tests/canary/tsconfig.json', '--output', 'machine'];
  const { status, stdout } = run(process.execPath, args, { stdio: 'pipe' });
  const found = [...stdout.matchAll(/ERROR "(?:[^"]*[\\/])?([^"\\/]+)" ?(\d+)/g)].map(
    (m) => `${m[1]}:${m[2]}`,
  );
  const missing = expected.filter((error) => !found.includes(error));
  if (status === 0 || missing.length > 0) {
    console.error(`The type check did not refuse ${missing.join(', ')}:\n${stdout}`);
    return false;
  }
  console.log(`The type check refuses ${expected.join(', ')}, as it must.`);
  return true;
}

const sections = [
  ['Chromium', () => run(process.execPath, ['tests/load.mjs', 'chromium.ts', '--install']).status === 0],
  ['Formatting (prettier)', () => script('format:check')],
  ['Lint (eslint)', () => script('lint')],
  ['Types (svelte-check, tsc)', () => script('check')],
  ['Canary of the type check', canary],
  ['Unit tests (vitest)', () => vitest('test:unit')],
  ['Browser tests (vitest, Chromium)', () => vitest('test:browser')],
];

let failedSection;
for (const [name, passes] of sections) {
  console.log(`\n== ${name}`);
  if (!passes()) {
    failedSection = name;
    process.exitCode = 1;
    break;
  }
}
rmSync(reports, { recursive: true });
if (failedSection) {
  console.log(`\nStopped: "${failedSection}" failed.`);
  // Lint or a crashed test process fails without a failed test, and "0 failed" would be untrue.
  total.failed = Math.max(1, total.failed);
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
