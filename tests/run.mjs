// `npm test`, and with --full `npm run test:full`: static checks and the tests in a browser beside the tests in Node, which
// together keep two cores busy; stops at the first section that fails.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reports = mkdtempSync(join(tmpdir(), 'smokescan-tests-'));
const full = process.argv.includes('--full');
const env = { ...process.env, ...(full && { FULL: '1' }) };
const total = { passed: 0, failed: 0, skipped: 0 };
const running = new Set();
let failedSection;

/** Runs a program of node_modules or tests in Node. What it prints is shown at once, or returned. */
function run(script, args, shown) {
  const stdio = shown ? 'inherit' : ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, [join(root, script), ...args], { cwd: root, stdio, env });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => (output += text));
  return new Promise((resolve) =>
    child.on('close', (status) => {
      running.delete(child);
      resolve({ ok: status === 0, output });
    }),
  );
}

const bin = (script, ...args) => [`node_modules/${script}`, args];
const CACHE = 'node_modules/.cache';

/** Vitest on some of its projects; its counts are added. */
async function vitest(name, projects, shown) {
  const report = join(reports, `${name}.json`);
  const args = ['run', ...projects.flatMap((project) => ['--project', project])];
  // One process: what one file compiles the others have.
  args.push('--no-file-parallelism', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`);
  const result = await run('node_modules/vitest/vitest.mjs', args, shown);
  const counts = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : {};
  total.passed += counts.numPassedTests ?? 0;
  total.failed += counts.numFailedTests ?? 0;
  total.skipped += counts.numPendingTests ?? 0;
  return result;
}

/** The type check must refuse the files in tests/canary, in TypeScript and in Svelte; otherwise it sleeps. */
async function canary() {
  const expected = ['wrong.ts:2', 'wrong.ts:3', 'Wrong.svelte:3'];
  const args = ['--tsconfig', 'tests/canary/tsconfig.json', '--output', 'machine'];
  const { ok, output } = await run(...bin('svelte-check/bin/svelte-check', ...args));
  const found = [...output.matchAll(/ERROR "(?:[^"]*[\\/])?([^"\\/]+)" ?(\d+)/g)].map(
    (m) => `${m[1]}:${m[2]}`,
  );
  const missing = expected.filter((error) => !found.includes(error));
  if (ok || missing.length > 0)
    return { ok: false, output: `The type check did not refuse ${missing.join(', ')}:\n${output}` };
  return { ok: true, output: `The type check refuses ${expected.join(', ')}, as it must.\n` };
}

async function types() {
  const args = ['--tsconfig', './tsconfig.app.json', '--fail-on-warnings'];
  const app = await run(...bin('svelte-check/bin/svelte-check', ...args));
  if (!app.ok) return app;
  const node = await run(...bin('typescript/bin/tsc', '--project', 'tsconfig.node.json'));
  return { ok: node.ok, output: app.output + node.output };
}

const prettier = bin(
  'prettier/bin/prettier.cjs',
  '--check',
  '--cache',
  '--cache-location',
  `${CACHE}/prettier`,
  '.',
);

/** Sections of a lane run one after another, lanes beside each other. */
const lanes = [
  [['Unit tests (vitest)', () => vitest('unit', ['unit', 'half'], true)]],
  [
    ['Formatting (prettier)', () => run(...prettier)],
    ['Types (svelte-check, tsc)', types],
    ['Canary of the type check', canary],
    ['Lint (eslint)', () => run(...bin('eslint/bin/eslint.js', '.'))],
    ['Browser tests (vitest, Chromium)', () => vitest('browser', ['browser'], false)],
  ],
];

async function runLane(sections) {
  for (const [name, section] of sections) {
    if (failedSection) return;
    const begun = Date.now();
    const { ok, output } = await section();
    const stopped = failedSection !== undefined;
    console.log(`\n== ${name}: ${Math.round((Date.now() - begun) / 1000)} s${stopped ? ', stopped' : ''}`);
    if (output && !stopped) process.stdout.write(output);
    if (ok || stopped) continue;
    failedSection = name;
    for (const child of running) child.kill();
  }
}

// SwiftShader, on which both lanes compute where there is no GPU, comes with it.
await runLane([['Chromium', () => run('tests/load.mjs', ['chromium.ts', '--install'])]]);
await Promise.all(lanes.map(runLane));
rmSync(reports, { recursive: true });
if (failedSection) {
  console.log(`\nStopped: "${failedSection}" failed.`);
  // Lint or a crashed test process fails without a failed test, and "0 failed" would be untrue.
  total.failed = Math.max(1, total.failed);
  process.exitCode = 1;
}
const rest = full ? '' : '; npm run test:full runs what takes longer, too';
console.log(`\n${total.skipped} skipped${rest}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
