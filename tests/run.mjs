// `npm test`, and with --full `npm run test:full`: tests on a device, tests in a browser, and all that needs neither beside
// each other, which together keep two cores busy; stops at the first section that fails.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const reports = mkdtempSync(join(tmpdir(), 'smokescan-tests-'));
const full = process.argv.includes('--full');
const env = { ...process.env, [full ? 'FULL' : 'QUICK']: '1' };
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

/** Type check and lint must find what is wrong in tests/canary, in TypeScript and in Svelte; otherwise they sleep. */
async function canary() {
  const expected = ['wrong.ts:2', 'wrong.ts:3', 'Wrong.svelte:3', 'no-floating-promises floating.ts:3'];
  const types = ['--tsconfig', 'tests/canary/tsconfig.json', '--output', 'machine'];
  const checked = await run(...bin('svelte-check/bin/svelte-check', ...types));
  const found = [...checked.output.matchAll(/ERROR "(?:[^"]*[\\/])?([^"\\/]+)" ?(\d+)/g)].map(
    (m) => `${m[1]}:${m[2]}`,
  );
  const rules = ['-c', 'tests/canary/oxlint.json', '--type-aware', '--format=unix', 'tests/canary'];
  const linted = await run(...bin('oxlint/bin/oxlint', ...rules));
  for (const [, file, rule] of linted.output.matchAll(/([^\\/\s]+:\d+):\d+: .*\(([a-z-]+)\)\]/g))
    found.push(`${rule} ${file}`);
  const missing = expected.filter((error) => !found.includes(error));
  if (checked.ok || linted.ok || missing.length > 0)
    return {
      ok: false,
      output: `Not found in tests/canary: ${missing.join(', ')}:\n${checked.output}${linted.output}`,
    };
  return { ok: true, output: `Type check and lint find ${expected.join(', ')}, as they must.\n` };
}

/** Sections of a check: each runs until one fails. */
async function all(...programs) {
  let output = '';
  for (const program of programs) {
    const result = await run(...program);
    output += result.output;
    if (!result.ok) return { ok: false, output };
  }
  return { ok: true, output };
}

const types = [
  bin('svelte-check/bin/svelte-check', '--tsconfig', './tsconfig.app.json', '--tsgo', '--fail-on-warnings'),
  bin('@typescript/native-preview/bin/tsgo', '--project', 'tsconfig.node.json'),
];
const lint = [
  bin('oxlint/bin/oxlint', '--type-aware', '--deny-warnings'),
  bin('eslint/bin/eslint.js', '--max-warnings', '0', '.'),
];

const format = bin('oxfmt/bin/oxfmt', '--check');

/** Sections of a lane run one after another, lanes beside each other: what one waits for leaves the cores to the others. */
const lanes = [
  [['Unit tests on a device (vitest)', () => vitest('gpu', ['kernels', 'gpu', 'half'], true)]],
  [['Browser tests (vitest, Chromium)', () => vitest('browser', ['browser'], false)]],
  [
    ['Formatting (oxfmt)', () => run(...format)],
    ['Types (svelte-check, tsgo)', () => all(...types)],
    ['Canary of types and lint', canary],
    ['Lint (oxlint, eslint)', () => all(...lint)],
    ['Other unit tests (vitest)', () => vitest('unit', ['unit'], false)],
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
