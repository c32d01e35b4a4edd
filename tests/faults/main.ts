import { stoppable } from '../../src/cli/signals';
import { campaign, campaignTable, isClean } from './campaign';
import { FAULT_NAMES } from './kinds';

const USAGE = `Usage: npm run test:faults -- [COUNT] [SEED]

Trains the smallest detector in Chromium again and again, and does harm to it: COUNT faults, 1000 unless told otherwise, of eleven
kinds in turn. Prints what was lost, and how many runs ended as one that was left alone; where it is stopped, of those until then.`;

/** Command `faults [COUNT] [SEED]`. Returns 1 where something was lost, a run ended otherwise or it was stopped, 2 for wrong arguments. */
export async function main(args: string[]): Promise<number> {
  const [count = 1000, seed = 1] = args.map(Number);
  if (args.length > 2 || !Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
    console.error(USAGE);
    return 2;
  }
  return stoppable(async (signals) => {
    const result = await campaign(FAULT_NAMES, count, {
      seed,
      told: (line) => console.log(line),
      stopped: () => signals.stopped,
    });
    console.log(`\n${campaignTable(result)}`);
    return isClean(result) && !signals.stopped ? 0 : 1;
  });
}
