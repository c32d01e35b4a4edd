import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatVerdict } from './runner/compare';
import { chromiumEngine, nodeEngine, type GoldenEngine } from './runner/engines';

const SUFFIX = '.safetensors';

const USAGE = `Usage: npm run golden -- FOLDER [--browser] [--defaults | --half]

Runs every golden case (*${SUFFIX}) of FOLDER and compares outputs and gradients with the expected ones.
  --browser   in Chromium instead of Node
  --defaults  on a device with WebGPU's default limits and no optional features
  --half      the training runs alone, activations in float16 with a loss scale: every loss within 2 % of the expected one`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * Command `golden FOLDER [--browser] [--defaults | --half]`: one line a case, then `N passed, N failed`.
 * Returns 1 when a case failed or there was none, 2 when the arguments are wrong.
 */
export async function main(args: string[]): Promise<number> {
  const options = readArguments(args);
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const { folder, browser, ...how } = options;
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(SUFFIX) && (!how.half || name.startsWith('train.')))
    .sort();
  if (files.length === 0) {
    console.error(`${folder} has no golden case (${how.half ? 'train.' : ''}*${SUFFIX}).`);
    return 1;
  }
  const engine = await (browser ? chromiumEngine(root, how) : nodeEngine(how));
  try {
    return await runFiles(engine, folder, files);
  } finally {
    await engine.close();
  }
}

/** Prints a line for each file and the count. Returns 1 when a case failed or the engine complained, else 0. */
export async function runFiles(
  engine: GoldenEngine,
  folder: string,
  files: readonly string[],
): Promise<number> {
  let passed = 0;
  for (const file of files) {
    const verdict = await engine.run(file.slice(0, -SUFFIX.length), readFileSync(join(folder, file)));
    if (verdict.passed) passed++;
    console.log(formatVerdict(verdict));
  }
  for (const complaint of engine.complaints) console.error(complaint);
  console.log(`${passed} passed, ${files.length - passed} failed`);
  return passed === files.length && engine.complaints.length === 0 ? 0 : 1;
}

interface Options {
  readonly folder: string;
  readonly browser: boolean;
  readonly defaultsOnly: boolean;
  readonly half: boolean;
}

/** The options, or what is wrong with the arguments. */
function readArguments(args: string[]): Options | string {
  let parsed;
  try {
    const boolean = { type: 'boolean', default: false } as const;
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { browser: boolean, defaults: boolean, half: boolean },
    });
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`;
  }
  const [folder, ...more] = parsed.positionals;
  const { browser, defaults, half } = parsed.values;
  if (folder === undefined || more.length > 0 || (defaults && half)) return USAGE;
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return `There is no folder ${folder}.`;
  return { folder, browser, defaultsOnly: defaults, half };
}
