import { describe, expect, test } from 'vitest';
import { exactly } from '../../../src/base/quantity';
import { GPUS, type GpuId } from '../../../src/config/gpus';
import { PRESETS } from '../../../src/config/presets';
import { readConfig } from '../../../src/config/settings';
import { MACHINES, type Machine, type Platform } from '../../../src/config/targets';
import { settingsFrom, type RunSettings } from '../../../src/estimate/from_config';
import { CORPUS_LENGTHS } from '../../../src/estimate/ram_facts';
import {
  costsOf,
  epochHours,
  loadingOf,
  startOf,
  validationOf,
  type Plan,
} from '../../../src/estimate/scenario';
import { loadingHours, startHours, validationHours } from '../../../src/estimate/time';

const preset = (name: string): string => PRESETS.find((one) => one.name === name)?.text ?? '';
const planOf = (name: string, platform: Platform): Plan => ({
  settings: settingsFrom(readConfig(preset(name)).settings, name, platform),
  machine: MACHINES[platform],
});
const A100 = planOf('configs/modal/train_a100.yaml', 'modal');
const LOCAL = planOf('configs/local/train.yaml', 'local');

const set = (plan: Plan, change: Partial<RunSettings>): Plan => ({
  ...plan,
  settings: { ...plan.settings, ...change },
});
const on = (plan: Plan, machine: Partial<Machine>): Plan => ({
  ...plan,
  machine: { ...plan.machine, ...machine },
});

/** Hours of an epoch, and dollars of all epochs, of each plan. */
const likely = (plans: readonly Plan[]) => ({
  hours: plans.map((plan) => epochHours(plan).likely),
  dollars: plans.map((plan) => costsOf(plan).at(-1)?.dollars?.likely ?? NaN),
});

const expectFalling = ({ hours, dollars }: ReturnType<typeof likely>): void => {
  for (const values of [hours, dollars]) {
    expect(values).toEqual([...values].sort((a, b) => b - a));
    expect(values.at(-1)).toBeLessThan(values[0] as number);
  }
};

describe('the time of an epoch', () => {
  test.each([
    ['configs/modal/train_a100.yaml', 'modal'],
    ['configs/local/train.yaml', 'local'],
    ['configs/local/train.yaml', 'wsl2'],
    ['configs/review/tusz_train.yaml', 'wsl2'],
  ] as const)('of %s on %s is not below loading and validation', (name, platform) => {
    const plan = planOf(name, platform);
    const hours = epochHours(plan);
    for (const bound of ['likely', 'high'] as const)
      expect(hours[bound]).toBeGreaterThanOrEqual(loadingOf(plan)[bound] + validationOf(plan)[bound]);
    expect(hours.low).toBeLessThanOrEqual(hours.likely);
  });

  test('falls with workers until the GPU is the slower part, and so do dollars', () => {
    const { loader } = A100.settings;
    const plans = [1, 2, 4, 8, 16, 32].map((workers) => set(A100, { loader: { ...loader, workers } }));
    expectFalling(likely(plans));
    const none = set(A100, { loader: { ...loader, workers: 0 } });
    expect(epochHours(none).likely).toBe(epochHours(plans[0] as Plan).likely);
  });

  test('falls with half precision and with a faster card, where the GPU is the slower part', () => {
    // So many workers that loading is never waited for.
    const fed = set(A100, { loader: { ...A100.settings.loader, workers: 32 } });
    const { vram } = fed.settings;
    const precise = (['fp32', 'fp16'] as const).map((precision) =>
      set(fed, { vram: { ...vram, precision } }),
    );
    expectFalling(likely(precise.map((plan) => on(plan, { gpu: GPUS.l40s }))));
    const cards: readonly GpuId[] = ['t4', 'a10g', 'a100-80', 'h100'];
    const hours = cards.map((id) => epochHours(on(fed, { gpu: GPUS[id] })).likely);
    expect(hours).toEqual([...hours].sort((a, b) => b - a));
  });

  test('rises with the windows that are held out', () => {
    const plans = [0.05, 0.1, 0.2, 0.4].map((share) => {
      const { training, validation, whole = 0 } = A100.settings.windows;
      const all = training / (1 - validation / whole);
      return set(A100, { windows: { training: all * (1 - share), validation: share * whole, whole } });
    });
    const hours = plans.map((plan) => validationOf(plan).likely);
    expect(hours).toEqual([...hours].sort((a, b) => a - b));
    expect(epochHours(plans[3] as Plan).likely).toBeGreaterThan(epochHours(plans[0] as Plan).likely);
  });

  test('is what a person enters, where one is entered', () => {
    const typed = on(LOCAL, { hoursPerEpoch: exactly(0.25, 'measured', 'typed') });
    expect(epochHours(typed).likely).toBe(0.25);
  });

  test('has what was reported as its fast end', () => {
    expect(epochHours(LOCAL).low).toBeLessThan(loadingOf(LOCAL).likely);
    expect(epochHours(LOCAL).source).toContain('2–3 h');
  });
});

describe('beside the GPU', () => {
  test('a validation decompresses as training does, and scores in one process', () => {
    const [four, eight] = [4, 8].map((workers) => validationHours(CORPUS_LENGTHS, 51_901, workers).likely);
    const scores = (51_901 * (38.7 / 800)) / 3600;
    expect((four as number) - scores).toBeCloseTo(loadingHours(CORPUS_LENGTHS, 51_901, 4).likely, 10);
    expect(2 * ((eight as number) - scores)).toBeCloseTo((four as number) - scores, 10);
  });

  test('a launch reads 1,000 windows and each held-out recording first', () => {
    const windows = { training: 49_760, validation: 6700 };
    const recordings = { kind: 'given', windows: [67] } as const;
    const seconds = 3600 * startHours(recordings, windows).likely;
    const each = 3600 * loadingHours(recordings, 1, 1).likely;
    expect(seconds).toBeCloseTo((1000 + 100) * each, 6);
    expect(startOf(A100).likely).toBeGreaterThan(0.2);
    expect(startHours(recordings, { training: 3, validation: 67 }).likely * 3600).toBeCloseTo(4 * each, 6);
  });
});
