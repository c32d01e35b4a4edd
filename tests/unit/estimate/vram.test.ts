import { GIB } from '../../../src/base/units';
import { describe, expect, it } from 'vitest';
import type { VramRun } from '../../../src/estimate/vram/options';
import { PRODUCTION_VRAM } from './plans';
import { gpuFit, predictVram, vramTimeline } from '../../../src/estimate/vram/predict';
import { livingAt } from '../../../src/estimate/vram/replay';
import { expectEffort } from '../../effort';

const likely = (run: Partial<VramRun>): number =>
  predictVram({ ...PRODUCTION_VRAM, ...run }).allocated.likely;

describe('a prediction', () => {
  it('is the sum of its parts, and each has its range and source', () => {
    for (const mixer of ['conv', 'mamba2'] as const) {
      const { total, reserved, allocated, parts } = predictVram({ ...PRODUCTION_VRAM, mixer });
      const sum = parts.reduce((bytes, part) => bytes + part.bytes.likely, 0);
      expect(sum).toBeCloseTo(total.likely, 0);
      expect(total.low).toBeLessThan(total.likely);
      expect(total.likely).toBeLessThan(total.high);
      expect(reserved.likely).toBeGreaterThan(allocated.likely);
      for (const { bytes, max } of parts) {
        expect(bytes.source).not.toBe('');
        expect(max).toBeGreaterThanOrEqual(bytes.likely);
      }
    }
  });

  it('holds weights, gradients and moments of what is trained, in 512 B steps', () => {
    const { parts } = predictVram({ ...PRODUCTION_VRAM, mixer: 'conv' });
    const max = (name: string): number => parts.find((part) => part.name === name)?.max ?? 0;
    const trained = 13_397_799 * 4;
    for (const [name, copies] of [
      ['gradients', 1],
      ['moments', 2],
    ] as const) {
      expect(max(name)).toBeGreaterThanOrEqual(trained * copies);
      // 184 tensors round up to 512 B; a large block is kept whole where less than 1 MiB of it is left.
      expect(max(name)).toBeLessThan(trained * copies * 1.1);
    }
    // 19,257,664 are unused, of Mamba-2 nearly all: they are there where mamba_ssm is installed.
    expect(max('parameters')).toBeGreaterThanOrEqual(trained + 19_257_664 * 4);
    const parameters = parts.find(({ name }) => name === 'parameters')?.bytes;
    expect(parameters?.low).toBeLessThan(trained * 1.1);
  });

  it('saves what the layers save, window by window', () => {
    const run = { ...PRODUCTION_VRAM, mixer: 'conv' as const, precision: 'fp32' as const };
    const { perLayer, savedPerWindow } = predictVram({ ...run, batch: 1 });
    const saved = perLayer.reduce((sum, layer) => sum + layer.saved, 0);
    expect(saved / savedPerWindow).toBeCloseTo(1, 3);
    expect(perLayer.map(({ layer }) => layer).slice(0, 3)).toEqual([
      'encoder/input_conv',
      'encoder/encoder_blocks.0',
      'encoder/downsample.0',
    ]);
    expect(perLayer.find(({ layer }) => layer === 'mamba/layers.5')?.saved).toBeGreaterThan(0);
    const more =
      predictVram({ ...run, batch: 33 }).allocated.likely -
      predictVram({ ...run, batch: 32 }).allocated.likely;
    expect(more / savedPerWindow).toBeGreaterThan(1);
    expect(more / savedPerWindow).toBeLessThan(1.1);
  });

  it('moves as one expects', () => {
    expect(likely({ batch: 16 })).toBeGreaterThan(1.6 * likely({ batch: 8 }));
    expect(likely({ precision: 'fp32' })).toBeGreaterThan(1.5 * likely({}));
    expect(likely({ layers: 12 })).toBeGreaterThan(likely({ layers: 6 }));
    expect(likely({ mixer: 'conv' })).toBeLessThan(likely({ mixer: 'mamba2' }));
    expect(likely({ batch: 64, checkpointing: true })).toBeLessThan(0.5 * likely({ batch: 64 }));
    expect(likely({ batch: 64, microBatches: 8 })).toBeLessThan(1.2 * likely({ batch: 8 }));
    expect(likely({ batch: 64, microBatches: 8 })).toBeGreaterThan(likely({ batch: 8 }));
    expect(likely({ precision: 'bf16' })).toBe(likely({ precision: 'fp16' }));
  });

  it('answers sliders in under 50 ms of computing', () => {
    predictVram(PRODUCTION_VRAM);
    expectEffort(() => {
      for (let batch = 3; batch < 23; batch++) predictVram({ ...PRODUCTION_VRAM, batch });
    }, 20);
  });

  it.each([
    [{ batch: 0 }, 'the batch size is a whole number from 1 to 65536, it is 0'],
    [{ batch: 10, microBatches: 3 }, 'a batch of 10 windows cannot be divided into 3 equal parts'],
    [{ layers: 1.5 }, 'the number of layers'],
    [{ kernelSizes: [3, 4] }, 'kernel sizes are odd whole numbers, they are [3, 4]'],
    [{ mixer: 'conv', convKernel: 4 }, 'conv_kernel 4 breaks the convolution mixer'],
  ] as const)('rejects %o', (change, sentence) => {
    expect(() => predictVram({ ...PRODUCTION_VRAM, ...change })).toThrow(sentence);
  });
});

describe('a measurement', () => {
  const run = { ...PRODUCTION_VRAM, batch: 8 };
  const plain = predictVram(run);

  it('is met by the prediction of the measured run, which becomes narrow', () => {
    const allocated = 1.2 * plain.allocated.likely;
    const reserved = 1.3 * plain.reserved.likely;
    const met = predictVram({ ...run, measurement: { run, allocated, reserved } });
    expect(met.allocated.likely).toBeCloseTo(allocated, -1);
    expect(met.reserved.likely).toBeCloseTo(reserved, -1);
    expect(met.allocated.basis).toBe('measured');
    expect(met.allocated.high - met.allocated.low).toBeLessThan(
      0.3 * (plain.allocated.high - plain.allocated.low),
    );
  });

  it('scales what is uncertain in other runs, and leaves what is counted', () => {
    const allocated = 1.2 * plain.allocated.likely;
    const larger = { ...run, batch: 16 };
    const scaled = predictVram({ ...larger, measurement: { run, allocated } });
    const before = predictVram(larger);
    expect(scaled.allocated.likely / before.allocated.likely).toBeGreaterThan(1.2);
    const bytes = (prediction: typeof before, name: string) =>
      prediction.parts.find((part) => part.name === name)?.bytes;
    expect(bytes(scaled, 'moments')?.likely).toBe(bytes(before, 'moments')?.likely);
    expect(bytes(scaled, 'saved')?.basis).toBe('measured');
    expect(scaled.allocated.high - scaled.allocated.low).toBeGreaterThan(0);
  });

  it('may be of reserved memory alone', () => {
    const reserved = 0.9 * plain.reserved.likely;
    expect(predictVram({ ...run, measurement: { run, reserved } }).reserved.likely).toBeCloseTo(reserved, -1);
  });

  it.each([
    [{ allocated: 4000 }, 'is it in bytes, and of this model?'],
    [{}, 'a measurement needs max_memory_allocated or max_memory_reserved'],
    [{ allocated: 2e9, reserved: 1e9 }, 'max_memory_reserved cannot be less'],
  ])('is rejected when it is %o', (measured, sentence) => {
    expect(() => predictVram({ ...run, measurement: { run, ...measured } })).toThrow(sentence);
  });

  it('is doubted when it is far off', () => {
    const { notes } = predictVram({ ...run, measurement: { run, allocated: 8 * plain.allocated.likely } });
    expect(notes.join(' ')).toContain('far from 1');
  });
});

describe('the timeline of a step', () => {
  const run = { ...PRODUCTION_VRAM, mixer: 'conv' as const };
  const timeline = vramTimeline(run);
  const { points, blocks } = timeline;

  it('goes forward, backward and through the optimizer step, and ends where it started', () => {
    const phases = points.map(({ phase }) => phase);
    expect([...new Set(phases.slice(1))]).toEqual(['forward', 'backward', 'optimizer step']);
    expect(points.at(-1)?.op).toBe('AdamW.step');
    const first = points.findIndex(({ phase }) => phase === 'forward');
    const gradients = predictVram(run).parts.find(({ name }) => name === 'gradients')?.max ?? 0;
    const grown = (points.at(-1)?.allocated ?? 0) - (points[first]?.allocated ?? 0);
    expect(grown).toBe(gradients);
  });

  it('has the prediction’s peak, and says what lives there', () => {
    const top = Math.max(...points.map(({ peak }) => peak));
    const at = points.findIndex(({ peak }) => peak === top);
    expect(top / predictVram(run).allocated.likely).toBeCloseTo(1, 2);
    expect(points[at]?.phase).toBe('backward');
    const living = livingAt(timeline, at);
    expect(living[0]?.bytes).toBeGreaterThanOrEqual(living[1]?.bytes ?? Infinity);
    expect(living.reduce((sum, { bytes }) => sum + bytes, 0)).toBeGreaterThanOrEqual(0.98 * top);
    for (const { from, to } of blocks) expect(from).toBeLessThanOrEqual(to);
  });

  it('computes again under checkpointing', () => {
    const again = vramTimeline({ ...run, checkpointing: true }).points.filter(({ op }) =>
      op.endsWith(', again'),
    );
    expect(again.length).toBeGreaterThan(50);
  });
});

describe('a card', () => {
  it('fits a run, does not, or is near its limit', () => {
    const run = { ...PRODUCTION_VRAM, batch: 16 };
    const { total } = predictVram(run);
    expect(gpuFit(run, 80e9)).toBe('fits');
    expect(gpuFit(run, total.likely)).toBe('borderline');
    expect(gpuFit(run, 0.5 * total.low)).toBe("won't fit");
    expect(gpuFit({ ...run, batch: 512 }, 40 * GIB)).toBe("won't fit");
  });

  it('that does for a batch does for smaller ones, whatever segments they happen to fill', () => {
    const run = { ...PRODUCTION_VRAM, mixer: 'conv' as const };
    const fits = Array.from({ length: 24 }, (_, i) => gpuFit({ ...run, batch: 4 * (i + 1) }, 10 * GIB));
    const order = ['fits', 'borderline', "won't fit"];
    expect(fits).toEqual([...fits].sort((a, b) => order.indexOf(a) - order.indexOf(b)));
    expect(new Set(fits).size).toBe(3);
  });

  it('is judged by a measurement where there is one', () => {
    const run = { ...PRODUCTION_VRAM, batch: 16 };
    const { total, allocated } = predictVram(run);
    const half = { run, allocated: allocated.likely / 2 };
    expect(gpuFit(run, 0.7 * total.likely)).toBe("won't fit");
    expect(gpuFit({ ...run, measurement: half }, 0.7 * total.likely)).toBe('fits');
  });
});
