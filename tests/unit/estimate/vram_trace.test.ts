import { describe, expect, it } from 'vitest';
import { detectorTape } from '../../../src/estimate/vram/lower';
import { bytesFor } from '../../../src/estimate/vram/tape';
import type { Trace } from '../../../src/estimate/vram/events';
import { traceLoop } from '../../../src/estimate/vram/trace';
import { PRODUCTION, segmentOf } from '../../../src/models/detector';
import { pythonWithTorch } from '../checkpoints/python';
import { peaksByTorch, type PeaksByTorch } from './torch_detector';

const MODEL = {
  ...PRODUCTION,
  baseChannels: 16,
  depth: 3,
  rescnnBlocks: 2,
  layers: 2,
  headdim: 16,
  mixer: 'conv',
} as const;
const LENGTH = 2048;

const TAPE = detectorTape({
  backend: 'cpu',
  precision: 'fp32',
  model: MODEL,
  loss: 'bce',
  bothMixers: false,
  length: LENGTH,
});
const SEGMENTS = new Set(TAPE.ops.flatMap(({ label }) => segmentOf(label) ?? []));

const traced = (checkpointing: boolean, microBatches: 1 | 2 = 1): Trace =>
  traceLoop(TAPE, { microBatches, segmentOf: checkpointing ? segmentOf : undefined });

/** The first step, from before its forward pass to its update, without what only GPUs have. */
function peaksOf({ storages, moments }: Trace, windows: number): PeaksByTorch {
  let held = 0;
  const peaks = { forward: 0, peak: 0, gradients: 0 };
  for (const { phase, step, op, events } of moments) {
    if (step !== 1 || op === 'window.to(device)') continue;
    for (const event of events) {
      const storage = storages[event < 0 ? ~event : event];
      if (!storage || storage.use === 'workspace' || phase === 'optimizer step') continue;
      held += Math.sign(event + 0.5) * bytesFor(storage.size, windows);
      if (phase === 'backward') peaks.peak = Math.max(peaks.peak, held);
    }
    if (phase === 'forward') peaks.forward = held;
    if (phase === 'backward') peaks.gradients = held;
  }
  return peaks;
}

describe('a trace', () => {
  it('frees once what it allocates once, and all but what a loop keeps', () => {
    for (const checkpointing of [false, true]) {
      const { storages, moments } = traced(checkpointing, 2);
      const living = new Set<number>();
      for (const event of moments.flatMap(({ events }) => events))
        if (event >= 0) {
          expect(living.has(event)).toBe(false);
          living.add(event);
        } else expect(living.delete(~event)).toBe(true);
      const left = [...living].flatMap((index) => storages[index] ?? []);
      const kept = ['gradients', 'inputs', 'moments', 'parameters', 'workspace'];
      const others = left.filter(({ use }) => !kept.includes(use));
      // The loop's variables hold logits and loss.
      expect(others.map(({ layer }) => layer)).toEqual(['detection_head', 'loss']);
    }
  });

  it('adds the second micro-batch’s gradients in place', () => {
    const gradients = (trace: Trace): number =>
      trace.storages.filter(({ use }) => use === 'gradients').length;
    expect(gradients(traced(false, 2))).toBe(2 * gradients(traced(false)));
    const last = traced(false, 2).moments.at(-1);
    expect(last?.op).toBe('AdamW.step');
  });
});

describe.skipIf(pythonWithTorch === undefined)('what PyTorch’s profiler sees on a CPU', () => {
  it.each([
    [2, false],
    [4, false],
    [4, true],
  ])(
    'batch %i, checkpointing %s',
    (batch, checkpointing) => {
      const seen = peaksByTorch(MODEL, { length: LENGTH, batch, checkpointing });
      const predicted = peaksOf(traced(checkpointing), batch);
      // The profiler sees a scalar more; and a checkpoint keeps the state of the CPU's random numbers, 5 kB, which a GPU does not.
      const states = checkpointing ? SEGMENTS.size * 5056 : 0;
      expect(Math.abs(seen.forward - states - predicted.forward)).toBeLessThan(1024);
      expect(Math.abs(seen.peak - states - predicted.peak)).toBeLessThan(
        checkpointing ? 0.005 * seen.peak : 1024,
      );
      expect(seen.gradients).toBe(predicted.gradients);
    },
    120_000,
  );
});
