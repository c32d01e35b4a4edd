import { describe, expect, test } from 'vitest';
import { exactly } from '../../../src/base/quantity';
import { GIB } from '../../../src/base/units';
import { GPUS, type Gpu } from '../../../src/config/gpus';
import { MACHINES } from '../../../src/config/targets';
import { predictRam, smallestRam } from '../../../src/estimate/ram_predict';
import { ramPlanOf, rateOf, type Plan } from '../../../src/estimate/scenario';
import { scenarioTable, withRam } from '../../../src/estimate/scenario_table';
import { gpuFit } from '../../../src/estimate/vram/predict';
import { cheapest } from '../../../src/estimate/what_fits';
import { A100, LOCAL, on, settingsOf } from './plans';

describe('the same run elsewhere', () => {
  const rows = scenarioTable(A100);
  const simulated = rows.map(withRam);
  const cost = (row: (typeof rows)[number]) => row.costs.find(({ stop }) => stop.id === 'all');
  const called = (title: string) => simulated.find((row) => row.title === title);

  test('has its own place as it is planned, and each other predicted for itself', () => {
    const own = rows.find(({ title }) => title === 'Modal, A100 80 GB');
    expect(own?.plan).toBe(A100);
    expect(own?.slowdown.likely).toBe(1);
    for (const { plan, gpuFit: fit } of rows)
      expect(fit).toBe(gpuFit(plan.settings.vram, plan.machine.gpu.memoryBytes));
    expect(rows.find(({ title }) => title.startsWith('WSL2'))?.plan.settings.vram.mixer).toBe('mamba2');
    const odd = scenarioTable(on(LOCAL, { gpu: GPUS.rtx3090 }));
    expect(odd.map(({ title }) => title)).toEqual(['WSL2, RTX 3090', ...rows.map(({ title }) => title)]);
  });

  test('keeps the price of electricity that was typed, and the watts where the card is the same', () => {
    const electricity = { watts: exactly(500, 'measured', ''), perKwh: exactly(0.3, 'measured', '') };
    const dollars = (gpu: Gpu) =>
      scenarioTable({ ...on(LOCAL, { gpu }), electricity }).map(({ plan }) => rateOf(plan)?.likely);
    expect(dollars(GPUS.rtx4090).slice(0, 2)).toEqual([0.15, 0.15]);
    expect(dollars(GPUS.rtx3090)[0]).toBe(0.15);
    expect(dollars(GPUS.rtx3090)[1]).toBeCloseTo((0.3 * (0.85 * 450 + 150)) / 1000, 10);
  });

  test('has the system RAM as it is predicted for the machine', () => {
    expect(called('WSL2, RTX 4090')?.plan.machine.ramGiB).toBe(MACHINES.wsl2.ramGiB);
    for (const { plan, ram } of simulated) {
      expect(ram.fits).toBe(predictRam(ramPlanOf(plan)).fits);
      expect(ram.needs).toBe(smallestRam(ramPlanOf(plan)));
    }
  });

  test('names what RAM is missing on a machine of one’s own; on Modal it is asked for, and paid', () => {
    // Validation of a fifth of the corpus takes 61 GB.
    const review: Plan = {
      ...on(A100, { ramGiB: 32 }),
      settings: settingsOf('review/modal_train_a100.yaml', 'modal'),
    };
    const table = scenarioTable(review).map(withRam);
    const own = table.find(({ title }) => title === 'WSL2, RTX 4090');
    expect(own?.ram.fits).toBe("won't fit");
    expect(own?.plan.machine.ramGiB).toBe(31);
    expect((own?.ram.needs ?? 0) / GIB).toBeGreaterThan(60);
    for (const row of table.filter(({ plan }) => plan.machine.name === 'modal')) {
      expect(row.ram.fits).not.toBe("won't fit");
      expect(row.ram.usual).toBe(32 * GIB);
      expect(row.plan.machine.ramGiB * GIB).toBe(row.ram.needs);
      const before = rateOf(on(row.plan, { ramGiB: 32 }))?.low;
      if (before === undefined) continue;
      const more = 0.008 * (row.ram.needs / GIB - 32);
      expect(rateOf(row.plan)?.low).toBeCloseTo(before + more, 1);
      expect(cost(row)?.dollars?.likely ?? 0).toBeCloseTo(
        (rateOf(row.plan)?.likely ?? 0) * (cost(row)?.hours.likely ?? 0),
        6,
      );
    }
    const found = cheapest(table, Infinity);
    expect(found?.plan.machine.name).toBe('modal');
    expect(cost(found ?? table[0]!)?.dollars?.likely).toBeGreaterThan(
      cost(own ?? table[0]!)?.dollars?.likely ?? Infinity,
    );
  });

  test('the cheapest in time fits, is in time, and no other that does is cheaper', () => {
    for (const hours of [30, 100, 200, 400]) {
      const found = cheapest(simulated, hours);
      const possible = simulated.filter(
        (row) =>
          row.gpuFit !== "won't fit" &&
          row.ram.fits !== "won't fit" &&
          (cost(row)?.hours.likely ?? Infinity) <= hours,
      );
      const prices = possible.flatMap((row) => cost(row)?.dollars?.likely ?? []);
      expect(found && cost(found)?.dollars?.likely).toBe(prices.length > 0 ? Math.min(...prices) : undefined);
    }
    expect(cheapest(simulated, 0.1)).toBeUndefined();
  });

  test('a later deadline is no dearer', () => {
    const dollars = [60, 110, 150, 300].map(
      (hours) => cheapest(simulated, hours)?.costs.at(-1)?.dollars?.likely ?? Infinity,
    );
    expect(dollars).toEqual([...dollars].sort((a, b) => b - a));
  });
});
