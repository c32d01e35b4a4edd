/** Every setting moves hours and dollars in the direction in which it does on a machine. */
import { describe, expect, test } from 'vitest';
import { GPU_IDS, GPUS, type Gpu } from '../../../src/config/gpus';
import { CORRECTED, PRESETS } from '../../../src/config/presets';
import { readConfig } from '../../../src/config/settings';
import { MACHINES, PLATFORMS, type Machine } from '../../../src/config/targets';
import { settingsFrom, type Values } from '../../../src/estimate/from_config';
import {
  costsOf,
  epochHours,
  gpuHours,
  loadingOf,
  validationOf,
  type Plan,
} from '../../../src/estimate/scenario';
import { FULL } from '../../full';

type Changes = Readonly<Record<string, number | boolean>>;

const files = (FULL ? PRESETS : CORRECTED).map(({ name, text }) => ({
  name,
  values: readConfig(text).settings as Values,
}));

/** A preset with changed values, on a machine. */
function planWith(file: (typeof files)[number], machine: Machine, changes: Changes): Plan {
  const changed = new Map([
    ...file.values,
    ...Object.entries(changes).map(([key, value]) => [key, { value }] as const),
  ]);
  return { settings: settingsFrom(changed, file.name, machine.name), machine };
}

const BOUNDS = ['low', 'likely', 'high'] as const;

/** Hours of an epoch, then those and the dollars of each way to end; at every bound. */
function figuresOf(plan: Plan): number[] {
  const costs = costsOf(plan).flatMap(({ hours, dollars }) => (dollars ? [hours, dollars] : [hours]));
  return [epochHours(plan), ...costs].flatMap((one) => BOUNDS.map((bound) => one[bound]));
}

/** No figure of a plan is above that of the plan before it, by more than a share. */
function expectNoRise(plans: readonly Plan[], about: string, share = 1e-9): void {
  const all = plans.map(figuresOf);
  for (const [i, figures] of all.entries()) {
    const before = all[i - 1];
    if (before)
      figures.forEach((value, j) =>
        expect(value, `${about}, ${i}, ${j}`).toBeLessThanOrEqual((before[j] as number) * (1 + share)),
      );
  }
}

const likely = (plan: Plan): number => epochHours(plan).likely;
const MANY = { 'data.num_workers': 32 };
/** With cores for as many workers, loading is waited for least. */
const fed = (machine: Machine): Machine => ({ ...machine, cores: 64 });

describe.each(PLATFORMS)('on %s', (platform) => {
  const machine = MACHINES[platform];
  const name = (file: (typeof files)[number]): string => `${file.name} on ${platform}`;

  test('more workers take no more hours and dollars, up to the cores; from one to eight they take fewer', () => {
    for (const file of files) {
      const plans = [0, 1, 2, 4, 8, 16, 32].map((workers) =>
        planWith(file, machine, { 'data.num_workers': workers }),
      );
      expectNoRise(plans.slice(0, 5), name(file));
      // More than there are cores take memory alone, which Modal bills where it is more than is asked for.
      expectNoRise(plans.slice(4), name(file), platform === 'modal' ? 0.1 : undefined);
      const [, one, , , eight, , most] = plans.map(likely);
      expect(eight, name(file)).toBeLessThan(one as number);
      if (machine.cores === 8) expect(most).toBe(eight);
    }
  });

  test('mixed precision takes no more than float32, and less of the GPU', () => {
    for (const file of files)
      for (const id of GPU_IDS) {
        const on = { ...fed(machine), gpu: GPUS[id] };
        const plans = [false, true].map((half) =>
          planWith(file, on, { ...MANY, 'training.mixed_precision': half }),
        );
        expectNoRise(plans, `${name(file)}, ${id}`);
        const [single, half] = plans.map((plan) => gpuHours(plan).likely);
        expect(half, `${name(file)}, ${id}`).toBeLessThan(single as number);
      }
  });

  test('a larger batch takes no more, and less of the GPU', () => {
    for (const file of files) {
      const plans = [1, 2, 8, 64, 256].map((batch) =>
        planWith(file, fed(machine), { ...MANY, 'training.batch_size': batch }),
      );
      // Batches that wait take memory, which Modal bills where it is more than is asked for.
      expectNoRise(plans, name(file), platform === 'modal' ? 0.1 : undefined);
      for (const [i, plan] of plans.entries())
        if (i > 0) expect(likely(plan)).toBeLessThanOrEqual(likely(plans[i - 1] as Plan));
      const hours = plans.map((plan) => gpuHours(plan).likely);
      expect(hours.at(-1), name(file)).toBeLessThan(hours[0] as number);
    }
  });

  test('a card that is faster in every way takes no more hours', () => {
    const faster = (a: Gpu, b: Gpu): boolean =>
      a !== b && a.bandwidth >= b.bandwidth && a.half >= b.half && a.fp32 >= b.fp32;
    for (const file of files)
      for (const half of [false, true])
        for (const slow of GPU_IDS)
          for (const fast of GPU_IDS.filter((id) => faster(GPUS[id], GPUS[slow]))) {
            const [before = NaN, after = NaN] = [slow, fast].map((id) =>
              likely(
                planWith(
                  file,
                  { ...fed(machine), gpu: GPUS[id] },
                  { ...MANY, 'training.mixed_precision': half },
                ),
              ),
            );
            expect(after, `${name(file)}, ${slow} to ${fast}, ${half}`).toBeLessThanOrEqual(
              before * (1 + 1e-9),
            );
          }
  });

  test('the low end of a slower card is not below that of the card that was reported', () => {
    const reported = platform === 'modal' ? 'a100-80' : 'rtx4090';
    const precision = { 'training.mixed_precision': platform === 'modal' };
    const { bandwidth, half, fp32 } = GPUS[reported];
    const slower = GPU_IDS.filter(
      (id) => GPUS[id].bandwidth <= bandwidth && GPUS[id].half <= half && GPUS[id].fp32 <= fp32,
    );
    expect(slower.length).toBeGreaterThan(1);
    for (const file of files) {
      const low = (id: (typeof GPU_IDS)[number]): number =>
        epochHours(planWith(file, { ...machine, gpu: GPUS[id] }, precision)).low;
      for (const id of slower)
        expect(low(id), `${name(file)}, ${id}`).toBeGreaterThanOrEqual(low(reported) - 1e-9);
    }
  });

  test('the more is held out, the longer validation and the shorter training takes', () => {
    for (const file of files) {
      const smoke = /smoke/.test(file.name);
      const plans = (smoke ? [0.1, 0.2, 0.3, 0.5] : [0.02, 0.05, 0.1, 0.2, 0.4]).map((split) =>
        planWith(file, machine, { 'data.validation_split': split }),
      );
      const [validations, loadings] = [
        plans.map((plan) => validationOf(plan).likely),
        plans.map((plan) => loadingOf(plan).likely),
      ];
      expect(validations, name(file)).toEqual([...validations].sort((a, b) => a - b));
      expect(loadings, name(file)).toEqual([...loadings].sort((a, b) => b - a));
      // Balanced sampling draws few of the windows, validation takes all that are held out.
      if (!smoke) expectNoRise([...plans].reverse(), name(file));
    }
  });

  test('without a cache a run takes longer than with one', () => {
    for (const file of files) {
      const [built, none] = (['built', 'none'] as const).map((cache): Plan => ({
        settings: settingsFrom(file.values, file.name, platform, { cache }),
        machine,
      }));
      const hours = (plan?: Plan): number => (plan && costsOf(plan).at(-1)?.hours.likely) ?? NaN;
      // A manifest of the whole corpus is longer to train on than 50 recordings.
      if (built?.settings.windows.about?.includes('validation alone')) continue;
      if (hours(built) < Infinity) expect(hours(none), name(file)).toBeGreaterThan(hours(built));
    }
  });
});
