import { describe, expect, test } from 'vitest';
import { exactly } from '../../../src/base/quantity';
import { GIB } from '../../../src/base/units';
import { GPU_IDS, GPUS } from '../../../src/config/gpus';
import { MACHINES, type Platform } from '../../../src/config/targets';
import { forecast } from '../../../src/estimate/forecast';
import type { RamPlan } from '../../../src/estimate/from_config';
import { ACCEPTED_OOM_SHARE, ensembleOf, predictRam, smallestRam } from '../../../src/estimate/ram_predict';
import { costsOf, epochHours, ramPlanOf, rateOf, statisticsOf } from '../../../src/estimate/scenario';
import type { Plan } from '../../../src/estimate/scenario';
import { PRODUCTION_VRAM } from './plans';
import { gpuFit, predictVram, runsOn } from '../../../src/estimate/vram/predict';
import {
  largest,
  largestBatch,
  largestLayers,
  largestWorkers,
  smallestGpu,
} from '../../../src/estimate/what_fits';
import { FULL } from '../../full';
import { A100, LOCAL, on, settingsOf } from './plans';

describe('largest', () => {
  test('is found at every place, with few questions', () => {
    for (let edge = 0; edge <= 100; edge++) {
      let asked = 0;
      const found = largest(1, 100, (value) => (asked++, value <= edge));
      expect(found).toBe(edge === 0 ? undefined : edge);
      expect(asked).toBeLessThanOrEqual(8);
    }
  });

  test('is found from any guess, with the fewest questions from a good one', () => {
    for (let edge = 0; edge <= 20; edge++)
      for (let guess = -1; guess <= 22; guess++) {
        let asked = 0;
        const found = largest(1, 20, (value) => (asked++, value <= edge), guess);
        expect([guess, found]).toEqual([guess, edge === 0 ? undefined : edge]);
        if (guess === edge) expect(asked).toBeLessThanOrEqual(3);
      }
  });
});

describe('the card', () => {
  const run = { ...PRODUCTION_VRAM, mixer: 'conv', convKernel: 3 } as const;

  test('what tensors take rises with the batch, what segments take does not always', () => {
    const series = Array.from({ length: 256 }, (_, i) => predictVram({ ...run, batch: i + 1 }));
    const rises = (values: number[]) => values.every((value, i) => i === 0 || value >= (values[i - 1] ?? 0));
    for (const bound of ['low', 'likely', 'high'] as const)
      expect(rises(series.map(({ allocated }) => allocated[bound])), bound).toBe(true);
    expect(rises(series.map(({ total }) => total.likely))).toBe(false);
  });

  test('its largest batch is the largest of all that fit, whatever the setup', () => {
    const setups = (['conv', 'mamba2'] as const).flatMap((mixer) =>
      (['fp32', 'fp16'] as const).flatMap((precision) =>
        [false, true].map((checkpointing) => ({ ...run, mixer, precision, checkpointing })),
      ),
    );
    const some = FULL ? setups : setups.filter((_, i) => i % 3 === 1);
    for (const asked of [...some, { ...run, precision: 'fp32' as const, batch: 3, microBatches: 3 }]) {
      const { microBatches } = asked;
      for (const id of GPU_IDS) {
        const last = largestBatch(asked, GPUS[id]) ?? 0;
        const fits = (batch: number) => runsOn({ ...asked, batch }, GPUS[id].memoryBytes);
        expect(fits(last), `${id} ${JSON.stringify(asked)}`).toBe(true);
        // What the allocator reserves folds as batches grow, so several larger ones are asked about.
        for (
          let batch = last + microBatches;
          batch <= Math.min(256, last + 6 * microBatches);
          batch += microBatches
        )
          expect(fits(batch), `${id} ${batch} ${JSON.stringify(asked)}`).toBe(false);
      }
    }
  }, 120_000);

  test('its largest batch fits and one more does not, also far above what the trainer accepts', () => {
    for (const id of ['t4', 'rtx4090', 'a100-40'] as const)
      for (const mixer of ['conv', 'mamba2'] as const) {
        const asked = { ...run, mixer, precision: 'fp32' as const };
        const batch = largestBatch(asked, GPUS[id], { max: 4096 }) ?? 0;
        expect(runsOn({ ...asked, batch }, GPUS[id].memoryBytes), `${id} ${mixer} ${batch}`).toBe(true);
        expect(
          runsOn({ ...asked, batch: batch + 1 }, GPUS[id].memoryBytes),
          `${id} ${mixer} ${batch + 1}`,
        ).toBe(false);
      }
  });

  test('a larger card holds no smaller a batch; half precision no smaller a batch than fp32', () => {
    const byMemory = GPU_IDS.map((id) => GPUS[id]).sort((a, b) => a.memoryBytes - b.memoryBytes);
    const batches = byMemory.map(
      (gpu) => largestBatch({ ...run, precision: 'fp32' }, gpu, { max: 4096 }) ?? 0,
    );
    expect(batches).toEqual([...batches].sort((a, b) => a - b));
    for (const gpu of byMemory)
      expect(largestBatch(run, gpu, { max: 4096 }) ?? 0).toBeGreaterThan(
        largestBatch({ ...run, precision: 'fp32' }, gpu, { max: 4096 }) ?? 0,
      );
  });

  test('the batch that surely fits is no larger than the likely one, and that no larger than any that may', () => {
    const bounds = (['high', 'likely', 'low'] as const).map(
      (bound) => largestBatch({ ...run, precision: 'fp32' }, GPUS.rtx4090, { bound, max: 4096 }) ?? 0,
    );
    expect(bounds[0]).toBeGreaterThan(0);
    expect(bounds[1]).toBeGreaterThan(bounds[0] ?? Infinity);
    expect(bounds[2]).toBeGreaterThan(bounds[1] ?? Infinity);
  });

  test('in micro-batches the batch stays a multiple of their number', () => {
    const batch = largestBatch({ ...run, batch: 8, microBatches: 4 }, GPUS.t4) ?? 0;
    expect(batch % 4).toBe(0);
    expect(batch).toBeGreaterThan(0);
  });

  test('its most layers fit and one more does not, or it is the schema’s 12', () => {
    const wide = { ...run, precision: 'fp32' as const, mixer: 'mamba2' as const };
    const atSix = largestBatch(wide, GPUS.rtx4090, { max: 4096 }) ?? 0;
    expect(largestLayers({ ...wide, batch: atSix }, GPUS.rtx4090)).toBe(6);
    expect(largestLayers({ ...wide, batch: 1 }, GPUS.rtx4090)).toBe(12);
    expect(largestLayers({ ...wide, batch: 4096 }, GPUS.rtx4090)).toBeUndefined();
  });

  test('the smallest that fits fits, and all with less memory do not', () => {
    for (const batch of [8, 64, 128, 256]) {
      const asked = { ...run, batch, precision: 'fp32' as const };
      const found = smallestGpu(asked);
      for (const id of GPU_IDS)
        if (!found || GPUS[id].memoryBytes < found.memoryBytes)
          expect(runsOn(asked, GPUS[id].memoryBytes)).toBe(false);
      if (found) expect(runsOn(asked, found.memoryBytes)).toBe(true);
    }
    expect(smallestGpu({ ...run, batch: 8192 })).toBeUndefined();
  });
});

describe('system RAM', () => {
  /** The original file on a machine with this much. */
  const original = (gib: number): RamPlan => ({
    loader: { ...settingsOf('review/tusz_train.yaml', 'wsl2').loader, workers: 4 },
    windows: { training: 49_760, validation: 2000 },
    platform: 'wsl2',
    ramBytes: gib * GIB,
    hoursPerEpoch: 2.5,
  });

  test('the review’s original file does not fit WSL2 with 31 GiB; the WSL2-safe one does', () => {
    expect(
      predictRam(ramPlanOf({ ...LOCAL, settings: settingsOf('review/tusz_train.yaml', 'wsl2') })).fits,
    ).toBe("won't fit");
    const safe = predictRam(ramPlanOf(LOCAL));
    expect(safe.fits).not.toBe("won't fit");
    expect(safe.odds.batches).toEqual([]);
  });

  test('its most workers are killed seldom enough, and one more is not', () => {
    const plan = original(31);
    const workers = largestWorkers(plan, { killed: true }) ?? -1;
    const share = (count: number) =>
      ensembleOf({ ...plan, loader: { ...plan.loader, workers: count } }).odds().killed.likely;
    expect(workers).toBeGreaterThanOrEqual(0);
    expect(workers).toBeLessThan(32);
    expect(share(workers)).toBeLessThanOrEqual(ACCEPTED_OOM_SHARE);
    expect(share(workers + 1)).toBeGreaterThan(ACCEPTED_OOM_SHARE);
  });

  test('more memory allows no fewer workers', () => {
    const workers = [18, 48].map((gib) => largestWorkers(original(gib), { killed: true }) ?? -1);
    expect(workers[1]).toBeGreaterThan(workers[0] ?? 99);
  });

  test('the smallest RAM that is named is enough, and 2 GiB less is not', () => {
    const plan = {
      ...ramPlanOf(A100),
      platform: 'local' as const,
      windows: { training: 49_760, validation: 51_901 },
    };
    const ram = smallestRam(plan);
    expect(ram / GIB).toBeGreaterThan(57);
    const at = (bytes: number) => predictRam({ ...plan, ramBytes: bytes }).fits;
    expect(at(ram)).not.toBe("won't fit");
    expect(at(ram - 2 * GIB)).toBe("won't fit");
  });
});

test('a stricter machine is offered no larger a split, and no less memory a larger one', () => {
  const offered = (platform: Platform, ramGiB: number): number => {
    const plan = {
      settings: settingsOf('local/train.yaml', platform, 0.2),
      machine: { ...MACHINES[platform], ramGiB },
    };
    return Number(forecast(plan).verdict.remedies.find(({ change }) => change === 'split')?.value ?? 0);
  };
  const sizes = [14, 16, 31];
  const [local, wsl2] = [sizes.map((ram) => offered('local', ram)), sizes.map((ram) => offered('wsl2', ram))];
  for (const splits of [local, wsl2]) expect(splits).toEqual([...splits].sort((a, b) => a - b));
  wsl2.forEach((split, i) => expect(split).toBeLessThanOrEqual(local[i] as number));
  expect(wsl2).toContain(0.01);
});

test('a run without workers that may be OOM-killed is offered a batch with which it is not', () => {
  const plan = (batch: number): Plan => ({
    settings: { ...LOCAL.settings, loader: { ...LOCAL.settings.loader, batch } },
    machine: MACHINES.wsl2,
  });
  const { ram, remedies } = forecast(plan(64)).verdict;
  expect(ram.training.fit).not.toBe('fits');
  const batch = remedies.find(({ change }) => change === 'ram-batch')?.value;
  expect(remedies.map(({ change }) => change)).not.toContain('split');
  expect(predictRam(ramPlanOf(plan(Number(batch)))).fits).toBe('fits');
});

describe('a forecast', () => {
  test('of the A100’s file: it fits, takes two jobs and more, and says what is assumed', () => {
    const { verdict, vram, costs } = forecast(A100);
    const { fit, epoch, rate, jobs } = verdict;
    expect(fit).not.toBe("won't fit");
    expect(vram.total.likely).toBeLessThan(80 * GIB);
    // 48 GiB instead of the app's 32 are paid for: $2.50 + 8 × $0.047 + 48 × $0.008.
    expect(rate?.likely).toBe(3.26);
    const all = costs.find(({ stop }) => stop.id === 'all');
    expect(jobs).toBe(all?.jobs);
    expect(jobs?.count).toBeGreaterThan(1);
    expect(all?.dollars?.likely).toBeCloseTo((all?.hours.likely ?? 0) * 3.26, 6);
    expect(costs[0]?.dollars?.likely ?? NaN).toBeLessThan(all?.dollars?.likely ?? NaN);
    // What was reported of an epoch of 49,760 windows and a validation of 51,901, of which the windows read first stay as many.
    const { training, validation } = A100.settings.windows;
    const first = statisticsOf(A100).low;
    const share = (training + validation) / (49_760 + 51_901);
    expect(epoch.low).toBeCloseTo(first + (0.8 - first) * share, 6);
  });

  test('says what was reported, and why it predicts more', () => {
    const { notes, verdict, loading, validation, statistics } = forecast({ ...A100, pace: 'review' });
    expect(verdict.epoch.likely).toBeCloseTo(statistics.likely + loading.likely + validation.likely, 10);
    expect(notes.filter((note) => note.includes('decompresses its whole recording'))).toHaveLength(1);
    const typed = on(A100, { hoursPerEpoch: exactly(0.25, 'measured', 'typed') });
    expect(forecast(typed).notes.join()).not.toContain('decompresses');
  });

  test('takes hours and rate as typed', () => {
    const typed: Plan = {
      ...on(A100, { hoursPerEpoch: exactly(0.25, 'measured', 'typed') }),
      rate: exactly(5.59, 'measured', 'typed'),
    };
    expect(epochHours(typed).likely).toBe(0.25);
    const { starting = NaN, lost = NaN } = costsOf(typed).at(-1)?.jobs ?? {};
    expect(costsOf(typed).at(-1)?.dollars?.likely).toBeCloseTo((25.25 + starting + lost) * 5.59, 10);
  });

  test('knows no price of a card that the list does not have', () => {
    expect(rateOf(on(A100, { gpu: GPUS.t4 }))).toBeUndefined();
    expect(rateOf(on(LOCAL, { gpu: GPUS.t4 }))?.basis).toBe('assumed');
  });
});

describe('what would fit instead', () => {
  test('is about the system RAM, and each change fits surely when it is made', () => {
    const plan = on(A100, { ramGiB: 32 });
    const { ram, remedies } = forecast(plan).verdict;
    // More than is asked of Modal, which is no limit.
    expect(ram.fit).toBe('borderline');
    expect(ram.need.likely).toBeGreaterThan(ram.limit);
    const changes = remedies.filter(({ change }) => change !== 'loading');
    expect(changes.map(({ change }) => change)).toEqual(['split', 'ram']);
    for (const { change, value } of changes) {
      const fixed: Plan =
        change === 'split'
          ? { ...plan, settings: settingsOf('modal/train_a100.yaml', 'modal', Number(value)) }
          : on(plan, { ramGiB: Number(value) });
      expect(forecast(fixed).verdict.ram.fit, change).toBe('fits');
    }
  });

  test('is about the GPU', () => {
    const vram = { ...A100.settings.vram, batch: 256, precision: 'fp32' as const };
    const plan: Plan = { ...on(A100, { gpu: GPUS.rtx4090 }), settings: { ...A100.settings, vram } };
    const { gpu, remedies } = forecast(plan).verdict;
    expect(gpu.fit).toBe("won't fit");
    const value = (name: string) => remedies.find(({ change }) => change === name)?.value;
    expect(gpuFit({ ...vram, batch: Number(value('batch')) }, GPUS.rtx4090.memoryBytes)).toBe('fits');
    expect(value('gpu')).toBe(smallestGpu(vram, 'high')?.id);
  });

  test('is more workers where the GPU waits, and nothing where it does not', () => {
    const settings = settingsOf('modal/train_a100.yaml', 'modal', 0.05);
    const waiting: Plan = { ...on(A100, { ramGiB: 64 }), settings };
    const { epoch, remedies } = forecast(waiting).verdict;
    const [{ value, hours = NaN } = {}] = remedies.filter((one) => one.change === 'loading');
    expect(hours).toBeLessThan(epoch.likely);
    const plan = {
      ...waiting,
      settings: { ...settings, loader: { ...settings.loader, workers: Number(value) } },
    };
    expect(forecast(plan).verdict.epoch.likely).toBe(hours);
    expect(forecast(plan).verdict).toMatchObject({
      ram: { fit: 'fits' },
      gpu: { fit: 'fits' },
      remedies: [],
    });
  });
});
