import { describe, expect, test } from 'vitest';
import { exactly } from '../../../src/base/quantity';

import { GPUS } from '../../../src/config/gpus';
import { PRESETS } from '../../../src/config/presets';
import { readConfig } from '../../../src/config/settings';
import { MACHINES, PLATFORMS, type Machine, type Platform } from '../../../src/config/targets';
import { settingsFrom } from '../../../src/estimate/from_config';
import type { EpochWindows } from '../../../src/estimate/epoch_windows';
import { CORPUS_LENGTHS } from '../../../src/estimate/ram_facts';
import {
  epochHours,
  gpuHours,
  loadingOf,
  startOf,
  statisticsOf,
  validationOf,
  type Plan,
} from '../../../src/estimate/scenario';
import { loadingHours, startHours, statisticsHours, validationHours } from '../../../src/estimate/time';

const preset = (name: string): string => PRESETS.find((one) => one.name === name)?.text ?? '';
const planOf = (name: string, platform: Platform): Plan => ({
  settings: settingsFrom(readConfig(preset(name)).settings, name, platform),
  machine: MACHINES[platform],
});
const A100 = planOf('configs/modal/train_a100.yaml', 'modal');
const LOCAL = planOf('configs/local/train.yaml', 'local');

/** Of a recording of 67 windows. */
const SECONDS = 3600 * loadingHours({ kind: 'given', windows: [67] }, 1, { workers: 1, cores: 1 }).likely;

const on = (plan: Plan, machine: Partial<Machine>): Plan => ({
  ...plan,
  machine: { ...plan.machine, ...machine },
});

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
      expect(hours[bound]).toBeGreaterThanOrEqual(
        statisticsOf(plan)[bound] + loadingOf(plan)[bound] + validationOf(plan)[bound],
      );
    expect(hours.low).toBeLessThanOrEqual(hours.likely);
  });

  test('of a smoke run on a machine of one’s own ends within the hour that its command gives it', () => {
    for (const platform of ['local', 'wsl2'] as const) {
      const smoke = planOf('configs/local/smoke.yaml', platform);
      expect(epochHours(smoke).high + startOf(smoke).high).toBeLessThan(0.5);
    }
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
  test('no epoch’s fast end is below the statistics that it starts with', () => {
    for (const { name } of PRESETS)
      for (const platform of PLATFORMS) {
        const plan = planOf(name, platform);
        expect(epochHours(plan).low, `${name} on ${platform}`).toBeGreaterThanOrEqual(statisticsOf(plan).low);
      }
  });

  test('a validation takes at least the forward passes, which a slow card with many workers waits for', () => {
    const { windows, loader } = LOCAL.settings;
    const settings = { ...LOCAL.settings, loader: { ...loader, workers: 32 } };
    const [slow, fast] = [GPUS.t4, GPUS.h100].map((gpu) => {
      const plan = { settings, machine: { ...LOCAL.machine, gpu, cores: 64 } };
      return { training: gpuHours(plan).likely, validation: validationOf(plan).likely };
    });
    const third = ((slow?.training ?? NaN) * windows.validation) / windows.training / 3;
    const scores = (windows.validation * (38.7 / 800)) / 3600;
    expect(slow?.validation).toBeCloseTo(third + scores, 10);
    expect(fast?.validation).toBeLessThan(third + scores);
  });

  test('a validation decompresses as training does, and scores in one process', () => {
    const [four, eight] = [4, 8].map(
      (workers) => validationHours(CORPUS_LENGTHS, 51_901, { workers, cores: 8 }, 4).likely,
    );
    const scores = (51_901 * (38.7 / 800)) / 3600;
    const loading = loadingHours(CORPUS_LENGTHS, 51_901, { workers: 4, cores: 8 }).likely;
    expect((four as number) - scores).toBeCloseTo(loading, 10);
    expect(2 * ((eight as number) - scores)).toBeCloseTo((four as number) - scores, 10);
  });

  test('a validation scores each rate of false alarms in eleven passes, and its events in one', () => {
    const scored = ['', '  fa_rates: []', '  fa_rates: [5, 1]'].map((line) => {
      const { settings } = readConfig(`evaluation:\n  save_plots: true\n${line}\n`);
      const rates = settingsFrom(settings, 'x.yaml', 'local').rates;
      const given = { kind: 'given', windows: [1] } as const;
      const loaders = { workers: 8, cores: 8 };
      return validationHours(given, 8000, loaders, rates).likely - loadingHours(given, 8000, loaders).likely;
    });
    const pass = 387 / 3600 / 45;
    for (const [i, passes] of [45, 1, 23].entries()) expect(scored[i]).toBeCloseTo(passes * pass, 9);
  });

  test('each epoch reads 1,000 windows first, in one process', () => {
    const recordings = { kind: 'given', windows: [67] } as const;
    const hours = (training: number) => statisticsHours(recordings, { training, validation: 0 }).likely;
    expect(hours(49_760) * 3600).toBeCloseTo(1000 * SECONDS, 6);
    expect(hours(3) * 3600).toBeCloseTo(3 * SECONDS, 6);
    expect(statisticsOf(A100).likely).toBeGreaterThan(0.2);
    const slower = {
      ...A100,
      settings: { ...A100.settings, loader: { ...A100.settings.loader, workers: 1 } },
    };
    expect(statisticsOf(slower)).toEqual(statisticsOf(A100));
  });

  test('a launch reads each recording once that is counted, preprocessed or searched', () => {
    const recordings = { kind: 'given', windows: [67] } as const;
    const seconds = (windows: Partial<EpochWindows>) =>
      startHours(recordings, { training: 49_760, validation: 6700, ...windows }).likely * 3600;
    expect(seconds({})).toBeCloseTo(100 * SECONDS, 6);
    expect(seconds({ counted: 13_400 })).toBeCloseTo(200 * SECONDS, 6);
    expect(seconds({ counted: 0, preprocessed: 6700 })).toBeCloseTo(6700 * 0.1, 6);
    expect(seconds({ searched: 20_000 })).toBeCloseTo(20_100 * SECONDS, 6);
    expect(startOf(A100).likely).toBeGreaterThan(0);
  });
});
