import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { resolveRun } from '../../../../src/lessons/loop/sequence';
import { storedModel } from '../../../../src/lessons/stored/copying';
import { Lab } from '../../../../src/lessons/course/lab';
import { storedDetector } from '../../../../src/lessons/stored/detector';
import { aurocOf } from '../../../stored/detector';
import { frameOf } from '../../../stored/main';
import { testDevice } from '../../engine/check-op';

const device = testDevice();

test.each(['selective', 'delta-frozen', 'time-invariant'] as const)(
  '%s: the last frame of the recording is what the stored weights compute',
  async (dynamics) => {
    const { seed, steps, frames, weights } = await storedModel(dynamics);
    const run = resolveRun({ task: 'selective_copying', preset: 'tiny', seed, dynamics });
    expect(frameOf(run, weights, steps)).toEqual(frames.at(-1));
    expect(frames[0]?.step).toBe(0);
  },
);

test('the stored detector tells seizures of patients that it has not seen', async () => {
  const { auroc, weights } = await storedDetector();
  expect(auroc).toBeGreaterThan(0.9);
  expect(await aurocOf(new Lab(device()), weights)).toBeCloseTo(auroc, 3);
});

test('all that is stored is less than 1 MB', () => {
  const folder = join(import.meta.dirname, '../../../../src/lessons/stored');
  const bytes = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  expect(bytes).toBeLessThan(1e6);
});
