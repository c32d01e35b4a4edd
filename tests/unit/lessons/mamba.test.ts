import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from '../../../src/checkpoints/safetensors';
import { differentiate } from '../../../src/engine/gradient';
import { elements, Graph, type Tensor } from '../../../src/engine/graph';
import { interpret } from '../../../src/engine/interpret';
import { countParameters, initialise } from '../../../src/models/initialise';
import {
  mambaBlock,
  mambaModel,
  resolveSizes,
  type Dynamics,
  type MambaConfig,
} from '../../../src/lessons/mamba';
import { Random } from '../../../src/base/random';

const CONFIG = { vocabulary: 7, dModel: 12, dState: 4, layers: 2 } as const satisfies MambaConfig;

function build(change: Partial<MambaConfig> = {}, tokens: readonly [number, number] = [2, 9]) {
  const config = { ...CONFIG, ...change };
  const graph = new Graph();
  const input = graph.input('tokens', tokens, 'u32');
  return { graph, input, config, model: mambaModel(graph, input, config) };
}

type Built = ReturnType<typeof build>;

/** All values of the graph in float64 for random initial parameters. */
function evaluate({ graph, input, config, model }: Built, tokens: ArrayLike<number>) {
  const initial = initialise(model.declared, 1);
  const feed = new Map<Tensor, ArrayLike<number>>([[input, tokens]]);
  for (const parameter of graph.parameters) feed.set(parameter, initial.get(parameter.name) as Float32Array);
  const values = interpret(graph, feed);
  const valueOf = (tensor: Tensor): Float64Array => values.get(tensor) as Float64Array;
  return { valueOf, config };
}

const randomTokens = (count: number): Uint32Array => {
  const random = new Random(5);
  return Uint32Array.from({ length: count }, () => random.integer(CONFIG.vocabulary));
};

const norm = (values: ArrayLike<number>): number => Math.hypot(...Array.from(values));

function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  expect(got).toHaveLength(want.length);
  return norm(Array.from(got, (value, i) => value - (want[i] as number))) / norm(want);
}

test('the block agrees with state-spaces/mamba in value and in every gradient', () => {
  const path = join(import.meta.dirname, '../../golden/cases/mamba1.block.safetensors');
  const { tensors } = parse(readFileSync(path));
  const golden = (name: string) => {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== 'F32') throw new Error(`${name} is missing`);
    return tensor;
  };
  const graph = new Graph();
  const x = graph.input('x', golden('in.x').shape);
  const cotangent = graph.input('cotangent', golden('cot.y').shape);
  const sizes = { dModel: 24, dState: 16, dConv: 4, expand: 2, dtRank: 2 };
  const { y, declared } = mambaBlock(graph, x, sizes, '');
  const gradients = differentiate(graph, [{ of: y, cotangent }], [x, ...graph.parameters]);

  const published = new Map(
    declared.map(({ parameter, publishedShape }) => [parameter.name, publishedShape]),
  );
  const inFile = [...tensors].filter(([name]) => name.startsWith('param.'));
  expect(new Map(inFile.map(([name, { shape }]) => [name.slice('param.'.length), shape]))).toEqual(published);

  const feed = new Map<Tensor, ArrayLike<number>>([
    [x, golden('in.x').data],
    [cotangent, golden('cot.y').data],
  ]);
  for (const parameter of graph.parameters) feed.set(parameter, golden(`param.${parameter.name}`).data);
  const values = interpret(graph, feed);
  const errorOf = (tensor: Tensor, want: string): number =>
    relativeError(values.get(tensor) as Float64Array, golden(want).data);
  expect(errorOf(y, 'out.y')).toBeLessThan(1e-6);
  expect(errorOf(gradients.get(x) as Tensor, 'grad.x')).toBeLessThan(1e-6);
  for (const parameter of graph.parameters)
    expect
      .soft(errorOf(gradients.get(parameter) as Tensor, `grad.param.${parameter.name}`), parameter.name)
      .toBeLessThan(1e-6);
});

describe('parameters', () => {
  const mixer = {
    'in_proj.weight': [48, 12],
    'conv1d.weight': [24, 1, 4],
    'conv1d.bias': [24],
    'x_proj.weight': [9, 24],
    'dt_proj.weight': [24, 1],
    'dt_proj.bias': [24],
    A_log: [24, 4],
    D: [24],
    'out_proj.weight': [12, 24],
  };
  const frozen = { ...mixer, 'x_proj.weight': [8, 24], 'dt_proj.weight': undefined };
  const fixed = { ...frozen, 'x_proj.weight': undefined, B: [4, 1], C: [4, 1] };
  const names: Readonly<Record<Dynamics, Readonly<Record<string, readonly number[] | undefined>>>> = {
    selective: mixer,
    'delta-frozen': frozen,
    'time-invariant': fixed,
  };

  test.each(['selective', 'delta-frozen', 'time-invariant'] as const)(
    '%s: names and shapes of state-spaces/mamba',
    (dynamics) => {
      const expected = new Map<string, readonly number[]>([
        ['backbone.embedding.weight', [7, 12]],
        ['backbone.norm_f.weight', [12]],
        ['lm_head.weight', [7, 12]],
      ]);
      for (const layer of [0, 1]) {
        expected.set(`backbone.layers.${layer}.norm.weight`, [12]);
        for (const [name, shape] of Object.entries(names[dynamics]))
          if (shape) expected.set(`backbone.layers.${layer}.mixer.${name}`, shape);
      }
      const { graph, model } = build({ dynamics, tied: false });
      const declared = model.declared.map(({ parameter, publishedShape }) => [
        parameter.name,
        publishedShape,
      ]);
      expect(new Map(declared as [string, readonly number[]][])).toEqual(expected);
      expect(graph.parameters).toEqual(model.declared.map(({ parameter }) => parameter));
    },
  );

  test('a tied head has no weight of its own', () => {
    expect(build().graph.parameters.map(({ name }) => name)).not.toContain('lm_head.weight');
  });

  test('mamba-130m has its published 129,135,360', () => {
    const { model } = build({ vocabulary: 50_280, dModel: 768, dState: 16, layers: 24 }, [1, 1]);
    expect(countParameters(model.declared)).toBe(129_135_360);
  });

  test('A_log and D alone are spared from weight decay', () => {
    const spared = build().graph.parameters.filter(({ decay }) => !decay);
    expect(spared.map(({ name }) => name.replace(/.*\./, ''))).toEqual(['A_log', 'D', 'A_log', 'D']);
  });

  test.each(['selective', 'delta-frozen', 'time-invariant'] as const)(
    '%s: every parameter has a gradient, tied or not',
    (dynamics) => {
      for (const tied of [true, false]) {
        const { graph, model } = build({ dynamics, tied });
        const cotangent = graph.input('cotangent', model.logits.shape);
        const gradients = differentiate(graph, [{ of: model.logits, cotangent }], graph.parameters);
        expect(gradients.size).toBe(model.declared.length);
      }
    },
  );
});

describe('initialisation', () => {
  const { model } = build({ dModel: 64, vocabulary: 500, dState: 16, layers: 4, tied: false });
  const initial = initialise(model.declared, 3);
  const layer = 'backbone.layers.2.mixer.';
  const valuesOf = (name: string): Float32Array => {
    const values = initial.get(name);
    if (!values) throw new Error(`${name} is missing`);
    return values;
  };
  const deviation = (values: Float32Array): number => norm(values) / Math.sqrt(values.length);

  test('fills every parameter', () => {
    for (const { parameter } of model.declared)
      expect(valuesOf(parameter.name)).toHaveLength(elements(parameter.shape));
  });

  test.each([
    ['lm_head.weight', 1 / Math.sqrt(64)],
    [`${layer}in_proj.weight`, 1 / Math.sqrt(64)],
    [`${layer}conv1d.weight`, 1 / Math.sqrt(4)],
    [`${layer}conv1d.bias`, 1 / Math.sqrt(4)],
    [`${layer}x_proj.weight`, 1 / Math.sqrt(128)],
    [`${layer}dt_proj.weight`, 1 / Math.sqrt(4)],
    [`${layer}out_proj.weight`, 1 / Math.sqrt(128) / Math.sqrt(4)],
  ])('%s is uniform within ±%f', (name, bound) => {
    const values = valuesOf(name);
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(Math.fround(bound));
    expect(Math.max(...values) / bound).toBeCloseTo(1, 1);
    expect(Math.min(...values) / bound).toBeCloseTo(-1, 1);
    expect((deviation(values) * Math.sqrt(3)) / bound).toBeCloseTo(1, 0.7);
  });

  test('the embedding is normal with deviation 0.02', () => {
    const values = valuesOf('backbone.embedding.weight');
    expect(deviation(values) / 0.02).toBeCloseTo(1, 1.5);
    expect(Math.max(...values.map(Math.abs))).toBeGreaterThan(0.06);
  });

  test('softplus(dt bias) is log-uniform in [0.001, 0.1]', () => {
    const steps = [...valuesOf(`${layer}dt_proj.bias`)].map((bias) => Math.log1p(Math.exp(bias)));
    expect(Math.min(...steps)).toBeGreaterThan(0.001 * (1 - 1e-4));
    expect(Math.max(...steps)).toBeLessThan(0.1 * (1 + 1e-4));
    const places = steps.map((step) => Math.log(step / 0.001) / Math.log(100));
    expect(places.reduce((sum, place) => sum + place, 0) / places.length).toBeCloseTo(0.5, 1);
  });

  test('softplus(dt bias) is at least the floor', () => {
    const { model: floored } = build({ dtMin: 1e-6, dtMax: 1e-2, dtInitFloor: 1e-3 });
    const bias = initialise(floored.declared, 1).get('backbone.layers.0.mixer.dt_proj.bias') as Float32Array;
    const steps = [...bias].map((value) => Math.log1p(Math.exp(value)));
    expect(Math.min(...steps)).toBeCloseTo(1e-3, 7);
  });

  test('A = −1 … −N in each channel, D = 1, norms = 1', () => {
    const decayLog = valuesOf(`${layer}A_log`);
    expect(decayLog).toHaveLength(128 * 16);
    decayLog.forEach((value, i) => expect(value).toBe(Math.fround(Math.log((i % 16) + 1))));
    for (const name of [`${layer}D`, 'backbone.layers.2.norm.weight', 'backbone.norm_f.weight'])
      expect(new Set(valuesOf(name))).toEqual(new Set([1]));
  });

  test('repeats with the seed, differs with it, and does not depend on the other parameters', () => {
    const values = (seed: number, change: Partial<MambaConfig> = {}) =>
      initialise(build(change).model.declared, seed);
    expect(values(8)).toEqual(values(8));
    const [one, other, fewer] = [values(8), values(9), values(8, { layers: 1, tied: false })];
    for (const name of ['backbone.embedding.weight', 'backbone.layers.0.mixer.in_proj.weight']) {
      expect(other.get(name)).not.toEqual(one.get(name));
      expect(fewer.get(name)).toEqual(one.get(name));
    }
    const twins = [
      'backbone.layers.0.mixer.in_proj.weight',
      'backbone.layers.1.mixer.in_proj.weight',
    ] as const;
    expect(one.get(twins[0])).not.toEqual(one.get(twins[1]));
  });
});

describe('the model', () => {
  test('says for each token what it saw up to there, and nothing of later ones', () => {
    const built = build();
    const tokens = randomTokens(18);
    const changed = Uint32Array.from(tokens, (token, i) =>
      i === 5 ? (token + 1) % CONFIG.vocabulary : token,
    );
    const logits = [tokens, changed].map((given) => evaluate(built, given).valueOf(built.model.logits));
    const [before, after] = logits as [Float64Array, Float64Array];
    expect(built.model.logits.shape).toEqual([2, 9, 7]);
    const differs = Array.from({ length: 18 }, (_, position) =>
      before.slice(position * 7, position * 7 + 7).some((value, i) => value !== after[position * 7 + i]),
    );
    expect(differs).toEqual(Array.from({ length: 18 }, (_, position) => position >= 5 && position < 9));
  });

  test.each([
    ['selective', { delta: true, B: true, C: true }],
    ['delta-frozen', { delta: false, B: true, C: true }],
    ['time-invariant', { delta: false, B: false, C: false }],
  ] as const)('%s: what the scan gets changes with the tokens as the name says', (dynamics, expected) => {
    const built = build({ dynamics });
    const { valueOf } = evaluate(built, randomTokens(18));
    const scans = built.graph.nodes.filter(({ op }) => op.name === 'selective_scan');
    expect(scans).toHaveLength(2);
    for (const { inputs } of scans)
      for (const [name, changes] of Object.entries(expected)) {
        const tensor = inputs[name] as Tensor;
        const values = valueOf(tensor);
        const channels = tensor.shape[2] as number;
        expect(values.some((value, i) => value !== values[i % channels])).toBe(changes);
      }
    expect(built.model.layers.map(({ delta }) => delta)).toEqual(scans.map(({ inputs }) => inputs.delta));
    expect(built.model.layers.map(({ deltaBias }) => deltaBias)).toEqual(
      scans.map(({ inputs }) => inputs.deltaBias),
    );
  });

  test('drops nothing unless asked to', () => {
    const count = (built: Built): number =>
      built.graph.nodes.filter(({ op }) => op.name === 'dropout').length;
    expect(count(build())).toBe(0);
    expect(count(build({ dropout: 0.1 }))).toBe(2);
  });

  test('the rank of Δ is a sixteenth of the model, rounded up', () => {
    expect(resolveSizes({ dModel: 64 }).dtRank).toBe(4);
    expect(resolveSizes({ dModel: 65 }).dtRank).toBe(5);
    expect(resolveSizes({ dModel: 64, dtRank: 7 }).dtRank).toBe(7);
  });
});
