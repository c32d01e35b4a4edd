import { describe, expect, test } from 'vitest';
import { settingsFrom } from '../../../src/estimate/from_config';
import { GPUS } from '../../../src/config/gpus';
import { MACHINES } from '../../../src/config/targets';
import { exactly } from '../../../src/base/quantity';
import {
  epochHours,
  gpuHours,
  loadingOf,
  statisticsOf,
  validationOf,
  type Plan,
} from '../../../src/estimate/scenario';
import { scenarioTable } from '../../../src/estimate/scenario_table';
import {
  EFFICIENCY,
  hoursFromRun,
  ratioOf,
  sideOn,
  type BrowserRun,
  type TrainerRun,
} from '../../../src/estimate/time_run';
import { windowWork, workOf } from '../../../src/estimate/time_work';
import type { VramRun } from '../../../src/estimate/vram/options';
import { PRODUCTION_VRAM } from './plans';
import { settingsIn } from '../../../src/config/settings';
import { costOf } from '../../../src/training/fits';
import { PRODUCTION_RUN, type EegSettings } from '../../../src/training/settings';

const run: VramRun = { ...PRODUCTION_VRAM, mixer: 'conv', convKernel: 3, loss: 'bce' };
const A100 = GPUS['a100-80'];
/** Of a device with the default limits. */
const CAPABILITIES = {
  limits: {
    maxComputeWorkgroupStorageSize: 16_384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxStorageBuffersPerShaderStage: 8,
    maxStorageBufferBindingSize: 2 ** 27,
  },
  subgroups: false,
  half: false,
  software: false,
};

describe('a short run of the trainer', () => {
  const short: TrainerRun = {
    made: 'trainer',
    seconds: 72,
    windows: 1000,
    run,
    gpu: A100,
    basis: 'measured',
    source: 'typed',
  };

  test('of the same model on the same card is measured, and scaled by windows alone', () => {
    const { hours } = hoursFromRun(short, 50_000, run, A100);
    for (const bound of ['low', 'likely', 'high'] as const) expect(hours[bound]).toBeCloseTo(1, 12);
    expect(hours.basis).toBe('measured');
    expect(hours.source).toBe('typed');
  });

  test('of another depth lies between no change and its share of FLOPs and bytes', () => {
    const half = { ...run, layers: 3 };
    const { hours, from, to } = hoursFromRun({ ...short, run: half }, 50_000, run, A100);
    const flops = windowWork(run).flops / windowWork(half).flops;
    const bytes = windowWork(run).bytes / windowWork(half).bytes;
    expect(flops).toBeGreaterThan(1.05);
    expect(hours.low).toBeCloseTo(1, 12);
    expect(hours.high).toBeCloseTo(Math.max(flops, bytes), 12);
    expect(hours.likely).toBeCloseTo(to.limit / from.limit, 12);
    expect(hours.likely).toBeGreaterThan(1);
    expect(hours.basis).toBe('derived');
  });

  test('on another card takes what the data sheets say, and never surely longer or shorter', () => {
    const l4 = hoursFromRun(short, 50_000, run, GPUS.l4).hours;
    const h100 = hoursFromRun(short, 50_000, run, GPUS.h100).hours;
    expect(l4.likely).toBeGreaterThan(1);
    expect(l4.low).toBeCloseTo(1, 12);
    expect(h100.likely).toBeLessThan(1);
    expect(h100.high).toBeCloseTo(1, 12);
    expect(l4.source).toContain('the data sheets of A100 80 GB and L4');
  });

  test('in half precision has the tensor cores’ rate and moves less', () => {
    const [half, full] = [sideOn(run, A100), sideOn({ ...run, precision: 'fp32' }, A100)];
    expect(half.rates.flopsPerSecond).toBe(2 * full.rates.flopsPerSecond);
    expect(half.work.bytes / full.work.bytes).toBeCloseTo(0.609, 3);
    expect(half.work.flops).toBe(full.work.flops);
    const [low, likely, high] = ratioOf(half, full);
    expect(low).toBe(1);
    expect(likely).toBeGreaterThanOrEqual(1.64);
    expect(high).toBe(2);
  });
});

describe('a short run in a browser', () => {
  const narrow: EegSettings = {
    ...PRODUCTION_RUN,
    batch: 2,
    model: { ...PRODUCTION_RUN.model, baseChannels: 4, layers: 1, mixer: 'mamba2' },
  };
  const work = costOf(narrow, CAPABILITIES).step;
  const short: BrowserRun = {
    made: 'browser',
    name: 'a run',
    seconds: 10,
    windows: 20,
    work: { flops: work.flops / 2, bytes: work.bytes / 2 },
    dispatches: 500,
    rates: { flopsPerSecond: 5e12, bandwidthBytesPerSecond: 4e11 },
  };

  test('is scaled from its width, depth and mixer to the trainer’s, by what both ask and both devices reach', () => {
    const { hours, from, to, efficiency, seconds } = hoursFromRun(short, 49_760, run, A100);
    expect(to.work.flops / from.work.flops).toBeGreaterThan(50);
    expect(from.limit).toBe(Math.max(from.work.flops / 5e12, from.work.bytes / 4e11));
    expect(to.limit).toBe(Math.max(to.work.flops / A100.half, to.work.bytes / A100.bandwidth));
    // Half a second a window, 20 ms of it for dispatches.
    expect(seconds).toBeCloseTo(0.5 - 500 * 40e-6, 12);
    expect(hours.likely).toBeCloseTo((49_760 / 3600) * ((seconds * to.limit) / from.limit), 10);
    expect(hours.low).toBeCloseTo((hours.likely / EFFICIENCY.high) * ((0.5 - 500 * 71e-6) / seconds), 10);
    expect(hours.high).toBeCloseTo((hours.likely / EFFICIENCY.low) * ((0.5 - 500 * 24e-6) / seconds), 10);
    expect(hours.basis).toBe('assumed');
    expect(efficiency).toBe(EFFICIENCY);
    expect(EFFICIENCY.basis).toBe('assumed');
  });

  test('counts its work as the estimator counts the trainer’s', () => {
    const whole = costOf({ ...PRODUCTION_RUN, batch: 1 }, CAPABILITIES).step;
    const { mixer, layers, kernelSizes, convKernel } = PRODUCTION_RUN.model;
    const counted = workOf({ mixer, layers, kernelSizes, convKernel, checkpointing: false }, 1);
    expect(whole.flops / counted.flops).toBeCloseTo(1, 2);
    expect(whole.bytes / counted.bytes).toBeCloseTo(1, 1);
  });

  test('of the same model says the same hours whatever device made it, where both came as near to their limits', () => {
    const slow = {
      ...short,
      seconds: 1000,
      dispatches: 0,
      rates: { flopsPerSecond: 5e10, bandwidthBytesPerSecond: 4e9 },
    };
    const hours = (one: BrowserRun) => hoursFromRun(one, 49_760, run, A100).hours.likely;
    expect(hours(slow)).toBeCloseTo(hours({ ...short, dispatches: 0 }), 10);
  });

  test('that is hardly more than dispatches keeps a tenth of its time', () => {
    const { seconds } = hoursFromRun({ ...short, dispatches: 1e6 }, 49_760, run, A100);
    expect(seconds).toBeCloseTo(0.05, 12);
  });
});

describe('hours of an epoch', () => {
  const settings = settingsFrom(settingsIn({}), 'train.yaml', 'modal');
  const machine = { ...MACHINES.modal, ramGiB: 48 };
  const plan: Plan = { settings, machine };
  const deeper = (layers: number, checkpointing = false): Plan => ({
    ...plan,
    settings: { ...settings, vram: { ...settings.vram, layers, checkpointing } },
  });

  test('that others measured are of the trainer’s model, and follow the model', () => {
    expect(settings.vram.layers).toBe(6);
    const six = gpuHours(plan);
    const twelve = gpuHours(deeper(12));
    expect(twelve.likely).toBeGreaterThan(1.1 * six.likely);
    expect(twelve.low).toBe(six.low);
    expect(gpuHours(deeper(2)).likely).toBeLessThan(six.likely);
    expect(gpuHours(deeper(6, true)).likely).toBeGreaterThan(1.15 * six.likely);
    expect(twelve.source).toContain('FLOPs and bytes');
    const asLogged = { ...settings, vram: { ...settings.vram, batch: 64 } };
    expect(gpuHours({ ...plan, settings: asLogged }).source).not.toContain('FLOPs and bytes');
  });

  test('from a browser are no shorter than what the loader and the validation take', () => {
    const fast: BrowserRun = {
      made: 'browser',
      name: 'a run',
      seconds: 1,
      windows: 1000,
      work: windowWork(settings.vram),
      dispatches: 0,
      rates: { flopsPerSecond: 1e15, bandwidthBytesPerSecond: 1e13 },
    };
    const hours = epochHours({ ...plan, run: fast });
    for (const bound of ['low', 'likely', 'high'] as const)
      expect(hours[bound]).toBeCloseTo(
        statisticsOf(plan)[bound] + loadingOf(plan)[bound] + validationOf(plan)[bound],
        10,
      );
  });

  test('typed for one card are scaled to the others', () => {
    const typed = scenarioTable({
      ...plan,
      machine: { ...machine, hoursPerEpoch: exactly(5, 'assumed', 'typed') },
    });
    const hours = (title: string) => typed.find((row) => row.title === title)?.epoch;
    expect(hours('Modal, A100 80 GB')?.likely).toBe(5);
    expect(hours('Modal, T4')?.likely).toBeGreaterThan(10);
    expect(hours('Modal, H100 80 GB')?.likely).toBeLessThan(5);
    expect(hours('Modal, T4')?.basis).toBe('assumed');
  });
});
