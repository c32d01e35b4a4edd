import { describe, expect, it } from 'vitest';
import { fittingParts, numberFor, FIELDS, shownValue, withChanges } from '../../../src/app/pages/fit/fields';
import { alternatives, epochHours, rateOf, stopCosts, wholeRun } from '../../../src/app/pages/fit/costs';
import { frameAt, hostPicture, validationPicture, withScores } from '../../../src/app/pages/fit/host_picture';
import { AS_READ, hostNeed, hostOptionsOf, validationNeed } from '../../../src/app/pages/fit/host_question';
import { Lane } from '../../../src/app/pages/fit/lane';
import { machineOf } from '../../../src/app/pages/fit/machine';
import { givenLengths, lengthsView, typedLengths } from '../../../src/app/pages/fit/recordings_view';
import { changesOf, SetupError, setupOf, unwritten, vramRunOf } from '../../../src/app/pages/fit/setup';
import { areaPaths, atPixel, linePath, moved, nearest, ticks } from '../../../src/app/pages/fit/stack';
import { stepPicture, usesAt } from '../../../src/app/pages/fit/step_picture';
import { verdictOf, verdictOfOdds, worst } from '../../../src/app/pages/fit/verdict';
import { barOf, layerRows, reviewPerWindow } from '../../../src/app/pages/fit/vram_view';
import { WINDOW } from '../../../src/data/windows';
import { GPUS } from '../../../src/estimate/hardware';
import { HostSimulator } from '../../../src/estimate/host_ram';
import { exactly, quantity } from '../../../src/estimate/quantity';
import { predictVram, vramTimeline } from '../../../src/estimate/vram/predict';
import { PRESETS } from '../../../src/production/presets';
import { applyChanges } from '../../../src/production/edit';

const text = (name: string): string => PRESETS.find((preset) => preset.name === name)?.text ?? '';
const ORIGINAL = text('configs/review/tusz_train.yaml');
const original = setupOf(ORIGINAL, 'wsl2');
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
    expect(setupOf(text('configs/modal/train_a100.yaml'), 'modal')).toMatchObject({
      batch: 64,
      mixer: 'conv',
    });
  });

  it('of every preset is known', () => {
    for (const { text, target } of PRESETS)
      expect(setupOf(text, target === 'browser' ? 'local' : target).batch).toBeGreaterThan(0);
  });

  it('takes numbers that are written as texts, and refuses what is none', () => {
    expect(setupOf('training: {batch_size: "12"}', 'local').batch).toBe(12);
    expect(() => setupOf('training: {batch_size: many}', 'local')).toThrow(SetupError);
    expect(() => setupOf('training: {batch_size: many}', 'local')).toThrow(/training\.batch_size is "many"/);
    expect(() => setupOf('a: [', 'local')).toThrow(/cannot be read/);
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
    const read = setupOf(applyChanges(ORIGINAL, changes), 'wsl2');
    expect({ ...read, microBatches: 4 }).toEqual(now);
    expect(unwritten(original, now)).toEqual(['microBatches']);
    expect(changesOf(original, original)).toEqual([]);
  });

  it('cuts a batch into equal parts only', () => {
    expect(fittingParts(12, 5)).toBe(4);
    expect(fittingParts(7, 3)).toBe(1);
    expect(withChanges(original, { batch: 10, microBatches: 4 }).microBatches).toBe(2);
  });

  it('has fields with numbers in their range', () => {
    const batch = FIELDS.find(({ field }) => field === 'batch');
    if (batch?.kind !== 'number') throw new Error('the batch is a number');
    expect([numberFor(batch, 1000), numberFor(batch, 0), numberFor(batch, 3.4)]).toEqual([256, 1, 3]);
    expect(numberFor(batch, NaN)).toBeUndefined();
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
    expect(picture.phases.map(({ phase }) => phase).slice(-3)).toEqual(['forward', 'backward', 'update']);
    picture.timeline.points.forEach(({ peak, allocated }, i) => {
      expect(picture.series.reduce((sum, values) => sum + (values[i] ?? 0), 0)).toBe(peak);
      expect(peak).toBeGreaterThanOrEqual(allocated);
    });
  });

  it('by layer is compared with the largest', () => {
    const rows = layerRows(prediction.perLayer);
    expect(Math.max(...rows.map(({ share }) => share))).toBe(100);
    expect(reviewPerWindow()).toBeCloseTo(607e6, -6);
  });
});

describe('the host’s memory', () => {
  const machine = machineOf('wsl2');
  const options = hostOptionsOf(original, machine, exactly(2.5, 'measured', ''), AS_READ);

  it('is asked for with the file’s loader and an epoch’s batches', () => {
    expect(options).toMatchObject({ batch: 16, workers: 4, start: 'spawn', items: 'copies', batches: 3110 });
    expect(options.stepSeconds).toBeCloseTo((2.5 * 3600) / 3110, 9);
    expect(
      hostOptionsOf(
        { ...original, workers: 0, persistentWorkers: true },
        machine,
        exactly(1, 'measured', ''),
        AS_READ,
      ).persistentWorkers,
    ).toBe(false);
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
  it('of the review’s plan are the review’s', () => {
    const modal = machineOf('modal');
    const setup = { ...original, batch: 64 };
    const costs = stopCosts(
      setup,
      modal,
      { ...PACE, from: 'review' },
      { ...PRICES, card: 'review-2025-01-19' },
    );
    const all = costs.find(({ stop }) => stop.id === 'all');
    // 100 epochs of 15 min; the second launch repeats an epoch.
    expect(all?.launches?.count).toBe(2);
    expect(all?.dollars.likely).toBeCloseTo(25.25 * 5.59, 2);
    const whole = wholeRun(costs, 'hours');
    expect(whole?.likely).toBe(all?.hours.likely);
    expect(whole?.low).toBeLessThan(whole?.likely ?? 0);
  });

  it('takes a typed pace for the chosen card alone', () => {
    const typed = { ...PACE, from: 'typed' } as const;
    expect(epochHours(original, 'rtx4090', typed, true).likely).toBe(3);
    expect(epochHours(original, 'h100', typed, false).likely).toBeLessThan(1);
    const smoke = epochHours(original, 'rtx4090', { ...PACE, from: 'smoke' }, true);
    expect(smoke.likely).toBeCloseTo((49_760 * 0.1) / 3600, 6);
    expect(smoke.basis).toBe('measured');
  });

  it('compares the machine with those of the rate card, each once', () => {
    const rows = alternatives(original, machineOf('modal'), PACE, PRICES);
    expect(rows.map(({ machine }) => machine.gpu).sort()).toEqual(['a100-40', 'a100-80', 'h100', 'l40s']);
    expect(rows.filter(({ chosen }) => chosen)).toHaveLength(1);
    expect(rateOf({ ...machineOf('modal'), gpu: 't4' }, PRICES)).toBeUndefined();
    const own = rateOf(machineOf('local'), { ...PRICES, watts: 500 });
    expect(own?.likely).toBeCloseTo(0.1, 9);
    expect(GPUS[machineOf('local').gpu].name).toBe('RTX 4090');
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
