import { Random } from '../../base/random';
import type { Lab } from '../course/lab';
import type { Bar, Measured, Measures } from '../course/step';
import { timeScans } from './kernels';
import {
  doubling,
  FLOAT32,
  FLOAT64,
  intervals,
  randomBracketing,
  randomTokens,
  sweep,
  ulpOf,
  walk,
  type Scanned,
} from './tree';

const BRACKETINGS = 1000;
const EIGHT = 8;

/** A count or a time has nothing in float64 beside it. */
const count = (name: string, value: number): Bar => ({ name, value, reference: NaN });

/** 1,000 rows of eight tokens, each joined in a random order, against walking. */
async function order(): Promise<Measured> {
  const random = new Random(0).stream('bracketings');
  const shares = [0, 0, 0, 0, 0];
  let worst64 = 0;
  for (let i = 0; i < BRACKETINGS; i++) {
    const tokens = randomTokens(EIGHT, i);
    const [single, double] = [walk(tokens, FLOAT32).h, walk(tokens, FLOAT64).h];
    const order = random.stream(String(i));
    const got = randomBracketing(tokens, order, FLOAT32);
    const again = randomBracketing(tokens, random.stream(String(i)), FLOAT64);
    const ulp = ulpOf(Math.max(...single.map(Math.abs)));
    const apart = Math.min(4, Math.ceil(Math.abs(got - (single.at(-1) as number)) / ulp));
    shares[apart] = (shares[apart] as number) + 100 / BRACKETINGS;
    const largest = Math.max(...double.map(Math.abs));
    worst64 = Math.max(worst64, Math.abs(again - (double.at(-1) as number)) / largest);
  }
  return {
    answer: [(shares[0] as number) > 99 ? 0 : 1],
    facts: {
      equal: shares[0] as number,
      max: shares.findLastIndex((share) => share > 0),
      worst64,
    },
    bars: shares.map((value, i) => ({ name: i === 4 ? '4 or more' : String(i), value, reference: NaN })),
  };
}

async function rounds(): Promise<Measured> {
  const tokens = randomTokens(EIGHT, 0);
  const [one, all] = [walk(tokens, FLOAT64), doubling(tokens, FLOAT64)];
  const swept = sweep(tokens, FLOAT64);
  return {
    answer: [all.rounds, all.joins],
    facts: { rounds: all.rounds, joins: all.joins, walk: one.joins, sweep: swept.joins, deep: swept.rounds },
    bars: [count('walk', one.joins), count('doubling', all.joins), count('up and down', swept.joins)],
  };
}

const LONG = 4096;
/** Repeated until it took so long, as a browser's clock is coarse. */
const ENOUGH_MS = 40;

/** Milliseconds of one run of each, the best of three rounds, in which they take turns; the first run may still compile. */
function millisecondsOf(runs: readonly (() => unknown)[]): number[] {
  for (const run of runs) run();
  const best = runs.map(() => Infinity);
  for (let round = 0; round < 3; round++)
    for (const [i, run] of runs.entries()) {
      const start = performance.now();
      let times = 0;
      do {
        run();
        times++;
      } while (performance.now() - start < ENOUGH_MS);
      best[i] = Math.min(best[i] as number, (performance.now() - start) / times);
    }
  return best;
}

/** The two ways that the engine has, on its kernels, or without them in a loop of JavaScript; what it has not is counted alone. */
async function faster(lab: Lab): Promise<Measured> {
  const tokens = randomTokens(LONG, 0);
  const cut = (): Scanned => intervals(tokens, 128, FLOAT32);
  const [walkMs, cutMs] = lab.device
    ? await timeScans(lab.device, LONG)
    : (millisecondsOf([() => walk(tokens, FLOAT32), cut]) as [number, number]);
  const doubled = doubling(tokens, FLOAT32);
  return {
    answer: [walkMs <= cutMs ? 0 : 1],
    facts: {
      kernels: Number(lab.device !== undefined),
      walkMs,
      cutMs,
      walkJoins: walk(tokens, FLOAT32).joins,
      cutJoins: cut().joins,
      doubledJoins: doubled.joins,
      rounds: doubled.rounds,
    },
    bars: [count('walk', walkMs), count('intervals', cutMs)],
  };
}

/** The decay of an interval of 128 tokens in float32: as a product of 128, and as one exponential of the sum. */
async function interval(): Promise<Measured> {
  const random = new Random(0).stream('interval');
  let [product, single] = [0, 0];
  for (let i = 0; i < BRACKETINGS; i++) {
    const A = -(1 + random.integer(16));
    const deltas = Array.from({ length: 128 }, () => Math.fround(0.001 * 10 ** random.uniform()));
    const exact = Math.exp(A * deltas.reduce((sum, delta) => sum + delta, 0));
    const multiplied = deltas.reduce(
      (decay, delta) => Math.fround(decay * Math.fround(Math.exp(Math.fround(A * delta)))),
      1,
    );
    const sum = deltas.reduce((sum, delta) => Math.fround(sum + delta), 0);
    const once = Math.fround(Math.exp(Math.fround(A * sum)));
    product = Math.max(product, Math.abs(multiplied / exact - 1));
    single = Math.max(single, Math.abs(once / exact - 1));
  }
  return {
    answer: [1],
    facts: { product, single },
    bars: [
      { name: '128 decays', value: 1e6 * product, reference: NaN },
      { name: 'exp(A·ΣΔ)', value: 1e6 * single, reference: NaN },
    ],
  };
}

async function transfer(): Promise<Measured> {
  const { joins, rounds } = doubling(randomTokens(1024, 0), FLOAT32);
  return {
    answer: [joins, rounds],
    facts: { joins, rounds },
    bars: [count('walk', walk(randomTokens(1024, 0), FLOAT32).joins), count('doubling', joins)],
  };
}

export const measures: Measures = { order, rounds, faster, interval, transfer };
