import { describe, expect, it } from 'vitest';
import { fittingParts, FIELDS, shownValue, withChanges } from '../../../src/app/pages/fit/fields';
import { frameAt, hostPicture, validationPicture, withScores } from '../../../src/app/pages/fit/host_picture';
import { answerTo } from '../../../src/app/pages/fit/inverse';
import { hostNeed, hostVerdict, planOf, validationNeed, wholeRun } from '../../../src/app/pages/fit/plan';
import type { QuestionName } from '../../../src/app/pages/fit/questions';
import { placeOf } from '../../../src/app/pages/fit/sources';
import { describeJobs } from '../../../src/app/pages/fit/said';
import { scenarioView } from '../../../src/app/pages/fit/scenario_view';
import { Lane } from '../../../src/app/pages/fit/lane';
import { machineOf } from '../../../src/app/pages/fit/machine';
import { givenLengths, lengthsView, typedLengths } from '../../../src/app/pages/fit/recordings_view';
import {
  changesOf,
  remaining,
  setupOf,
  unwritten,
  vramRunOf,
  type Place,
} from '../../../src/app/pages/fit/setup';
import { apart, areaPaths, atPixel, linePath, moved, nearest, ticks } from '../../../src/app/pages/fit/stack';
import { stepPicture, usesAt } from '../../../src/app/pages/fit/step_picture';
import { verdictOf, verdictOfOdds, worst } from '../../../src/app/pages/fit/verdict';
import { barOf, layerRows } from '../../../src/app/pages/fit/vram_view';
import { WINDOW } from '../../../src/eeg/windows/windows';
import { HostSimulator } from '../../../src/estimate/host_ram';
import { largestBatch, smallestGpu } from '../../../src/estimate/inverse';
import { hostOptions, type Reading } from '../../../src/estimate/from_config';
import { costsOf, epochHours, hostPlanOf, rateOf } from '../../../src/estimate/scenario';
import { scenarioTable, withHost } from '../../../src/estimate/scenario_table';
import { planJobs } from '../../../src/config/launches';
import { TARGETS } from '../../../src/config/targets';
import { exactly, quantity } from '../../../src/base/quantity';
import { predictVram, vramTimeline } from '../../../src/estimate/vram/predict';
import { PRESETS } from '../../../src/config/presets';
import { applyChanges } from '../../../src/config/edit';

const text = (name: string): string => PRESETS.find((preset) => preset.name === name)?.text ?? '';
const ORIGINAL = text('configs/review/tusz_train.yaml');
const original = setupOf(ORIGINAL, 'configs/review/tusz_train.yaml', 'wsl2');
const PACE = { from: 'later', typed: 3, smokeSeconds: 100, smokeWindows: 1000 } as const;
const PRICES = { card: 'modal-2026-07-01', perKwh: 0.2, watts: null } as const;

describe('a setup', () => {
  it('is what the trainer makes of the file', () => {
    expect(original).toMatchObject({ batch: 16, layers: 6, workers: 4, prefetch: 2, epochs: 100 });
    expect(original).toMatchObject({
      precision: 'fp16',
      mixer: 'mamba2',
      loss: 'bce',
      kernelSizes: [3, 5, 7],
    });
    expect(setupOf(text('configs/modal/train_a100.yaml'), 'x.yaml', 'modal')).toMatchObject({
      batch: 64,
      mixer: 'conv',
    });
  });

  it('of every preset is known', () => {
    for (const { name, text, target } of PRESETS)
      expect(setupOf(text, name, placeOf(target)).batch).toBeGreaterThan(0);
  });

  it('of a file with smoke in its path is limited on Modal, where the launcher reads the path', () => {
    const windows = (path: string, place: Place): number => setupOf(ORIGINAL, path, place).windows.training;
    expect(windows('a/smoke.yaml', 'modal')).toBeLessThan(0.02 * windows('a/train.yaml', 'modal'));
    expect(windows('a/smoke.yaml', 'local')).toBe(windows('a/train.yaml', 'modal'));
  });

  it('takes numbers that are written as texts, and refuses what is none', () => {
    const batch = (text: string): number => setupOf(text, 'x.yaml', 'local').batch;
    expect(batch('training: {batch_size: "12"}')).toBe(12);
    expect(() => batch('training: {batch_size: many}')).toThrow(/training\.batch_size is "many"/);
    expect(() => batch('a: [')).toThrow(/cannot be read/);
  });

  it('comes back through the file that its changes make', () => {
    const now = withChanges(original, {
      batch: 8,
      workers: 0,
      precision: 'fp32',
      epochs: 60,
      microBatches: 4,
    });
    const changes = changesOf(original, now);
    expect(changes.map(({ path }) => path).sort()).toEqual([
      'data.num_workers',
      'training.batch_size',
      'training.epochs',
      'training.mixed_precision',
    ]);
    const read = setupOf(applyChanges(ORIGINAL, changes), 'x.yaml', 'wsl2');
    expect({ ...read, microBatches: 4 }).toEqual(now);
    expect(unwritten(original, now)).toEqual(['microBatches']);
    expect(changesOf(original, original)).toEqual([]);
    expect(remaining(read, { batch: 8, microBatches: 4 })).toEqual({ microBatches: 4 });
  });

  it('cuts a batch into equal parts only', () => {
    expect(fittingParts(12, 5)).toBe(4);
    expect(fittingParts(7, 3)).toBe(1);
    expect(withChanges(original, { batch: 10, microBatches: 4 }).microBatches).toBe(2);
  });

  it('has fields whose values are said in words, and whose slider ends within what production accepts', () => {
    for (const field of FIELDS)
      if (field.kind === 'number') expect(field.slider).toBeLessThanOrEqual(field.most);
    expect(shownValue(original, 'mixer')).toBe('Mamba-2');
    expect(shownValue(original, 'checkpointing')).toBe('off');
  });
});

describe('pictures of amounts', () => {
  const frame = { width: 100, height: 50, xMost: 10, yMost: 5 };
  it('lie on each other', () => {
    expect(
      areaPaths(
        frame,
        [0, 10],
        [
          [1, 2],
          [1, 1],
        ],
      ),
    ).toEqual(['M0 40L100 30L100 50L0 50Z', 'M0 30L100 20L100 30L0 40Z']);
    expect(linePath(frame, [0, 5], [1, 2], true)).toBe('M0 40L50 40L50 30L100 30');
    expect(areaPaths(frame, [], [[]])).toEqual(['']);
  });

  it('write no caption into another', () => {
    const captions = ['0 s', '17 min 49 s', '35 min 39 s', '53 min 28 s'].map((label, i) => ({
      at: i,
      label,
    }));
    const shown = (width: number) =>
      apart({ width, height: 1, xMost: 4, yMost: 1 }, captions).map(({ at }) => at);
    expect(shown(600)).toEqual([0, 1, 2, 3]);
    expect(shown(280)).toEqual([0, 1, 3]);
    expect(shown(20)).toEqual([0]);
  });

  it('have round ticks in their unit', () => {
    expect(ticks(43, 4)).toEqual([0, 20, 40]);
    expect(ticks(3.5 * 1024, 4, 1024)).toEqual([0, 1024, 2048, 3072]);
    expect(ticks(0, 4)).toEqual([0]);
  });

  it('have a cursor that pointers and keys move', () => {
    expect([nearest([0, 4, 10], 6), nearest([0, 4, 10], 7.5), nearest([3], 9)]).toEqual([1, 2, 0]);
    expect(atPixel(frame, [0, 4, 10], 45)).toBe(1);
    expect([moved('ArrowRight', 3, 5), moved('End', 0, 5), moved('ArrowLeft', 0, 5)]).toEqual([4, 4, 0]);
    expect(moved('x', 3, 5)).toBeUndefined();
  });
});

describe('the GPU’s memory', () => {
  const run = vramRunOf({ ...original, mixer: 'conv' });
  const prediction = predictVram(run);

  it('is a bar whose parts are the whole', () => {
    const bar = barOf(prediction, 24e9);
    const last = bar.segments.at(-1);
    const end = (last?.from ?? 0) + (last?.width ?? 0);
    expect(end).toBeCloseTo((bar.capacity * prediction.total.likely) / 24e9, 6);
    expect(bar.low).toBeLessThan(end);
    expect(bar.high).toBeGreaterThan(end);
    expect(barOf(prediction, 1e9).high).toBeLessThanOrEqual(100);
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

describe('the host’s memory', () => {
  const machine = machineOf('wsl2');
  const asked = (reading: Reading = {}) =>
    hostOptions(hostPlanOf(planOf(original, machine, PACE, PRICES, reading)));
  const options = asked();

  it('is asked for with the file’s loader, and with what is chosen beside it', () => {
    expect(options).toMatchObject({ batch: 16, workers: 4, start: 'spawn', arraysStay: 0.5 });
    expect(options.stepSeconds).toBeCloseTo((2.5 * 3600) / 3110, 9);
    const chosen = asked({ arraysStay: 0, heapKeeps: 0.25 });
    expect([chosen.arraysStay, chosen.heapKeeps.likely]).toEqual([0, 0.25]);
    const none = planOf({ ...original, workers: 0, persistentWorkers: true }, machine, PACE, PRICES);
    expect(none.settings.loader.persistentWorkers).toBe(false);
  });

  it('does not fit where validation’s lists alone are too much', () => {
    const need = validationNeed(original, machine);
    const known = { killed: { low: 0, high: 0.04 }, need };
    expect(hostVerdict(known, machine, undefined)).toBe('does not fit');
    expect(hostVerdict(known, { ...machine, ramGiB: 200 }, undefined)).toBe('fits');
    expect(hostVerdict({ ...known, killed: undefined }, { ...machine, ramGiB: 60 }, undefined)).toBe(
      'perhaps',
    );
  });

  it('shows validation’s 61 GB by itself', () => {
    const need = validationNeed(original, machine);
    expect(need.likely).toBeGreaterThan(61e9);
    expect(hostNeed(undefined, need)).toBe(need);
    expect(hostNeed(exactly(1e12, 'assumed', ''), need).likely).toBe(1e12);
    const roomy = { ...options, machine: { ...options.machine, ramBytes: 2 ** 50 } };
    const run = new HostSimulator({ ...roomy, workers: 0 }).validate(1, 3000, Infinity);
    const picture = validationPicture({ frames: withScores(run.frames, 50) });
    expect(picture.frames.length).toBe(50 + 32);
    expect(picture.frames.at(-1)?.lists).toBeCloseTo(3000 * 15_360 * 77, -6);
    expect(picture.xs.at(-1)).toBe(1);
    expect([...picture.xs].every((x, i, all) => i === 0 || x >= (all[i - 1] ?? 0))).toBe(true);
    expect(picture.peak).toBe(Math.max(...run.frames.map(({ total }) => total)));
  });

  it('as a picture has every part of every frame', () => {
    const run = new HostSimulator({ ...options, batches: 40 }).train(3, 400);
    const picture = hostPicture(run);
    picture.frames.forEach(({ total }, i) =>
      expect(picture.layers.reduce((sum, { values }) => sum + (values[i] ?? 0), 0)).toBeCloseTo(total, 0),
    );
    expect(frameAt(picture, picture.seconds)).toBe(picture.frames.length - 1);
    expect(frameAt(picture, -1)).toBe(0);
  });

  it('takes the lengths of open recordings', () => {
    const segments = [{ start: 0, firstSample: 0, samples: WINDOW + 9 * 2560 }];
    expect(givenLengths([{ segments }])).toEqual({ kind: 'given', windows: [10] });
    const view = lengthsView(typedLengths(67, 1, 1075));
    expect(view.mean).toBeCloseTo(67, 0);
    expect(view.met).toBeGreaterThan(view.mean);
    expect(view.bins.reduce((sum, { count }) => sum + count, 0)).toBe(4096);
  });
});

describe('time and cost', () => {
  const modal = machineOf('modal');

  it('of the review’s plan are the review’s', () => {
    const plan = planOf(
      { ...original, batch: 64 },
      modal,
      { ...PACE, from: 'review' },
      { ...PRICES, card: 'review-2025-01-19' },
    );
    const all = costsOf(plan).find(({ stop }) => stop.id === 'all');
    // 100 epochs of 15 min; the second launch repeats an epoch.
    expect(all?.jobs?.count).toBe(2);
    expect(all?.dollars?.likely).toBeCloseTo(25.25 * 5.59, 2);
    const whole = wholeRun(costsOf(plan), 'hours');
    expect(whole?.likely).toBe(all?.hours.likely);
    expect(whole?.low).toBeLessThan(whole?.likely ?? 0);
    expect(wholeRun([], 'dollars')).toBeUndefined();
  });

  it('follow a typed pace, a short run, typed watts and prices', () => {
    const local = machineOf('local');
    const hours = (from: 'typed' | 'smoke') => epochHours(planOf(original, local, { ...PACE, from }, PRICES));
    expect(hours('typed').likely).toBe(3);
    expect(hours('smoke').likely).toBeCloseTo((49_760 * 0.1) / 3600, 6);
    expect(hours('smoke').basis).toBe('measured');
    expect(rateOf(planOf(original, local, PACE, { ...PRICES, watts: 500 }))?.likely).toBeCloseTo(0.1, 9);
    expect(rateOf(planOf(original, { ...modal, gpu: 't4' }, PACE, PRICES))).toBeUndefined();
    expect(rateOf(planOf(original, modal, PACE, PRICES))?.likely).toBe(3.13);
  });

  it('of several jobs say what is done twice, and what is lost if anything is', () => {
    const said = (hours: number) => describeJobs(planJobs(100, hours)).replaceAll('\u00a0', ' ');
    expect(said(1)).toBe('5, resumed; 4.00 h repeated');
    expect(said(2.5)).toBe('13, resumed; 30.0 h repeated, 18.0 h lost');
    expect(said(0.2)).toBe('1');
    expect(said(13)).toMatch(/^never ends/);
  });

  it('elsewhere stand beside the machine that is looked at', () => {
    const table = scenarioTable(planOf(original, modal, PACE, PRICES));
    const rows = scenarioView(table, modal);
    expect(rows.filter(({ chosen }) => chosen).map(({ title }) => title)).toEqual(['Modal, A100 80 GB']);
    expect(rows[0]).toMatchObject({ title: 'WSL2, RTX 4090', launched: false, host: undefined });
    const [own, , , a100] = scenarioView(table.slice(0, 4).map(withHost), modal);
    expect(own).toMatchObject({ vramFits: 'fits', fits: 'does not fit', host: { fits: 'does not fit' } });
    expect(own?.host?.said).toMatch(/of 31\.0.GiB: it needs 6\d\.\d.GiB$/);
    expect(a100?.host?.said).toMatch(/6\d\.\d.GiB asked for and paid instead of 32\.0.GiB$/);
    expect(a100?.rate?.likely).toBeGreaterThan(3.13);
  });

  it('the other way round are sentences with the numbers that the estimator finds', () => {
    const plan = planOf({ ...original, mixer: 'conv' }, machineOf('wsl2'), PACE, PRICES);
    const say = (name: QuestionName, deadline = 168): string => answerTo({ name, deadline }, plan);
    expect(say('batch')).toContain(`batches of ${largestBatch(plan.settings.vram, plan.machine.gpu)}`);
    expect(say('batch')).toMatch(/\(\d+ at the high end of the prediction, \d+ at its low end\)/);
    expect(say('layers')).toMatch(/12 Mamba layers, the most that production accepts/);
    expect(say('gpu')).toContain(smallestGpu(plan.settings.vram)?.name);
    expect(say('plan', 0.1)).toMatch(/No plan .* within 6\.00.min/);
    const cheapest = say('plan');
    expect(cheapest).toMatch(/^Modal, .* asked for instead of 32\.0.GiB: all 100 epochs in .* for \$/);
    expect(cheapest).toMatch(/WSL2, RTX 4090 would be cheaper, but its host’s memory is too small/);
  });
});

describe('machines', () => {
  it('have the memory that the rules take them to have', () => {
    for (const place of ['wsl2', 'local', 'modal'] as const)
      expect(machineOf(place).ramGiB).toBe(TARGETS[place].ramGiB);
  });
});

describe('a verdict', () => {
  it('says perhaps where the limit lies within the range', () => {
    const range = quantity([1, 2, 3], 'assumed', '');
    expect([verdictOf(range, 3), verdictOf(range, 2), verdictOf(range, 0.5)]).toEqual([
      'fits',
      'perhaps',
      'does not fit',
    ]);
    expect(worst(['fits', 'perhaps'])).toBe('perhaps');
    expect(verdictOfOdds({ low: 0, high: 0.04 })).toBe('fits');
    expect(verdictOfOdds({ low: 0.6, high: 0.9 })).toBe('does not fit');
  });
});

describe('a lane', () => {
  it('asks the last of the questions that came meanwhile', async () => {
    const asked: number[] = [];
    const lane = new Lane();
    const question = (number: number) => async () => {
      asked.push(number);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (const number of [1, 2, 3]) lane.ask(question(number));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(asked).toEqual([1, 3]);
  });
});
