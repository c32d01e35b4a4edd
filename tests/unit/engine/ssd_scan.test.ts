import { describe, expect, test } from 'vitest';
import { Graph, GraphError } from '../../../src/engine/graph';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { interpret } from '../../../src/engine/interpret';
import type { Reverse } from '../../../src/engine/ops/causal_conv1d';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import type { Device } from '../../../src/engine/device';
import { planProgram, type ChooseVariant } from '../../../src/engine/plan';
import { FULL, fullTest } from '../../full';
import { addGradients, buildCase, checkOp, testDevice, type OpCase } from './check-op';

interface Sizes {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly p: number;
  readonly g: number;
  readonly n: number;
}

/** Δ between softplus(from) and softplus(to) of `dt`; A between −4 and −0.2 unless said otherwise. */
function ssdCase(
  { b, l, h, p, g, n }: Sizes,
  options: {
    readonly reverse?: Reverse;
    readonly bias?: boolean;
    readonly dt?: readonly [number, number];
    readonly decay?: readonly [number, number];
    readonly settings?: Partial<OpCase<'xbc' | 'dt' | 'A' | 'D' | 'dtBias'>>;
  } = {},
): OpCase<'xbc' | 'dt' | 'A' | 'D' | 'dtBias'> {
  const { reverse = false, bias = true, dt = [-3, 1], decay = [-4, -0.2] } = options;
  const inputs = {
    xbc: { shape: [b, l, h * p + 2 * g * n] },
    dt: { shape: [b, l, h], range: dt },
    A: { shape: [h], range: decay },
    D: { shape: [h] },
    dtBias: { shape: [h], range: [-0.5, 0.5] as const },
  };
  if (!bias) delete (inputs as Partial<typeof inputs>).dtBias;
  return {
    inputs,
    build: (graph, tensors) => ({
      y: ssdScan(graph, tensors, { headdim: p, groups: g, dState: n, reverse }),
    }),
    ...options.settings,
  };
}

describe('ssd_scan', () => {
  const device = testDevice();
  const sizes = { b: 2, l: 71, h: 4, p: 7, g: 2, n: 5 };

  // Lengths are no part of a shader's text, heads are: these are those of the list of op cases, and those below.
  test.each([sizes, { ...sizes, b: 1, l: 1 }])('at %o', async (sizes) => {
    await checkOp(device(), ssdCase(sizes));
  });

  fullTest.each([
    { ...sizes, p: 6 },
    { b: 2, l: 33, h: 3, p: 5, g: 1, n: 7 },
    { b: 2, l: 33, h: 2, p: 5, g: 1, n: 3 },
    { b: 1, l: 1, h: 1, p: 1, g: 1, n: 1 },
    { b: 1, l: 13, h: 6, p: 7, g: 3, n: 6 },
  ])('at %o', async (sizes) => {
    await checkOp(device(), ssdCase(sizes));
  });

  describe('by chunks', () => {
    const defaults = testDevice({ defaultsOnly: true });

    test.each([sizes, { b: 1, l: 100, h: 2, p: 64, g: 1, n: 16 }])(
      'is the same on default limits: %o',
      (sizes) => {
        const chunks = ({ capabilities }: Device): string => {
          const built = buildCase(ssdCase(sizes));
          const outputs = [...built.outputs.values(), ...addGradients(built).values()];
          const choose: ChooseVariant = (_, choices) => choices.at(-1) ?? choices[0];
          const { dispatches } = planProgram(built.graph, capabilities, { outputs, choose });
          return dispatches.map(({ code, workgroups }) => `${workgroups}\n${code}`).join('\n');
        };
        expect(chunks(defaults())).toBe(chunks(device()));
      },
    );
  });

  test('as a GPU gets it', async () => {
    await checkOp(device(), {
      ...ssdCase({ b: 2, l: 300, h: 4, p: 8, g: 2, n: 4 }),
      gpu: true,
      differences: false,
    });
  });

  test('from the last step to the first', async () => {
    await checkOp(device(), ssdCase(sizes, { reverse: true }));
  });

  test.each(
    FULL ? [sizes, { b: 1, l: 37, h: 8, p: 4, g: 4, n: 8 }] : [{ b: 1, l: 37, h: 8, p: 7, g: 4, n: 5 }],
  )('the second half of the heads from the last step to the first, at %o', async (sizes) => {
    await checkOp(device(), ssdCase(sizes, { reverse: 'second half' }));
  });

  test('without a bias of Δ', async () => {
    await checkOp(device(), ssdCase(sizes, { bias: false, settings: { differences: false } }));
  });

  // The frozen variant walks such heads on a software adapter; by chunks they are no other case than those above.
  const walked = { differences: false, variants: 'frozen' } as const;

  test.each([
    { b: 2, l: 71, h: 4, p: 16, g: 2, n: 16, reverse: true },
    { b: 1, l: 33, h: 3, p: 48, g: 1, n: 32, reverse: false },
    { b: 2, l: 71, h: 4, p: 16, g: 2, n: 16, reverse: 'second half' as const },
  ])('step by step at %o', async ({ reverse, ...sizes }) => {
    await checkOp(device(), ssdCase(sizes, { reverse, settings: walked }));
  });

  test.each([
    { dt: [3, 6], decay: [-8, -4] },
    { dt: [-14, -12], decay: [-0.01, -0.001] },
  ] as const)('step by step at the extreme %o', async (range) => {
    const sizes = { b: 1, l: 67, h: 4, p: 16, g: 2, n: 16 };
    await checkOp(device(), ssdCase(sizes, { ...range, settings: walked }));
  });

  test('over four chunks with heads of the trainer’s size', async () => {
    await checkOp(
      device(),
      ssdCase({ b: 1, l: 100, h: 2, p: 64, g: 1, n: 16 }, { settings: { differences: false } }),
    );
  });

  test('with more states and other channels than what is staged at a time', async () => {
    await checkOp(
      device(),
      ssdCase(
        { b: 1, l: 40, h: 2, p: 20, g: 1, n: 36 },
        { settings: { differences: false, variants: 'frozen' } },
      ),
    );
  });

  test('where everything is forgotten at once', async () => {
    await checkOp(
      device(),
      ssdCase(sizes, { dt: [3, 6], decay: [-8, -4], settings: { differences: false } }),
    );
  });

  test('where nothing is forgotten', async () => {
    await checkOp(
      device(),
      ssdCase(sizes, { dt: [-14, -12], decay: [-0.01, -0.001], settings: { differences: false } }),
    );
  });

  test('in reverse is the scan of the sequence turned round', () => {
    const graph = new Graph();
    const [xbc, dt] = [graph.input('xbc', [2, 35, 12]), graph.input('dt', [2, 35, 2])];
    const [A, D] = [graph.input('A', [2]), graph.input('D', [2])];
    const attrs = { headdim: 4, groups: 1, dState: 2, reverse: false };
    const y = ssdScan(graph, { xbc, dt, A, D }, { ...attrs, reverse: true });
    const inputs = { xbc: flipTime(graph, xbc), dt: flipTime(graph, dt), A, D };
    const turned = flipTime(graph, ssdScan(graph, inputs, attrs));
    const ramp = (length: number): number[] => Array.from({ length }, (_, i) => Math.sin(3 * i));
    const values = interpret(
      graph,
      new Map([
        [xbc, ramp(840)],
        [dt, ramp(140)],
        [A, [-1, -0.3]],
        [D, [1, 2]],
      ]),
    );
    expect(values.get(y)).toEqual(values.get(turned));
  });

  test('rejects channels that do not add up', () => {
    const graph = new Graph();
    const inputs = {
      xbc: graph.input('xbc', [1, 4, 11]),
      dt: graph.input('dt', [1, 4, 2]),
      A: graph.input('A', [2]),
      D: graph.input('D', [2]),
    };
    const attrs = { headdim: 4, groups: 1, dState: 2, reverse: false };
    expect(() => ssdScan(graph, inputs, attrs)).toThrow(GraphError);
    expect(() => ssdScan(graph, inputs, attrs)).toThrow('xbc has 11 channels');
    expect(() => ssdScan(graph, inputs, { ...attrs, reverse: 'second half' })).toThrow(
      '2 heads in 1 groups have no second half',
    );
  });
});
