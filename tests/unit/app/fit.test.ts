import { describe, expect, it } from 'vitest';
import {
  frameAt,
  givenLengths,
  ramPicture,
  lengthsView,
  typedLengths,
  validationPicture,
  withScores,
} from '../../../src/app/pages/fit/ram_view';
import { answerTo, type QuestionName } from '../../../src/app/pages/fit/inverse';
import { planOf } from '../../../src/app/pages/fit/plan';
import { needsOf, ramAnswer, predictionOf } from '../../../src/app/pages/fit/prediction';
import {
  change,
  divisorOf,
  FIELDS,
  keyChanges,
  keylessChanges,
  maxOf,
  readFile,
  remaining,
  settingsOf,
  shownValue,
  valueOf,
  type Changes,
  type Field,
  type Value,
} from '../../../src/app/pages/fit/settings';
import { refusal } from '../../../src/app/ui/refusal';
import { KEY_AT } from '../../../src/config/keys';
import { PRESET_SOURCES } from '../../../src/app/pages/fit/sources';
import { describeJobs, describeOom, headlines } from '../../../src/app/pages/fit/text';
import { scenarioView } from '../../../src/app/pages/fit/time_view';
import { barOf, layerRows, stepPicture, usesAt } from '../../../src/app/pages/fit/vram_view';
import { applyChanges } from '../../../src/config/edit';
import { GPUS } from '../../../src/config/gpus';
import { wholeRun } from '../../../src/estimate/forecast';
import { planJobs } from '../../../src/config/launches';
import { PRESETS } from '../../../src/config/presets';
import { MACHINES } from '../../../src/config/targets';
import { WINDOW } from '../../../src/eeg/windows/windows';
import { ramOptions, type Reading } from '../../../src/estimate/from_config';
import { RamEnsemble } from '../../../src/estimate/oom_odds';
import { RamSimulator } from '../../../src/estimate/ram_simulator';
import { largestBatch, smallestGpu } from '../../../src/estimate/what_fits';
import {
  costsOf,
  epochHours,
  gpuHours,
  ramPlanOf,
  rateOf,
  startOf,
  statisticsOf,
  validationOf,
} from '../../../src/estimate/scenario';
import { scenarioTable, withRam } from '../../../src/estimate/scenario_table';
import { predictVram, vramTimeline } from '../../../src/estimate/vram/predict';

const text = (name: string): string => PRESETS.find((preset) => preset.name === name)?.text ?? '';
const ORIGINAL = text('configs/review/tusz_train.yaml');
const FILE = readFile(ORIGINAL, 'configs/review/tusz_train.yaml', 'wsl2');
const original = settingsOf(FILE);
const convolution = settingsOf(FILE, { mixer: 'conv' });
const PACE = { from: 'later', typed: 3, smokeSeconds: 100, smokeWindows: 1000 } as const;
const LIMITS = { dollars: 140, hours: 168 };
const PRICES = { card: 'modal-2026-07-01', perKwh: 0.2, watts: null } as const;

const field = (name: string): Field => FIELDS.find((one) => one.name === name) as Field;
/** The changes after fields were set one after the other. */
const changed = (values: Readonly<Record<string, Value>>): Changes =>
  Object.entries(values).reduce<Changes>(
    (changes, [name, value]) => change(FILE, changes, field(name), value),
    {},
  );

describe('the settings of a run', () => {
  it('are those of the trainer with the file', () => {
    const { vram, loader, epochs } = original;
    expect(vram).toMatchObject({ batch: 16, layers: 6, precision: 'fp16', mixer: 'mamba2', loss: 'bce' });
    expect(vram.kernelSizes).toEqual([3, 5, 7]);
    expect(loader).toMatchObject({ batch: 16, workers: 4, prefetchFactor: 2 });
    expect(epochs).toBe(100);
    const modal = settingsOf(readFile(text('configs/modal/train_a100.yaml'), 'x.yaml', 'modal'));
    expect(modal.vram).toMatchObject({ batch: 64, mixer: 'conv' });
  });

  it('of every preset are known', () => {
    for (const { machine, path, text } of PRESET_SOURCES)
      expect(settingsOf(readFile(text, path, machine.name)).vram.batch).toBeGreaterThan(0);
  });

  it('of a file with smoke in its path are limited to few recordings', () => {
    const windows = (path: string) => settingsOf(readFile(ORIGINAL, path, 'modal')).windows;
    expect(windows('a/smoke.yaml').training / 50).toBeCloseTo(67.5, 1);
    expect(windows('a/smoke.yaml').about).toContain('falls back');
    expect(windows('a/train.yaml').about).toBeUndefined();
  });

  it('may be numbers that are written as texts; other texts are rejected', () => {
    const batch = (text: string): number => settingsOf(readFile(text, 'x.yaml', 'local')).vram.batch;
    expect(batch('training: {batch_size: "12"}')).toBe(12);
    expect(() => batch('training: {batch_size: many}')).toThrow(/training\.batch_size is "many"/);
    expect(() => batch('a: [')).toThrow(/cannot be read/);
    expect(() => batch('experiment: {device: mps}')).toThrow(/device mps uses no NVIDIA GPU/);
  });

  it('are those that the file with the written changes has', () => {
    const changes = changed({
      'training.batch_size': 8,
      'data.num_workers': 0,
      'training.mixed_precision': false,
      'training.epochs': 60,
      microBatches: 4,
    });
    const keys = keyChanges(changes);
    expect(keys.map(({ path }) => path).sort()).toEqual([
      'data.num_workers',
      'training.batch_size',
      'training.epochs',
      'training.mixed_precision',
    ]);
    const written = readFile(applyChanges(ORIGINAL, keys), FILE.path, 'wsl2');
    expect(settingsOf(written, { microBatches: 4 })).toEqual(settingsOf(FILE, changes));
    expect(keylessChanges(FILE, changes).map(({ name }) => name)).toEqual(['microBatches']);
    expect(remaining(written, changes)).toEqual({ microBatches: 4 });
  });

  it('are unchanged by a value that the file has, and by one that was changed back', () => {
    expect(changed({ 'training.batch_size': 16, mixer: 'mamba2', 'training.mixed_precision': true })).toEqual(
      {},
    );
    const none = changed({ cache: 'none' });
    expect(settingsOf(FILE, none).windows.searched).toBe(20_000);
    // What was cached before is none of the trainer's keys.
    expect(keyChanges(none)).toEqual([]);
    expect(keylessChanges(FILE, none).map(({ name }) => name)).toEqual(['cache']);
    expect(change(FILE, none, field('cache'), 'built')).toEqual({});
  });

  it('keep what the file says of workers that there are none of', () => {
    const file = readFile('data: {num_workers: 0, persistent_workers: true}', 'x.yaml', 'local');
    for (const workers of [0, 4])
      expect(settingsOf(file, { 'data.num_workers': workers }).loader).toMatchObject({
        workers,
        persistentWorkers: true,
      });
  });

  it('cut a batch into equal parts only', () => {
    expect(divisorOf(12, 5)).toBe(4);
    expect(divisorOf(7, 3)).toBe(1);
    expect(settingsOf(FILE, { 'training.batch_size': 10, microBatches: 4 }).vram.microBatches).toBe(2);
  });

  it('have fields with values in words, and the bounds of the trainer’s keys', () => {
    for (const field of FIELDS) {
      if (field.kind !== 'number') continue;
      expect(field.slider).toBeLessThanOrEqual(field.max ?? Infinity);
      const kind = KEY_AT.get(field.name)?.kind;
      if (kind?.type === 'int') expect([field.min, field.max]).toEqual([kind.min, kind.max]);
    }
    const prefetch = field('data.prefetch_factor');
    if (prefetch.kind !== 'number') throw new Error('prefetch_factor is a number');
    expect(maxOf(prefetch, FILE)).toBeUndefined();
    const changes = changed({ 'data.prefetch_factor': 100 });
    expect(settingsOf(FILE, changes).loader.prefetchFactor).toBe(100);
    const parts = field('microBatches');
    if (parts.kind !== 'number') throw new Error('micro-batches are a number');
    expect(maxOf(parts, FILE, changed({ 'training.batch_size': 200 }))).toBe(200);
    const shown = (name: string): string => shownValue(field(name), valueOf(field(name), FILE));
    expect(shown('mixer')).toBe('Mamba-2');
    expect(shown('checkpointing')).toBe('off');
    expect(shown('data.num_workers')).toBe('4');
  });
});

describe('a number that is typed', () => {
  const typed = (valueAsNumber: number, bounds: Parameters<typeof refusal>[1]) =>
    refusal({ valueAsNumber }, bounds);

  it('is taken within its bounds', () => {
    expect(typed(256, { min: 1, max: 256, step: 1 })).toBeUndefined();
    expect(typed(1e9, { min: 2, step: 1 })).toBeUndefined();
    expect(typed(-2.5, {})).toBeUndefined();
  });

  it('else is refused with what it has to be', () => {
    expect(typed(300, { min: 1, max: 256, step: 1 })).toBe(
      '300 is not taken: it has to be a whole number from 1 to 256.',
    );
    expect(typed(1, { min: 2, step: 1 })).toBe('1 is not taken: it has to be a whole number of at least 2.');
    expect(typed(2.5, { step: 1 })).toBe('2.5 is not taken: it has to be a whole number.');
    expect(typed(NaN, { max: 1 })).toBe('What was typed is not taken: it has to be a number of at most 1.');
  });
});

describe('the GPU’s memory', () => {
  const run = convolution.vram;
  const prediction = predictVram(run);

  it('is a bar whose parts are the whole', () => {
    const bar = barOf(prediction, 24e9);
    const last = bar.segments.at(-1);
    const end = (last?.from ?? 0) + (last?.width ?? 0);
    expect(end).toBeCloseTo((bar.capacity * prediction.total.likely) / 24e9, 6);
    expect(bar.low).toBeLessThan(end);
    expect(bar.low + bar.span).toBeGreaterThan(end);
    expect(bar.share).toBeCloseTo(prediction.total.likely / 24e9, 9);
    const over = barOf(prediction, 1e9);
    expect(over.low + over.span).toBeLessThanOrEqual(100);
  });

  it('over a step has the prediction’s peak, divided among its uses', () => {
    const picture = stepPicture(vramTimeline(run));
    const at = usesAt(picture, picture.peak);
    expect(at.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(prediction.allocated.likely);
    for (const { use, bytes } of at)
      expect(bytes).toBe(prediction.parts.find(({ name }) => name === use)?.bytes.likely);
    expect(picture.phases.map(({ phase }) => phase).slice(-3)).toEqual([
      'forward',
      'backward',
      'optimizer step',
    ]);
    picture.timeline.points.forEach(({ peak, allocated }, i) => {
      expect(picture.series.reduce((sum, values) => sum + (values[i] ?? 0), 0)).toBe(peak);
      expect(peak).toBeGreaterThanOrEqual(allocated);
    });
  });

  it('by layer is compared with the largest', () => {
    const rows = layerRows(prediction.perLayer);
    expect(Math.max(...rows.map(({ share }) => share))).toBe(100);
  });
});

describe('system RAM', () => {
  const machine = MACHINES.wsl2;
  const asked = (reading: Reading = {}) =>
    ramOptions(ramPlanOf(planOf(original, machine, PACE, PRICES, reading)));
  const options = asked();

  it('is asked for with the file’s loader, and with what is chosen beside it', () => {
    expect(options).toMatchObject({ batch: 16, workers: 4, start: 'spawn', arraysStay: 0.5 });
    // The hours that were reported are of float32; the file asks for mixed precision.
    const { likely } = gpuHours(planOf(original, machine, PACE, PRICES));
    expect(options.stepSeconds).toBeCloseTo((likely * 3600) / 3110, 9);
    expect(likely).toBeLessThan(2.5);
    const chosen = asked({ arraysStay: 0, heapKeeps: 0.25 });
    expect([chosen.arraysStay, chosen.heapKeeps.likely]).toEqual([0, 0.25]);
  });

  it('won’t fit where the outputs of validation alone are too much, before they are simulated', () => {
    const after = (ramGiB: number) => {
      const plan = planOf(original, { ...machine, ramGiB }, PACE, PRICES);
      return ramAnswer(plan, new RamEnsemble(ramOptions(ramPlanOf(plan))).advance(1), 40);
    };
    const answer = after(31);
    expect(answer).toMatchObject({ runs: 1, of: 40, fits: "won't fit", notes: [] });
    expect(answer.validation.likely).toBeGreaterThan(61e9);
    expect(answer.peak.likely).toBe(answer.validation.likely);
    expect(describeOom(answer, machine.name)).toMatch(
      /of 1 simulated runs so far\. Validation: won’t fit\.$/,
    );
    expect(after(70).fits).toBe('borderline');
  });

  it('shows validation’s 61 GB by itself', () => {
    const roomy = { ...options, machine: { ...options.machine, ramBytes: 2 ** 50 } };
    const run = new RamSimulator({ ...roomy, workers: 0 }).validate(1, 3000, Infinity);
    const picture = validationPicture({ frames: withScores(run.frames, 50) });
    expect(picture.frames.length).toBe(50 + 32);
    expect(picture.frames.at(-1)?.lists).toBeCloseTo(3000 * 15_360 * 77, -6);
    expect(picture.xs.at(-1)).toBe(1);
    expect([...picture.xs].every((x, i, all) => i === 0 || x >= (all[i - 1] ?? 0))).toBe(true);
    expect(picture.peak).toBe(Math.max(...run.frames.map(({ total }) => total)));
  });

  it('as a picture has every part of every frame', () => {
    const run = new RamSimulator({ ...options, batches: 40 }).train(3, 400);
    const picture = ramPicture(run);
    picture.frames.forEach(({ total }, i) =>
      expect(picture.layers.reduce((sum, { values }) => sum + (values[i] ?? 0), 0)).toBeCloseTo(total, 0),
    );
    expect(frameAt(picture, picture.seconds)).toBe(picture.frames.length - 1);
    expect(frameAt(picture, -1)).toBe(0);
  });

  it('takes the lengths of open recordings', () => {
    const segments = [{ start: 0, firstSample: 0, samples: WINDOW + 9 * 2560 }];
    expect(givenLengths([{ segments }])).toEqual({ kind: 'given', windows: [10] });
    const view = lengthsView(typedLengths({ mean: 67, spread: 1, longest: 1075 }));
    expect(view.mean).toBeCloseTo(67, 0);
    expect(view.met).toBeGreaterThan(view.mean);
    expect(view.bins.reduce((sum, { count }) => sum + count, 0)).toBe(4096);
  });
});

describe('time and cost', () => {
  const modal = MACHINES.modal;

  it('of the review’s epochs are the review’s, with what it left out', () => {
    const plan = planOf(
      settingsOf(FILE, { 'training.batch_size': 64 }),
      modal,
      { ...PACE, from: 'typed', typed: 0.25 },
      { ...PRICES, card: 'review-2025-01-19' },
    );
    const all = costsOf(plan).find(({ stop }) => stop.id === 'all');
    // 100 epochs of 15 min; the second launch repeats an epoch.
    expect(all?.jobs?.count).toBe(2);
    const { lost = NaN, starting } = all?.jobs ?? {};
    expect(starting).toBe(2 * startOf(plan).likely);
    expect(all?.dollars?.likely).toBeCloseTo((25.25 + 2 * startOf(plan).likely + lost) * 5.59, 2);
    // By the trainer’s source an epoch of its file takes hours.
    const claimed = { ...plan, machine: modal, pace: 'review' } as const;
    expect(epochHours(claimed).low).toBeLessThan(0.3);
    expect(epochHours(claimed).likely).toBeGreaterThan(5);
    const whole = wholeRun(costsOf(plan), 'hours');
    expect(whole?.likely).toBe(all?.hours.likely);
    expect(whole?.low).toBeLessThan(whole?.likely ?? 0);
    expect(wholeRun([], 'dollars')).toBeUndefined();
    const within = (hours: number) => predictionOf(plan, { ...LIMITS, hours }).hours;
    expect(within(1e4)).toEqual({ fit: 'fits', need: whole, limit: 1e4 });
    expect(within(whole?.likely ?? 0)?.fit).toBe(whole?.high === whole?.likely ? 'fits' : 'borderline');
    expect(within(1)?.fit).toBe("won't fit");
  });

  it('follow a typed pace, a short run, typed watts and prices', () => {
    const local = MACHINES.local;
    const hours = (from: 'typed' | 'smoke') => epochHours(planOf(original, local, { ...PACE, from }, PRICES));
    expect(hours('typed').likely).toBe(3);
    // Its training is measured, its validation and its statistics are not.
    const plan = planOf(original, local, PACE, PRICES);
    const rest = validationOf(plan).likely + statisticsOf(plan).likely;
    expect(hours('smoke').likely).toBeCloseTo((49_760 * 0.1) / 3600 + rest, 6);
    expect(hours('smoke').basis).toBe('assumed');
    expect(rateOf(planOf(original, local, PACE, { ...PRICES, watts: 500 }))?.likely).toBeCloseTo(0.1, 9);
    expect(rateOf(planOf(original, { ...modal, gpu: GPUS.t4 }, PACE, PRICES))).toBeUndefined();
    expect(rateOf(planOf(original, modal, PACE, PRICES))?.low).toBe(3.13);
  });

  it('of several jobs say what is done twice, and what is lost if anything is', () => {
    const said = (hours: number) =>
      Object.values(describeJobs(planJobs(100, hours)))
        .join(': ')
        .replaceAll('\u00a0', ' ');
    expect(said(1)).toBe('5 jobs: +4.00 h re-trained');
    expect(said(2.5)).toBe('13 jobs: +30.0 h re-trained, 18.0 h lost');
    expect(said(0.2)).toBe('1 job');
    expect(said(13)).toMatch(/^never ends/);
  });

  it('elsewhere stand beside the machine that is looked at', () => {
    const table = scenarioTable(planOf(original, modal, PACE, PRICES));
    const rows = scenarioView(table, modal);
    expect(rows.filter(({ chosen }) => chosen).map(({ title }) => title)).toEqual(['Modal, A100 80 GB']);
    expect(rows[0]).toMatchObject({ title: 'WSL2, RTX 4090', limited: false, ram: undefined });
    const [own, , , a100] = scenarioView(table.slice(0, 4).map(withRam), modal);
    expect(own).toMatchObject({ gpuFit: 'fits', fits: "won't fit", ram: { fits: "won't fit" } });
    expect(own?.ram?.said).toMatch(/^6\d\.\d.GiB$/);
    expect(own?.ram?.more).toMatch(/^of 31\.0.GiB; needs 6\d\.\d.GiB$/);
    expect(a100?.ram?.said).toMatch(/^6\d\.\d.GiB$/);
    expect(a100?.ram?.more).toBe('extra RAM billed');
    expect(a100?.rate?.likely).toBeGreaterThan(3.13);
  });

  it('of limits are sentences with the numbers that the estimator finds', () => {
    const plan = planOf(convolution, MACHINES.wsl2, PACE, PRICES);
    const say = (name: QuestionName, deadline = 168): string => answerTo(name, plan, deadline);
    expect(say('batch')).toContain(`a batch size of ${largestBatch(plan.settings.vram, plan.machine.gpu)}`);
    expect(say('batch')).toMatch(/\(range: \d+ to \d+\)/);
    expect(say('layers')).toMatch(/12 Mamba layers, the maximum that the trainer accepts/);
    expect(say('gpu')).toContain(smallestGpu(plan.settings.vram)?.name);
    expect(say('plan', 0.1)).toMatch(/No machine .* within 6\.00.min/);
    const cheapest = say('plan', 3000);
    expect(cheapest).toMatch(/^Modal, .* of RAM requested instead of 32\.0.GiB: all 100 epochs in .* for \$/);
    expect(cheapest).toMatch(
      /WSL2, RTX 4090 would be cheaper, but needs 6\d\.\d.GiB of RAM and has 31\.0.GiB/,
    );
  });
});

describe('the head of the page', () => {
  const prediction = predictionOf(planOf(original, MACHINES.wsl2, PACE, PRICES), LIMITS);
  const needs = needsOf(MACHINES.wsl2, prediction, undefined);

  it('says of each answer whether it is within its limit', () => {
    const [gpu, ram, time, cost] = headlines('RTX 4090', needs);
    expect(gpu?.verdict.replaceAll('\u00a0', ' ')).toBe('fits in 24.0 GiB of the RTX 4090');
    expect(ram).toMatchObject({ of: undefined, fits: undefined, verdict: '' });
    expect(time?.verdict).toMatch(/^won’t fit the 168.h deadline \(low end \d+\.\d.h\)$/);
    expect(cost?.verdict).toBe('fits the $140.00 budget');
  });

  it('says how an answer differs from the file’s', () => {
    const vram = predictVram({ ...original.vram, batch: 8 });
    const smaller = { ...prediction, vram };
    const [gpu, , time] = headlines('RTX 4090', needsOf(MACHINES.wsl2, smaller, undefined), needs);
    expect(gpu?.difference).toMatch(/ in the file: .* less$/);
    expect(time?.difference).toBeUndefined();
  });
});
