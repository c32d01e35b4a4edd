import { describe, expect, test } from 'vitest';
import { costOf } from '../../../src/estimate/cost';
import { GPU_IDS, GPUS, type Gpu, type GpuId } from '../../../src/config/gpus';
import { exactly, quantity } from '../../../src/base/quantity';
import { billedOf } from '../../../src/estimate/billing';
import { settingsFrom, type RunSettings } from '../../../src/estimate/from_config';
import {
  electricityRate,
  hourlyRate,
  PRICE_PER_KWH,
  RATE_CARDS,
  unpriced,
  wattsOf,
} from '../../../src/estimate/rates';
import { CORRECTED } from '../../../src/config/presets';
import { readConfig } from '../../../src/config/settings';
import { MACHINES } from '../../../src/config/targets';

const [current, review] = RATE_CARDS;
const NAME = 'configs/modal/train_a100.yaml';
const text = CORRECTED.find(({ name }) => name === NAME)?.text ?? '';
const A100 = { settings: settingsFrom(readConfig(text).settings, NAME, 'modal') };
const quarter = exactly(0.25, 'assumed', 'the review');
const start = exactly(0, 'derived', 'nothing is read');
const rateOf = (card: (typeof RATE_CARDS)[number]) => {
  const rate = hourlyRate(card, 'a100-80');
  if (!rate) throw new Error('no rate');
  return rate;
};

describe('rate cards', () => {
  test('the card of 2026-07-01: an A100 with 8 cores and 32 GiB is $3.13 an hour', () => {
    expect(rateOf(current).likely).toBe(3.13);
    expect(current.read).toBe('2026-07-01');
    const none = exactly(0, 'derived', 'none');
    expect(hourlyRate(current, 'a100-80', { cores: none, ramGiB: none })?.likely).toBe(2.5);
    expect([current.gpu['a100-40'], current.gpu.l40s, current.gpu.h100]).toEqual([2.1, 1.95, 3.95]);
  });

  test('what is used above the request is billed: busy workers, and the lists of validation while it scores', () => {
    const { settings } = A100;
    const billed = (change: Partial<RunSettings>, asked = MACHINES.modal) =>
      billedOf(
        { ...settings, ...change },
        asked,
        exactly(5, 'assumed', ''),
        exactly(1.4, 'assumed', ''),
        1e8,
      );
    expect(billed({}).cores).toMatchObject({ low: 8, likely: 8, high: 8 });
    const workers = (count: number) => billed({ loader: { ...settings.loader, workers: count } }).cores;
    expect(workers(8)).toMatchObject({ low: 8, likely: 9, high: 9 });
    expect(workers(32)).toMatchObject({ low: 8, likely: 9, high: 9 });
    expect(billed({}).ramGiB.likely).toBe(32);
    const reviewed = billed({ windows: { training: 49_760, validation: 51_901 } }).ramGiB;
    expect(reviewed.low).toBe(32);
    // 57 GiB of lists for 0.7 of 5 hours.
    expect(reviewed.likely).toBeGreaterThan(35);
    expect(reviewed.high).toBeLessThan(50);
    const small = billed({}, { ...MACHINES.modal, ramGiB: 2 }).ramGiB;
    expect(small.likely).toBeGreaterThan(4);
    const rate = hourlyRate(current, 'a100-80', { ...billed({}), ramGiB: reviewed });
    expect(rate?.low).toBe(3.13);
    expect(rate?.high).toBeGreaterThan(3.13);
    expect(rate?.source).toContain('Modal bills what is used above the request');
  });

  test('a card that Modal does not rent is said to be so', () => {
    const on = (gpu: Gpu) => unpriced({ ...MACHINES.modal, gpu });
    expect(on(GPUS.rtx4090)).toBe('Modal does not rent the RTX 4090.');
    expect(on(GPUS.t4)).toBe('The price list has no price of the T4.');
    expect(Object.keys(current.gpu).every((id) => GPUS[id as GpuId].onModal)).toBe(true);
  });

  test('a card says nothing of a GPU that it does not list', () => {
    expect(hourlyRate(current, 't4')).toBeUndefined();
  });
});

describe('cost of a run', () => {
  const hundred = { epochs: 100, epoch: quarter, start, limit: Infinity };

  test('the review’s: 25 h × $5.59 = $139.75; on the current card $78.25', () => {
    expect(costOf({ ...hundred, rate: rateOf(review) }).dollars.likely).toBeCloseTo(139.75, 10);
    expect(costOf({ ...hundred, rate: rateOf(current) }).dollars.likely).toBeCloseTo(78.25, 10);
  });

  test('with jobs of 24 h a second one repeats an epoch', () => {
    const { hours, jobs, dollars } = costOf({ ...hundred, rate: rateOf(current), limit: 24 });
    expect(jobs?.count).toBe(2);
    expect(hours.likely).toBe(25.25);
    expect(dollars.likely).toBeCloseTo(25.25 * 3.13, 10);
  });

  test('has what each job reads before its first batch', () => {
    const each = exactly(0.5, 'derived', '');
    const { hours, jobs } = costOf({ ...hundred, rate: rateOf(current), start: each, limit: 24 });
    // 94 epochs and the reading fit the first job, seven of them the second.
    expect(jobs).toMatchObject({ count: 2, repeated: 0.25, lost: 0, starting: 1 });
    expect(hours.likely).toBe(101 * 0.25 + 2 * 0.5);
  });

  test('rises with epochs, with an epoch’s hours and with the rate, and carries the weaker basis', () => {
    const base = {
      ...{ epochs: 50, epoch: quantity([1, 2, 3], 'measured', ''), start },
      ...{ rate: rateOf(current), limit: 24 },
    };
    const dollars = (change: Partial<Parameters<typeof costOf>[0]>) => costOf({ ...base, ...change }).dollars;
    for (let epochs = 1; epochs < 60; epochs++)
      expect(dollars({ epochs: epochs + 1 }).likely).toBeGreaterThan(dollars({ epochs }).likely);
    const { low, likely, high, basis } = dollars({});
    expect(low).toBeLessThan(likely);
    expect(likely).toBeLessThan(high);
    expect(basis).toBe('derived');
    expect(dollars({ rate: rateOf(review) }).likely).toBeGreaterThan(likely);
    expect(dollars({ rate: exactly(1, 'assumed', '') }).basis).toBe('assumed');
  });

  test('is without end where no job holds two epochs', () => {
    const { jobs, dollars } = costOf({
      epochs: 3,
      epoch: exactly(13, 'assumed', ''),
      start,
      rate: rateOf(current),
      limit: 24,
    });
    expect(jobs).toBeUndefined();
    expect(dollars.likely).toBe(Infinity);
  });
});

describe('electricity', () => {
  test('is watts times price', () => {
    const rate = electricityRate({
      watts: exactly(500, 'measured', ''),
      perKwh: exactly(0.3, 'measured', ''),
    });
    expect(rate.likely).toBeCloseTo(0.15, 12);
    expect(rate.basis).toBe('measured');
  });

  test('of a machine of one’s own is assumed, and cheaper than any card', () => {
    const rate = electricityRate({ watts: wattsOf(GPUS.rtx4090.watts), perKwh: PRICE_PER_KWH });
    expect(rate.low).toBeLessThan(rate.likely);
    expect(rate.likely).toBeLessThan(rate.high);
    expect(rate.basis).toBe('assumed');
    expect(rate.high).toBeLessThan(current.gpu.l40s);
  });
});

describe('graphics cards', () => {
  test('stand in the order of their memory class, each with what a step needs to know', () => {
    for (const id of GPU_IDS) {
      const { memoryBytes, bandwidth, fp32, half, tf32, source } = GPUS[id];
      expect(memoryBytes / 2 ** 30, id).toBeGreaterThan(14);
      expect(half, id).toBeGreaterThan(fp32);
      expect(bandwidth, id).toBeGreaterThan(1e11);
      expect(tf32, id).toBe(id !== 't4');
      expect(source).toContain('data sheet');
    }
    expect(Math.round(GPUS['a100-80'].memoryBytes / 2 ** 30)).toBe(80);
    expect(Math.round(GPUS.rtx4090.memoryBytes / 2 ** 30)).toBe(24);
  });
});
