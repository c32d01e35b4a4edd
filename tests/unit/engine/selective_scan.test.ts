import { describe, expect, test } from 'vitest';
import type { Graph, Tensor } from '../../../src/engine/graph';
import { bytesOf, Graph as NewGraph, GraphError } from '../../../src/engine/graph';
import { differentiate } from '../../../src/engine/gradient';
import { Random } from '../../../src/base/random';
import { selectiveScan } from '../../../src/engine/ops/selective_scan';
import { scanForward } from '../../../src/engine/ops/selective_scan_reference';
import { planProgram } from '../../../src/engine/plan';
import { FULL, fullTest } from '../../full';
import { checkOp, testDevice, type InputSpec, type OpCase } from './check-op';

type Name = 'u' | 'delta' | 'A' | 'B' | 'C' | 'D' | 'z' | 'deltaBias';

interface Sizes {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly n: number;
}

/** Δ between softplus(from) and softplus(to) of `delta` alone; A between −to and −from of `decay`. */
function scanCase(
  { b, l, d, n }: Sizes,
  options: {
    readonly delta?: readonly [number, number];
    readonly decay?: readonly [number, number];
    readonly optional?: readonly Name[];
    readonly softplus?: boolean;
    readonly zeroOrderHold?: boolean;
    readonly interval?: number;
    readonly settings?: Partial<OpCase<Name>>;
  } = {},
): OpCase<Name> {
  const {
    delta = [-3, 1],
    decay = [-4, -0.2],
    optional = ['D', 'z', 'deltaBias'],
    softplus = true,
    zeroOrderHold = false,
    interval,
  } = options;
  const inputs: Record<Name, InputSpec> = {
    u: { shape: [b, l, d] },
    delta: { shape: [b, l, d], range: delta },
    A: { shape: [d, n], range: decay },
    B: { shape: [b, l, n] },
    C: { shape: [b, l, n] },
    D: { shape: [d] },
    z: { shape: [b, l, d] },
    deltaBias: { shape: [d], range: [-0.5, 0.5] },
  };
  const present = { ...inputs };
  for (const name of ['D', 'z', 'deltaBias'] as const)
    if (!optional.includes(name)) delete (present as Partial<typeof present>)[name];
  return {
    inputs: present,
    build: (graph: Graph, tensors: Readonly<Record<Name, Tensor>>) => ({
      y: selectiveScan(graph, tensors, {
        deltaSoftplus: softplus,
        ...(zeroOrderHold && { zeroOrderHold }),
        ...(interval && { interval }),
      }),
    }),
    ...options.settings,
  };
}

/** Variants with more than one step a tile. */
const UNROLLED = /tile [^1]/;

const frozen = { variants: 'frozen', differences: false } as const;

describe.each([
  ['raised limits', false],
  ['default limits', true],
])('selective_scan with %s', (_, defaultsOnly) => {
  const device = testDevice({ defaultsOnly });

  test.each([
    { b: 1, l: 1, d: 1, n: 1 },
    { b: 2, l: 19, d: 7, n: 3 },
  ])('at %o', async (sizes) => {
    await checkOp(device(), scanCase(sizes, { settings: { variants: 'frozen' } }));
  });

  test('as a GPU gets it, every variant, over two intervals of a prime length', async () => {
    // Unrolled steps are run on default limits, without quads, and with quads below, as a software adapter gets them.
    const settings = { differences: false, gpu: true, ...(!defaultsOnly && { fullOnly: UNROLLED }) };
    // A lane owns two states: three or six lanes a channel, which is no power of two.
    const n = defaultsOnly && !FULL ? 6 : 12;
    await checkOp(device(), scanCase({ b: 2, l: 131, d: 6, n }, { settings }));
  });

  test.each(
    [
      { b: 2, l: 129, d: 9, n: 32 },
      { b: 1, l: 50, d: 9, n: 33 },
    ].filter(({ l }) => FULL || (l > 128 && !defaultsOnly)),
  )('many states: %o', async (sizes) => {
    await checkOp(device(), scanCase(sizes, { settings: { ...frozen, differences: false } }));
  });

  // Lanes share a channel: eight states each, and five each, of which the last lanes have none.
  test('many states as a GPU gets them', async () => {
    const [d, n] = defaultsOnly ? [9, 33] : [70, 32];
    await checkOp(device(), scanCase({ b: 1, l: 131, d, n }, { settings: { ...frozen, gpu: true } }));
  });

  test('every variant, over two intervals of a prime length', async () => {
    await checkOp(device(), scanCase({ b: 2, l: 131, d: 6, n: 4 }, { settings: { differences: false } }));
  });
});

describe('selective_scan', () => {
  const device = testDevice();
  const sizes = { b: 1, l: 21, d: 5, n: 4 };

  test.each([[[]], [['D']], [['z', 'deltaBias']]] as [Name[]][])('with only %o', async (optional) => {
    await checkOp(device(), scanCase(sizes, { optional, settings: { variants: 'frozen' } }));
  });

  test('a state stored every 16 steps, alone and where time is cut there', async () => {
    const settings = { differences: false };
    await checkOp(device(), scanCase({ b: 1, l: 37, d: 5, n: 4 }, { interval: 16, settings }));
  });

  test('Δ without softplus', async () => {
    await checkOp(
      device(),
      scanCase(sizes, { softplus: false, delta: [0.5, 1], settings: { variants: 'frozen' } }),
    );
  });

  test('Δ so large that everything is forgotten', async () => {
    await checkOp(device(), scanCase(sizes, { delta: [30, 60], decay: [-1, -0.4], settings: frozen }));
  });

  test('Δ so small that nothing is forgotten', async () => {
    await checkOp(device(), scanCase(sizes, { delta: [-14, -12], decay: [-1, -0.1], settings: frozen }));
  });

  // The golden case mamba1.block has such a scan too.
  fullTest('16 states, and more channels than a workgroup has lanes', async () => {
    await checkOp(device(), scanCase({ b: 1, l: 37, d: 70, n: 16 }, { settings: frozen }));
  });
});

const limits = {
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 2 ** 27,
};

function scanGraph({ b, l, d, n }: Sizes) {
  const graph = new NewGraph();
  const inputs = {
    u: graph.input('u', [b, l, d]),
    delta: graph.input('delta', [b, l, d]),
    A: graph.input('A', [d, n]),
    B: graph.input('B', [b, l, n]),
    C: graph.input('C', [b, l, n]),
    D: graph.input('D', [d]),
    z: graph.input('z', [b, l, d]),
    deltaBias: graph.input('deltaBias', [d]),
  };
  return { graph, inputs };
}

/** Δ·|A| from where the weight of a step is its series to where it is 1/|A|. */
const held = { zeroOrderHold: true, delta: [-5, 3], decay: [-4, -0.2] } as const;

describe.each([
  ['raised limits', false],
  ['default limits', true],
])('selective_scan by zero-order hold with %s', (_, defaultsOnly) => {
  const device = testDevice({ defaultsOnly });

  test('every variant, over two intervals of a prime length', async () => {
    const settings = { differences: false };
    await checkOp(device(), scanCase({ b: 2, l: 131, d: 6, n: 4 }, { ...held, settings }));
  });

  test('as a GPU gets it, every variant, over two intervals of a prime length', async () => {
    const settings = { differences: false, gpu: true, fullOnly: UNROLLED };
    await checkOp(device(), scanCase({ b: 2, l: 131, d: 6, n: 6 }, { ...held, settings }));
  });
});

describe('selective_scan by zero-order hold', () => {
  const device = testDevice();

  test.each([[[]], [['D', 'z', 'deltaBias']]] as [Name[]][])(
    'with %o, against finite differences',
    async (optional) => {
      const sizes = { b: 2, l: 19, d: 7, n: 3 };
      const settings = { variants: 'frozen' } as const;
      await checkOp(device(), scanCase(sizes, { ...held, optional, settings }));
    },
  );

  test('many states as a GPU gets them', async () => {
    const settings = { ...frozen, gpu: true };
    await checkOp(device(), scanCase({ b: 1, l: 131, d: 9, n: 33 }, { ...held, settings }));
  });

  test('a step whose ΔA is nearly 0 writes Δ', async () => {
    const settings = { variants: 'frozen' } as const;
    const sizes = { b: 1, l: 21, d: 5, n: 4 };
    await checkOp(
      device(),
      scanCase(sizes, {
        ...held,
        delta: [-14, -12],
        decay: [-1, -0.1],
        settings: { ...frozen, ...settings },
      }),
    );
  });

  test('the recursion is its closed form', () => {
    const random = new Random(1);
    for (let k = 0; k < 100; k++) {
      const [delta, a] = [random.uniform(0.001, 3), -random.uniform(0.1, 16)];
      const length = 40;
      const value = (shape: number[], fill: number) => ({
        shape,
        data: new Float64Array(shape.reduce((size, side) => size * side, 1)).fill(fill),
      });
      const { y } = scanForward(
        {
          u: value([1, length, 1], 1),
          delta: value([1, length, 1], delta),
          A: value([1, 1], a),
          B: value([1, length, 1], 1),
          C: value([1, length, 1], 1),
        },
        { deltaSoftplus: false, zeroOrderHold: true },
      );
      // A constant input's state in continuous time: (e^(A t) − 1)/A at t = Δ, 2Δ, …
      y.forEach((state, t) => expect(state / (Math.expm1(a * delta * (t + 1)) / a) - 1).toBeCloseTo(0, 12));
    }
  });

  test('without it, kernels have not one line of it', () => {
    for (const [zeroOrderHold, expected] of [
      [false, 0],
      [true, 2],
    ] as const) {
      const { graph, inputs } = scanGraph({ b: 1, l: 37, d: 4, n: 4 });
      const y = selectiveScan(graph, inputs, { deltaSoftplus: true, zeroOrderHold });
      const gradients = differentiate(
        graph,
        [{ of: y, cotangent: graph.input('dy', y.shape) }],
        Object.values(inputs),
      );
      const outputs = [y, ...gradients.values()];
      const { dispatches } = planProgram(
        graph,
        { limits, subgroups: false, software: false, half: false },
        { outputs },
      );
      expect(dispatches.filter(({ code }) => code.includes('write_weight'))).toHaveLength(expected);
    }
  });
});

describe('memory', () => {
  test.each([
    { b: 1, l: 256, d: 128, n: 16 },
    { b: 4, l: 256, d: 128, n: 16 },
    { b: 1, l: 960, d: 1024, n: 16 },
    { b: 2, l: 509, d: 384, n: 8 },
  ])(
    'beyond inputs, outputs and gradients at most [b, ⌈l/32⌉, d, n], on GPUs [b, ⌈l/12⌉, d, n], at %o',
    (sizes) => {
      const { b, l, d, n } = sizes;
      for (const software of [false, true])
        for (const subgroups of [false, true]) {
          const { graph, inputs } = scanGraph(sizes);
          const y = selectiveScan(graph, inputs, { deltaSoftplus: true });
          const gradients = differentiate(
            graph,
            [{ of: y, cotangent: graph.input('dy', y.shape) }],
            Object.values(inputs),
          );
          const outputs = [y, ...gradients.values()];
          const plan = planProgram(graph, { limits, subgroups, software, half: false }, { outputs });
          const values = plan.buffers
            .filter(({ role }) => role === 'values')
            .reduce((sum, { bytes }) => sum + bytes, 0);
          const own = outputs.reduce((sum, tensor) => sum + bytesOf(tensor), 0);
          expect(values - own).toBeLessThanOrEqual(4 * b * Math.ceil(l / (software ? 32 : 12)) * d * n);
          const walk = plan.dispatches.find(({ kernel }) => kernel === 'selective_scan_backward');
          if (!software && l === 960) expect(walk?.workgroups).toBeGreaterThanOrEqual(256);
        }
    },
  );

  test('shapes that do not fit are rejected by name', () => {
    const { graph, inputs } = scanGraph({ b: 1, l: 8, d: 4, n: 4 });
    const wrong = { ...inputs, B: graph.input('wrong', [1, 8, 3]) };
    expect(() => selectiveScan(graph, wrong, { deltaSoftplus: true })).toThrow(
      new GraphError(
        'selective_scan(u [1, 8, 4], delta [1, 8, 4], A [4, 4], B [1, 8, 3], C [1, 8, 4], D [4], z [1, 8, 4], deltaBias [4]): B must be [1, 8, 4], it is [1, 8, 3]',
      ),
    );
    expect(() => selectiveScan(graph, inputs, { deltaSoftplus: true, interval: 20 })).toThrow(
      /multiple of 16 steps, it is 20/,
    );
    const many = scanGraph({ b: 1, l: 8, d: 4, n: 65 });
    expect(() => selectiveScan(many.graph, many.inputs, { deltaSoftplus: true })).toThrow(/at most 64/);
  });
});
