import { MIB } from '../../../src/base/units';
import { describe, expect, it } from 'vitest';
import { Graph } from '../../../src/engine/graph';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { detectorTape, lowerGraph, type TapeOptions } from '../../../src/estimate/vram/lower';
import { savedSizes, type Tape, type Value } from '../../../src/estimate/vram/tape';
import { detectorModel, PRODUCTION } from '../../../src/models/detector';
import { pythonWithTorch } from '../checkpoints/python';
import { savedByTorch } from './torch_detector';

const FALLBACK: TapeOptions = {
  backend: 'cpu',
  precision: 'fp32',
  model: { ...PRODUCTION, mixer: 'conv' },
  loss: 'focal',
  bothMixers: false,
};

const elementsOf = (values: readonly Value[]): number =>
  values.reduce((sum, { size }) => sum + (size.perWindow + size.fixed) / 4, 0);
const windowBytes = ({ inputs }: Tape): number =>
  inputs.find(({ name }) => name === 'EEG')?.size.perWindow ?? 0;
/** From a measurement, as a share of it. */
const off = (predicted: number, measured: number): number => Math.abs(predicted / measured - 1);

describe('what was measured on the trainer’s fallback build', () => {
  it('has 13,397,799 parameters', () => {
    expect(elementsOf(detectorTape(FALLBACK).parameters)).toBe(13_397_799);
  });

  it('saves 235.3 MiB a window in fp32, the window itself counted', () => {
    const tape = detectorTape(FALLBACK);
    const saved = (savedSizes(tape).activations.perWindow + windowBytes(tape)) / MIB;
    expect(off(saved, 235.3)).toBeLessThan(0.001);
    const plain = detectorTape({ ...FALLBACK, loss: 'bce' });
    expect(off((savedSizes(plain).activations.perWindow + windowBytes(plain)) / MIB, 234.99)).toBeLessThan(
      0.003,
    );
  });

  it('saves 117.9 MiB a window and 25.5 MiB of weights once with bf16 autocast', () => {
    const { activations, casts } = savedSizes(detectorTape({ ...FALLBACK, precision: 'bf16' }));
    expect(off(activations.perWindow / MIB, 117.9)).toBeLessThan(0.001);
    expect(off(casts.fixed / MIB, 25.5)).toBeLessThan(0.001);
    expect(casts.perWindow).toBe(0);
  });
});

describe('rules', () => {
  it.each(['conv', 'mamba2'] as const)('know every op of the graph with %s', (mixer) => {
    const graph = new Graph();
    const config = { ...PRODUCTION, mixer, layers: 1 };
    const mode = { training: true, apart: true };
    const { logits } = detectorModel(graph, graph.input('x', [1, 64, 19]), config, mode);
    binaryLoss(graph, logits, graph.input('y', logits.shape), { posWeight: 1 });
    expect(() => lowerGraph(graph, { backend: 'cuda', precision: 'fp16' })).not.toThrow();
  });

  it('count Mamba-2’s parameters as the published state has them, trained or unused', () => {
    const mamba2 = detectorTape({ ...FALLBACK, model: PRODUCTION, bothMixers: true });
    const conv = detectorTape({ ...FALLBACK, bothMixers: true });
    expect(elementsOf([...mamba2.parameters, ...mamba2.unused])).toBe(
      elementsOf([...conv.parameters, ...conv.unused]),
    );
  });

  it('keep LayerNorm in fp32 and one byte of mask an element on a GPU', () => {
    const cpu = savedSizes(detectorTape({ ...FALLBACK, precision: 'fp16' })).activations.perWindow;
    const cuda = savedSizes(detectorTape({ ...FALLBACK, backend: 'cuda', precision: 'fp16' })).activations
      .perWindow;
    const layer = 960 * 512;
    expect(cuda - cpu).toBe(PRODUCTION.layers * layer * (4 - 2) - PRODUCTION.layers * layer * (2 - 1));
  });

  it('reject a graph they do not know', () => {
    expect(() => detectorTape({ ...FALLBACK, length: 100 })).toThrow('a multiple of 16 samples');
  });
});

/** Narrow and short, so that PyTorch on a CPU takes a moment. */
const SMALL = { baseChannels: 8, depth: 3, rescnnBlocks: 2, layers: 2 } as const;

describe.skipIf(pythonWithTorch === undefined)('saved tensors that PyTorch itself counts', () => {
  it.each([
    ['the trainer’s shape, narrow', { ...SMALL, kernelSizes: [3, 5, 7], convKernel: 5, dropout: 0.1 }, 512],
    [
      'other widths, kernels and no dropout',
      { ...SMALL, baseChannels: 12, kernelSizes: [3, 9], convKernel: 3, dropout: 0 },
      320,
    ],
    [
      'more layers, fewer blocks',
      { ...SMALL, rescnnBlocks: 1, layers: 4, kernelSizes: [5], convKernel: 7, dropout: 0.3 },
      256,
    ],
  ] as const)(
    '%s',
    (_, sizes, length) => {
      const model = { ...PRODUCTION, ...sizes, mixer: 'conv' as const, headdim: 8 };
      const byTorch = savedByTorch(model, length);
      const rules = [
        ['cpu', 'fp32'],
        ['cuda', 'bf16'],
      ] as const;
      for (const [backend, precision] of rules) {
        const tape = detectorTape({
          backend,
          precision,
          model,
          loss: 'bce',
          bothMixers: false,
          length,
        });
        const { activations, casts } = savedSizes(tape);
        const counted = byTorch[precision];
        expect(counted.parameters).toBe(elementsOf(tape.parameters));
        expect([activations.perWindow, activations.fixed + casts.fixed]).toEqual([
          counted.perWindow,
          counted.fixed,
        ]);
      }
    },
    120_000,
  );
});
