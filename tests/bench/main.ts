import { readFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { AdapterDescription } from '../../src/engine/device';
import { specs, type BenchSpec, type Work } from './harness/cases';
import { chromiumPlace, nodePlace, type Place } from './harness/places';
import type { Bench, ContenderName } from './harness/protocol';
import { formatCase, isWrong, titleOf, TITLES, type Outcome, type Outcomes } from './harness/report';

const ROUNDS = 9;
/** For the preparation of a contender (compilation, first run, check), and for any run after it. */
const LIMIT_S = 240;
/** A contender whose runs have taken this long sits the remaining rounds out, unless it has too few for a median. */
const BUDGET_MS = 60_000;
const FEWEST_RUNS = 3;

const USAGE = `Usage: npm run bench -- [CASE…] [--rounds N] [--small] [--node] [--limit SECONDS]

Measures the engine beside jax-js, TensorFlow.js and loops on the CPU, in one page of Chromium. Cases:
  ${Object.keys(specs).join(', ')}
  --rounds N   runs of each contender, in turn (${ROUNDS})
  --small      small sizes, for which there are no targets
  --node       the engine and the CPU loops only, in Node
  --limit S    seconds that a contender may take to its first result, or for a run (${LIMIT_S})`;

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

interface Options {
  readonly chosen: readonly BenchSpec[];
  readonly rounds: number;
  readonly small: boolean;
  readonly node: boolean;
  readonly limitMs: number;
}

/**
 * Command `bench [CASE…]`: a line on the machine, then each case. Returns 1 when a result was wrong or the engine gave
 * none, 2 when the arguments are wrong. Ratios are reported, never judged.
 */
export async function main(args: string[]): Promise<number> {
  const options = readArguments(args);
  if (typeof options === 'string') {
    console.error(options);
    return 2;
  }
  const place = await (options.node ? nodePlace(root) : chromiumPlace(root));
  try {
    const adapter = await withBench(place, (bench) => bench.adapter());
    console.log(describeMachine(place, adapter));
    let failed = false;
    for (const spec of options.chosen) {
      const work = options.small ? spec.small : spec.full;
      console.log(`\n${titleOf(work)}`);
      const outcomes = await measure(place, work, options);
      const targets = options.small ? undefined : spec.targets;
      console.log(formatCase(outcomes, targets));
      failed ||= hasFailed(outcomes);
    }
    return failed ? 1 : 0;
  } finally {
    await place.close();
  }
}

const hasFailed = (outcomes: Outcomes): boolean =>
  outcomes.get('ours')?.outcome === 'failed' ||
  [...outcomes.values()].some((outcome) => outcome.outcome === 'measured' && isWrong(outcome));

async function withBench<T>(place: Place, work: (bench: Bench) => Promise<T>): Promise<T> {
  const bench = await place.open();
  try {
    return await work(bench);
  } finally {
    await bench.close();
  }
}

/** A contender gave no result; what it started may still keep the device busy. */
class ContenderError extends Error {
  constructor(
    readonly contender: ContenderName,
    reason: string,
  ) {
    super(reason);
  }
}

/** All contenders of the place side by side; when one fails, again from the start without it. */
async function measure(place: Place, work: Work, options: Options): Promise<Outcomes> {
  const failures = new Map<ContenderName, string>();
  for (;;) {
    const contenders = place.contenders.filter((name) => !failures.has(name));
    try {
      const outcomes = await withBench(place, (bench) => attempt(bench, contenders, work, options));
      for (const [name, reason] of failures) outcomes.set(name, { outcome: 'failed', reason });
      return outcomes;
    } catch (error) {
      if (!(error instanceof ContenderError)) throw error;
      console.error(`${TITLES[error.contender]}: ${error.message}; starting again without it`);
      failures.set(error.contender, error.message);
    }
  }
}

/** First everyone's result, checked; then the rounds, in each of which everyone runs once. */
async function attempt(
  bench: Bench,
  contenders: readonly ContenderName[],
  work: Work,
  { rounds, limitMs }: Options,
): Promise<Map<ContenderName, Outcome>> {
  const limited = <T>(name: ContenderName, what: string, promise: Promise<T>): Promise<T> =>
    within(limitMs, promise, what).catch((error: unknown) => {
      throw new ContenderError(name, error instanceof Error ? firstLine(error.message) : String(error));
    });
  const outcomes = new Map<ContenderName, Outcome>();
  const timed = new Map<ContenderName, number[]>();
  for (const name of contenders) {
    const started = performance.now();
    const prepared = await limited(name, 'first result', bench.prepare(name, work));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.error(`  ${TITLES[name]}: ${prepared ? `first result after ${seconds} s` : 'leaves this out'}`);
    const times: number[] = [];
    outcomes.set(name, prepared ? { outcome: 'measured', ...prepared, times } : { outcome: 'absent' });
    if (prepared && !isWrong(prepared)) timed.set(name, times);
  }
  for (let round = 0; round < rounds; round++)
    for (const [name, times] of timed) {
      const spent = times.reduce((sum, ms) => sum + ms, 0);
      if (times.length >= FEWEST_RUNS && spent > BUDGET_MS) continue;
      times.push(await limited(name, 'run', bench.run(name)));
    }
  return outcomes;
}

/** Rejects when `promise` takes longer; the work itself goes on. */
async function within<T>(limitMs: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no ${what} within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const firstLine = (message: string): string => message.split('\n')[0] ?? '';

/** Everything that the numbers below depend on. */
function describeMachine(place: Place, adapter: AdapterDescription): string {
  const names = [adapter.description, adapter.vendor, adapter.architecture].filter((name) => name !== '');
  const processors = cpus();
  const libraries = ['@jax-js/jax', '@tensorflow/tfjs-backend-webgpu'].map(
    (name) => `${name} ${version(name)}`,
  );
  return [
    `adapter ${names.join(', ') || 'unnamed'}`,
    `${processors.length} cores (${processors[0]?.model.trim() ?? 'unknown'}), load ${loadavg()[0]?.toFixed(1)} at the start`,
    [place.name, ...(place.contenders.includes('jax') ? libraries : [])].join(', '),
  ].join('\n');
}

function version(name: string): string {
  const text = readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** The options, or what is wrong with the arguments. */
function readArguments(args: string[]): Options | string {
  let parsed;
  try {
    const boolean = { type: 'boolean', default: false } as const;
    const string = (value: number) => ({ type: 'string', default: String(value) }) as const;
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: { rounds: string(ROUNDS), limit: string(LIMIT_S), small: boolean, node: boolean },
    });
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`;
  }
  const { positionals, values } = parsed;
  const unknown = positionals.find((name) => !Object.hasOwn(specs, name));
  if (unknown !== undefined) return `There is no case ${unknown}.\n\n${USAGE}`;
  const [rounds, limit] = [Number(values.rounds), Number(values.limit)];
  if (!Number.isInteger(rounds) || rounds < 1 || !(limit > 0)) return USAGE;
  const chosen = Object.entries(specs)
    .filter(([name]) => positionals.length === 0 || positionals.includes(name))
    .map(([, spec]) => spec);
  return { chosen, rounds, small: values.small, node: values.node, limitMs: limit * 1000 };
}
