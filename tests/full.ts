import { test } from 'vitest';

/** Whether all is run: FULL=1 in the environment, as `npm run test:full` sets it. */
export const FULL = process.env['FULL'] === '1';

/** A test that takes long for what it adds to the others: reported as skipped, unless all is run. */
export const fullTest = test.skipIf(!FULL);
