/** Runs with faults, beside one without: what is lost, and whether the ends are the same. */
import { FAULTS, type FaultName } from './kinds';
import { TrainedPage } from './trained_page';

export interface Campaign {
  /** Of each kind: how often it came about, and how many stored steps were trained again. */
  readonly faults: ReadonlyMap<FaultName, { times: number; lost: number }>;
  /** Runs with faults that came to their end. */
  readonly ended: number;
  /** Those that ended bit for bit as the one without: weights, moments, losses, scores. */
  readonly same: number;
  /** Tabs in which the browser did not start to load the app. */
  readonly blank: number;
}

/** `kinds` in turn until so many faults came about, or it is `stopped`. Throws where a run does not go on, or the page does not say what it should. */
export async function campaign(
  kinds: readonly FaultName[],
  count: number,
  { seed = 1, epochs = 3, told = (_: string): void => undefined, stopped = (): boolean => false } = {},
): Promise<Campaign> {
  const run = await TrainedPage.open(seed, epochs);
  const faults = new Map(kinds.map((name) => [name, { times: 0, lost: 0 }]));
  let [total, ended, same] = [0, 0, 0];
  const end = async (): Promise<Readonly<Record<string, unknown>>> => {
    await run.until(() => run.ended());
    // A disk that was full when the run ended did not take it; the page then has a button.
    const again = run.page.getByRole('button', { name: 'Store it now' });
    await run.until(async () => {
      if (await again.isVisible()) await again.click();
      return ((await run.stored())?.outcome ?? null) !== null;
    }, true);
    return { ...(await run.stored()), generations: 0 };
  };
  try {
    await run.start();
    const unbroken = await end();
    while (total < count && !stopped()) {
      await run.start();
      while (total < count && !stopped() && (await run.more(1 + run.random.integer(3)))) {
        const name = kinds[total % kinds.length] as FaultName;
        told(`${name}, step ${await run.step()}`);
        const lost = await FAULTS[name](run);
        if (lost === undefined) continue;
        total++;
        const tally = faults.get(name) as { times: number; lost: number };
        tally.times++;
        tally.lost += lost;
      }
      if (stopped()) break;
      ended++;
      const differences = differencesOf(unbroken, await end());
      if (differences.length === 0) same++;
      for (const difference of differences) told(`It ended otherwise: ${difference}`);
      told(`${total} faults, ${ended} runs ended, ${same} as the unbroken one`);
    }
  } finally {
    await run.close();
  }
  return { faults, ended, same, blank: run.blank };
}

/** What two ends have otherwise. */
const differencesOf = (one: Readonly<Record<string, unknown>>, other: typeof one): string[] =>
  Object.keys(one)
    .map((key) => [key, JSON.stringify(one[key]), JSON.stringify(other[key])])
    .filter(([, left, right]) => left !== right)
    .map(([key, left, right]) => `${key} is ${right}, not ${left}`);

/** As text: a row a kind, their sum, and the runs. */
export function campaignTable({ faults, ended, same, blank }: Campaign): string {
  const rows = [...faults].map(([name, { times, lost }]) => [name, times, lost] as const);
  const sum = (column: 1 | 2): number => rows.reduce((total, row) => total + row[column], 0);
  const lines = [['fault', 'times', 'stored steps lost'] as const, ...rows, ['all', sum(1), sum(2)] as const];
  const width = Math.max(...lines.map(([name]) => name.length));
  return [
    ...lines.map(([name, times, lost]) => `${name.padEnd(width)}  ${`${times}`.padStart(6)}  ${lost}`),
    `${ended} runs ended, ${same} of them bit for bit as an unbroken one.`,
    ...(blank > 0 ? [`A tab stayed blank, and another loaded the app: ${blank}.`] : []),
  ].join('\n');
}

export const isClean = ({ faults, ended, same }: Campaign): boolean =>
  ended === same && [...faults.values()].every(({ lost }) => lost === 0);
