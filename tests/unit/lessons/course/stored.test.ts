import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveRun } from '../../../../src/lessons/loop/sequence';
import { storedModel } from '../../../../src/lessons/stored/copying';
import { frameOf } from '../../../stored/main';

test.each(['selective', 'delta-frozen', 'time-invariant'] as const)(
  '%s: the last frame of the recording is what the stored weights compute',
  async (dynamics) => {
    const { seed, steps, frames, weights } = await storedModel(dynamics);
    const run = resolveRun({ task: 'selective_copying', preset: 'tiny', seed, dynamics });
    expect(frameOf(run, weights, steps)).toEqual(frames.at(-1));
    expect(frames[0]?.step).toBe(0);
  },
);

test('all that is stored is less than 1 MB', () => {
  const folder = join(import.meta.dirname, '../../../../src/lessons/stored');
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(1e6);
});
