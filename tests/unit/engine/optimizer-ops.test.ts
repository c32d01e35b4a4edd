import { describe, expect, test } from 'vitest';
import { Graph, type PackName } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { adamw, type AdamwAttrs } from '../../../src/engine/ops/adamw';
import { globalNorm } from '../../../src/engine/ops/global_norm';
import { packLayout, Parameters, TRAINING_PACKS, type PackLayout } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { Random } from '../../../src/base/random';
import { checkOp, relativeError, seededValues, testDevice, TOLERANCE } from './check-op';

const device = testDevice({ defaultsOnly: true });

describe('global_norm', () => {
  // Less than a span, and more than the most threads times theirs.
  test.each([64, 128, 64 * 31, 64 * 1009, 64 * 16_411])('of %i values', async (length) => {
    await checkOp(device(), {
      inputs: { gradient: { shape: [length] } },
      differentiate: [],
      build: (graph, { gradient }) => ({ norm: globalNorm(graph, gradient) }),
    });
  });

  test.each([[0], [1e10, -1e10, 3], [1e-10, -2e-10], [0, 0, 0, 0, 0, 0, 1]])(
    'of extremes',
    async (...values) => {
      await checkOp(device(), {
        inputs: { gradient: { shape: [64 * 7], values } },
        differentiate: [],
        build: (graph, { gradient }) => ({ norm: globalNorm(graph, gradient) }),
      });
    },
  );

  test('is never differentiated, and rejects a length that is not that of a pack', () => {
    const graph = new Graph();
    expect(() => globalNorm(graph, graph.input('gradient', [63]))).toThrow(
      'global_norm(gradient [63]): the length of the gradient must be a multiple of 4',
    );
  });
});

const UPDATED = ['value', 'first_moment', 'second_moment'] as const;

/** Decayed parameters of 70 and 64 · 3 values between others of 1 and 5: 320 leading elements of 448. */
function buildUpdate(attrs: Omit<AdamwAttrs, 'decayed'>) {
  const graph = new Graph();
  graph.parameter('bias', [1], { decay: false });
  graph.parameter('weight', [7, 10]);
  graph.parameter('scale', [5], { decay: false });
  graph.parameter('matrix', [3, 64]);
  const layout = packLayout(graph.parameters);
  const packs = Object.fromEntries(
    TRAINING_PACKS.map((name) => [name, graph.pack(name, layout.length)]),
  ) as Record<PackName, ReturnType<Graph['pack']>>;
  const norm = globalNorm(graph, packs.gradient);
  adamw(graph, { ...packs, norm }, { ...attrs, decayed: layout.decayed });
  return { graph, layout, packs, norm };
}

const STEPS = 5;
const RATE = 0.01;

interface Trained {
  /** Concatenated over the parameters in the order of declaration. */
  readonly packs: Record<(typeof UPDATED)[number], Float64Array>;
  readonly norms: readonly number[];
}

interface Start {
  readonly value: Float32Array;
  /** Gradient of each step. */
  readonly gradients: readonly Float32Array[];
}

/** Values of the four parameters, which take their first 1, 70, 5 and 192 values from the list in turn. */
const SIZES = { bias: 1, weight: 70, scale: 5, matrix: 192 } as const;
const COUNT = 268;

function start(gradientScale: number): Start {
  const random = new Random(3);
  const draw = (name: string, most: number): Float32Array =>
    seededValues({ shape: [COUNT], range: [-most, most] }, random.stream(name)) as Float32Array;
  return {
    value: draw('value', 2),
    gradients: Array.from({ length: STEPS }, (_, i) => draw(`gradient ${i}`, gradientScale)),
  };
}

function slices(data: Float32Array): Map<string, Float32Array> {
  let offset = 0;
  return new Map(
    Object.entries(SIZES).map(([name, size]) => [name, data.subarray(offset, (offset += size))]),
  );
}

/** The parameters' values in the order of declaration, without the padding. */
const unpack = ({ slices: at }: PackLayout, packed: Float64Array): Float64Array =>
  Float64Array.from(
    Object.keys(SIZES).flatMap((name) => {
      const { offset = 0, length = 0 } = at.get(name) ?? {};
      return Array.from(packed.subarray(offset, offset + length));
    }),
  );

async function trainOnGpu(attrs: Omit<AdamwAttrs, 'decayed'>, { value, gradients }: Start): Promise<Trained> {
  const { graph, layout, packs, norm } = buildUpdate(attrs);
  const parameters = await Parameters.create(device(), graph, { training: true });
  const outputs = [norm, ...UPDATED.map((name) => packs[name])];
  const program = await Program.compile(device(), graph, { outputs, parameters });
  for (const [name, data] of slices(value)) parameters.write(name, data);
  const norms: number[] = [];
  for (const [i, gradient] of gradients.entries()) {
    for (const [name, data] of slices(gradient)) parameters.write(name, data, 'gradient');
    program.run({ step: i + 1, seed: 0, learningRate: RATE });
    norms.push((await program.read([norm])).get(norm)?.[0] ?? NaN);
  }
  const after = await program.read();
  const read = (name: (typeof UPDATED)[number]): Float64Array => {
    const packed = Float64Array.from(after.get(packs[name]) ?? []);
    const written = [...layout.slices.values()];
    const padding = packed.filter((_, i) => !written.some((s) => i >= s.offset && i < s.offset + s.length));
    expect(padding).toEqual(new Float64Array(layout.length - COUNT));
    return unpack(layout, packed);
  };
  const trained = {
    value: read('value'),
    first_moment: read('first_moment'),
    second_moment: read('second_moment'),
  };
  program.destroy();
  parameters.destroy();
  return { packs: trained, norms };
}

function trainByReference(attrs: Omit<AdamwAttrs, 'decayed'>, { value, gradients }: Start): Trained {
  const { graph, layout, packs, norm } = buildUpdate(attrs);
  const pack = (data: Float32Array): Float64Array => {
    const packed = new Float64Array(layout.length);
    for (const [name, slice] of slices(data)) packed.set(slice, layout.slices.get(name)?.offset);
    return packed;
  };
  let state: Trained['packs'] = {
    value: pack(value),
    first_moment: new Float64Array(layout.length),
    second_moment: new Float64Array(layout.length),
  };
  const norms: number[] = [];
  for (const [i, gradient] of gradients.entries()) {
    const feed = new Map([
      [packs.gradient, pack(gradient)],
      ...UPDATED.map((name) => [packs[name], state[name]] as const),
    ]);
    const values = interpret(graph, feed, { step: i + 1, seed: 0, learningRate: RATE });
    const after = (name: (typeof UPDATED)[number]) => values.get(packs[name]) as Float64Array;
    state = {
      value: after('value'),
      first_moment: after('first_moment'),
      second_moment: after('second_moment'),
    };
    norms.push(values.get(norm)?.[0] ?? NaN);
  }
  return {
    packs: {
      value: unpack(layout, state.value),
      first_moment: unpack(layout, state.first_moment),
      second_moment: unpack(layout, state.second_moment),
    },
    norms,
  };
}

/** One value's way by the algorithm in the documentation of torch.optim.AdamW, and clip_grad_norm_ before it. */
function trainOne(value: number, gradients: readonly number[], decay: number): number {
  let [w, m, v] = [value, 0, 0];
  gradients.forEach((g, i) => {
    w = w - RATE * decay * w;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w = w - (RATE * (m / (1 - 0.9 ** (i + 1)))) / (Math.sqrt(v / (1 - 0.999 ** (i + 1))) + 1e-8);
  });
  return w;
}

describe.each([
  ['plain Adam', { weightDecay: 0, clip: 0 }, 1],
  ['decay', { weightDecay: 0.1, clip: 0 }, 1],
  ['clipped', { weightDecay: 0.01, clip: 1 }, 1],
  ['a bound that is not reached', { weightDecay: 0.01, clip: 1000 }, 1],
  ['tiny gradients', { weightDecay: 0.01, clip: 1 }, 1e-7],
  ['large gradients', { weightDecay: 0.01, clip: 1 }, 1e6],
  ['large gradients, not clipped', { weightDecay: 0.01, clip: 0 }, 1e6],
] as const)('adamw: %s', (_, attrs, scale) => {
  const begin = start(scale);
  const want = trainByReference(attrs, begin);

  test('the reference is the algorithm of PyTorch', () => {
    const got = want.packs.value;
    const names = Object.entries(SIZES).flatMap(([name, size]) => Array<string>(size).fill(name));
    const decays = names.map((name) => (name === 'weight' || name === 'matrix' ? attrs.weightDecay : 0));
    const coefficients = begin.gradients.map((gradient) => {
      const norm = Math.hypot(...gradient);
      return attrs.clip > 0 ? Math.min(1, attrs.clip / (norm + 1e-6)) : 1;
    });
    const expected = Float64Array.from(begin.value, (value, i) =>
      trainOne(
        value,
        begin.gradients.map((gradient, t) => (gradient[i] as number) * (coefficients[t] as number)),
        decays[i] as number,
      ),
    );
    expect(relativeError(got, expected)).toBeLessThan(1e-14);
    begin.gradients.forEach((gradient, i) => expect(want.norms[i]).toBeCloseTo(Math.hypot(...gradient), 6));
  });

  test('the GPU follows the reference for five steps, and the padding stays 0', async () => {
    const got = await trainOnGpu(attrs, begin);
    for (const name of UPDATED)
      expect(relativeError(got.packs[name], want.packs[name]), name).toBeLessThan(TOLERANCE.outputs);
    expect(relativeError(got.norms, want.norms)).toBeLessThan(TOLERANCE.outputs);
    // The values hardly change, so their change is compared too.
    const change = (trained: Trained) => trained.packs.value.map((w, i) => w - (begin.value[i] as number));
    expect(relativeError(change(got), change(want)), 'change').toBeLessThan(TOLERANCE.gradients);
  });
});

test('adamw rejects packs and attributes that do not fit', () => {
  const graph = new Graph();
  const pack = (name: string, length = 64) => graph.input(name, [length]);
  const inputs = {
    value: pack('value'),
    gradient: pack('gradient'),
    first_moment: pack('m'),
    second_moment: pack('v'),
    norm: pack('norm', 1),
  };
  const attrs = { weightDecay: 0.1, decayed: 64, clip: 1 };
  expect(() => adamw(graph, { ...inputs, gradient: pack('short', 60) }, attrs)).toThrow(
    'gradient must be [64], it is [60]',
  );
  expect(() => adamw(graph, { ...inputs, norm: inputs.value }, attrs)).toThrow(
    'norm must be [1], it is [64]',
  );
  expect(() => adamw(graph, inputs, { ...attrs, decayed: 65 })).toThrow(
    'the count of decayed elements must be a multiple of 4 within the pack, it is 65',
  );
  expect(() => adamw(graph, inputs, { ...attrs, clip: -1 })).toThrow(
    'weight decay and clip must not be negative, they are 0.1 and -1',
  );
});
