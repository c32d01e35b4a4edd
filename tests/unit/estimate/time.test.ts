import { describe, expect, test } from 'vitest';
import { REPORTED_PACES, SOURCES } from '../../../src/config/facts';
import { INCIDENTS } from '../../../src/config/incidents';
import { hourlyRate, RATE_CARDS } from '../../../src/estimate/rates';
import { GPUS } from '../../../src/config/gpus';
import { CORPUS_LENGTHS } from '../../../src/estimate/ram_facts';
import { forWindows, hoursOn, loadingHours, stepsPerEpoch, stops } from '../../../src/estimate/time';
import { epochWindows } from '../../../src/estimate/epoch_windows';
import { workOf } from '../../../src/estimate/time_work';
import { planJobs } from '../../../src/config/launches';

const FALLBACK = {
  layers: 6,
  mixer: 'conv',
  kernelSizes: [3, 5, 7],
  convKernel: 3,
  checkpointing: false,
} as const;

describe('an epoch', () => {
  test('of the balanced set is 49,760 windows, 778 batches of 64', () => {
    const windows = epochWindows({ balanced: true, validationSplit: 0.2 });
    expect(windows).toEqual({ training: 49_760, validation: 51_901, whole: 259_505 });
    expect(stepsPerEpoch(windows.training, 64)).toBe(778);
    expect(stepsPerEpoch(windows.training, 16)).toBe(3110);
  });

  test('without balancing is all 252,089, whose recordings are all counted; with less held out it is longer', () => {
    expect(epochWindows({ balanced: false, validationSplit: 0.2 })).toMatchObject({
      training: 252_089,
      counted: 252_089 + 51_901,
    });
    const less = epochWindows({ balanced: true, validationSplit: 0.05 });
    expect(less.training).toBe(Math.round((49_760 * 0.95) / 0.8));
    expect(less.validation).toBe(Math.round(51_901 / 4));
  });

  test('of BGB_LIMIT_FILES=50 is of 50 recordings, and validates 10 of those that are held out', () => {
    const smoke = { validationSplit: 0.1, limit: 50 } as const;
    const windows = epochWindows({ ...smoke, balanced: false, cache: 'none' });
    expect(windows.training / 50).toBeCloseTo(67.5, 1);
    expect(windows.validation / 10).toBeCloseTo(55.6, 1);
    expect(windows).toMatchObject({ preprocessed: windows.training + windows.validation, searched: 0 });
    expect(epochWindows({ ...smoke, validationSplit: 0, balanced: false }).validation).toBe(0);
    // Without a manifest it falls back to all windows, and looks for seizures in them.
    const fallback = epochWindows({ ...smoke, balanced: true, cache: 'none' });
    expect(fallback).toMatchObject({ training: windows.training, searched: windows.training });
    expect(fallback.about).toContain('falls back to all 3,376 windows');
    // The windows of a manifest are not limited.
    const drawn = epochWindows({ ...smoke, balanced: true, cache: 'built' });
    expect(drawn.training).toBe(epochWindows({ balanced: true, validationSplit: 0.1 }).training);
    expect(drawn.validation).toBe(windows.validation);
  });

  test('of the corpus without a manifest has five times as many windows, and 20,000 are searched', () => {
    const fallback = epochWindows({ balanced: true, validationSplit: 0.2, cache: 'none' });
    expect(fallback).toMatchObject({ training: 252_089, searched: 20_000 });
  });

  test('of a folder of ten recordings is of those, as floor(files × split) divides them', () => {
    const smoke = epochWindows({ balanced: true, validationSplit: 0.29, files: 10 });
    expect(smoke.training / 8).toBeCloseTo(67.5, 0);
    expect(smoke.validation / 2).toBeCloseTo(55.6, 0);
  });

  test('has the hours that are written of it', () => {
    expect(hoursOn('a100-80', 'review', true).hours.likely).toBe(0.25);
    expect(hoursOn('rtx4090', 'review', false).hours.likely).toBe(0.75);
    expect(hoursOn('a100-80', 'later', true).hours).toMatchObject({ likely: 1 });
    expect(hoursOn('rtx4090', 'later', false).hours).toMatchObject({ low: 2, high: 3 });
  });

  test('has one basis for one source, in the table of paces, the price lists and the documents of incidents', () => {
    for (const [id, { basis, text }] of Object.entries(SOURCES)) {
      const paces = REPORTED_PACES.filter((one) => one.id === id).map(({ hours }) => hours);
      const figures = INCIDENTS.flatMap(({ review }) =>
        review.costs.flatMap(({ hoursPerEpoch, dollarsPerHour }) => [hoursPerEpoch, dollarsPerHour]),
      );
      const prices = RATE_CARDS.flatMap((card) => hourlyRate(card, 'a100-80') ?? []);
      const quoted = [...paces, ...figures, ...prices].filter(({ source }) => source.includes(text));
      expect(quoted.length).toBeGreaterThan(2);
      for (const figure of quoted) expect(figure.basis).toBe(basis);
    }
  });

  test('is scaled to other cards in the order of their rates, the slow bound for a loader that is slower', () => {
    const l4 = hoursOn('l4', 'later', true).hours;
    const h100 = hoursOn('h100', 'later', true).hours;
    expect(l4.likely).toBeGreaterThan(1);
    expect(h100.likely).toBeLessThan(1);
    expect(h100.high).toBe(1.2);
    expect(l4.low).toBe(0.8);
    expect(l4.basis).toBe('assumed');
    expect(l4.high).toBeCloseTo((1.2 * GPUS['a100-80'].bandwidth) / GPUS.l4.bandwidth, 10);
  });

  test('grows with its windows', () => {
    expect(forWindows(hoursOn('a100-80', 'later', true).hours, 2 * 49_760).likely).toBeCloseTo(2, 10);
  });
});

describe('work of a step', () => {
  test('is that of the parameters: 6 FLOPs for each of a layer’s weights and time steps', () => {
    const [six, three] = [workOf(FALLBACK, 4), workOf({ ...FALLBACK, layers: 3 }, 4)];
    // A layer's matrix [1024, 512] over 960 steps: 2 FLOPs forward, 4 backward; the rest of it is small.
    const matrix = 6 * 1024 * 512 * 960 * 4;
    const layer = (six.flops - three.flops) / 3;
    expect(layer).toBeGreaterThan(matrix);
    expect(layer).toBeLessThan(1.15 * matrix);
  });

  test('with checkpointing is a third more, because the forward pass is computed twice', () => {
    const again = workOf({ ...FALLBACK, checkpointing: true }, 4);
    const once = workOf(FALLBACK, 4);
    expect(again.flops / once.flops).toBeGreaterThan(1.25);
    expect(again.flops / once.flops).toBeLessThan(1.4);
  });

  test('is affine in the batch: what two graphs say holds for a third', () => {
    const [two, six] = [workOf(FALLBACK, 2), workOf(FALLBACK, 6)];
    const four = workOf(FALLBACK, 4);
    expect(four.flops).toBeCloseTo((two.flops + six.flops) / 2, -3);
    expect(workOf(FALLBACK, 8).flops).toBeGreaterThan(1.99 * four.flops);
    expect(workOf(FALLBACK, 8).bytes).toBeLessThan(2 * four.bytes);
  });
});

describe('loading', () => {
  test('alone takes longer than the review’s 15 minutes, even if all recordings were of mean length', () => {
    const equal = loadingHours({ kind: 'given', windows: [67] }, 49_760, { workers: 8, cores: 8 });
    // 49,760 × 0.37 s in 8 processes.
    expect(equal.likely).toBeCloseTo((49_760 * 0.37) / 8 / 3600, 1);
    expect(equal.low).toBeGreaterThan(0.25);
    expect(equal.basis).toBe('derived');
  });

  test('is shared by workers, and longer where recordings differ more', () => {
    const [none, one, eight, shared] = [
      { workers: 0, cores: 8 },
      { workers: 1, cores: 8 },
      { workers: 8, cores: 8 },
      { workers: 16, cores: 8, moreCores: 4 },
    ].map((loaders) => loadingHours(CORPUS_LENGTHS, 49_760, loaders));
    expect(none?.likely).toBe(one?.likely);
    expect(eight?.likely).toBeCloseTo((one?.likely ?? 0) / 8, 10);
    // More workers than cores share them, and may be lent some.
    expect(shared?.likely).toBe(eight?.likely);
    expect(shared?.low).toBeCloseTo(((eight?.low ?? 0) * 8) / 12, 10);
    expect(one?.low).toBeLessThan(one?.likely ?? 0);
    expect(one?.likely).toBeLessThan(one?.high ?? 0);
  });
});

describe('early stopping', () => {
  test('ends at epoch patience + 2 at the earliest, where the review expects it, or not', () => {
    expect(stops(100, 5).map(({ epochs }) => epochs)).toEqual([7, 61, 100]);
    expect(stops(3, 5).map(({ epochs }) => epochs)).toEqual([3, 3, 3]);
    expect(stops(60, 50).map(({ epochs }) => epochs)).toEqual([52, 52, 60]);
  });
});

describe('jobs of 24 hours', () => {
  test('100 epochs of 15 minutes do not fit one', () => {
    expect(planJobs(96, 0.25)).toMatchObject({ count: 1, hours: 24, lost: 0, repeated: 0 });
    expect(planJobs(100, 0.25)).toMatchObject({ count: 2, hours: 25.25, repeated: 0.25, lost: 0 });
  });

  test('an interrupted epoch is lost and the saved one repeated, and both are paid for', () => {
    // 9 epochs of 2.5 h end after 22.5 h; the tenth is interrupted after 1.5 h. Then one is repeated.
    expect(planJobs(10, 2.5)).toEqual({
      count: 2,
      spans: [
        { first: 1, last: 9 },
        { first: 9, last: 10 },
      ],
      hours: 24 + 2 * 2.5,
      repeated: 2.5,
      lost: 1.5,
      starting: 0,
    });
    // What each job reads first leaves room for as many epochs, and is paid for twice.
    expect(planJobs(10, 2.5, 24, 0.5)).toMatchObject({ count: 2, hours: 24 + 2 * 2.5 + 0.5, starting: 1 });
    expect(planJobs(10, 2.5, 24, 2)).toMatchObject({ count: 2, spans: [{ last: 8 }, { first: 8 }] });
    const whole = planJobs(100, 2.5);
    expect(whole?.hours).toBeCloseTo(250 + (whole?.repeated ?? 0) + (whole?.lost ?? 0), 10);
  });

  test('never complete the run where two epochs do not fit one', () => {
    expect(planJobs(2, 13)).toBeUndefined();
    expect(planJobs(1, 13)?.hours).toBe(13);
    expect(planJobs(1, 25)).toBeUndefined();
  });

  test('on a machine of one’s own there is one', () => {
    expect(planJobs(100, 2.5, Infinity)).toMatchObject({ count: 1, hours: 250, repeated: 0, lost: 0 });
  });
});
