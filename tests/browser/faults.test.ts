/** A sample of `npm run test:faults`: the kinds that leave the run under way, which cost no compiling. */
import { expect, test } from 'vitest';
import { campaign } from '../faults/campaign';
import { FAULT_NAMES, type FaultName } from '../faults/kinds';
import { FULL } from '../full';

const SHORT: readonly FaultName[] = ['disk full', 'network gone', 'disk full at the end'];

test.skipIf(process.platform !== 'linux')(
  'faults cost nothing that was stored, and a run with them ends as one without, to the bit',
  async () => {
    const kinds = FULL ? FAULT_NAMES : SHORT;
    const { faults, ended, same } = await campaign(kinds, kinds.length, { epochs: FULL ? 3 : 1 });
    expect([...faults.values()]).toEqual(kinds.map(() => ({ times: 1, lost: 0 })));
    expect(ended).toBeGreaterThan(0);
    expect(same).toBe(ended);
  },
  1_800_000,
);
