import { describe, expect, it } from 'vitest';
import { Graph, GraphError, type Tensor } from '../../../src/engine/graph';
import { add } from '../../../src/engine/ops/add';
import { causalConv1d } from '../../../src/engine/ops/causal_conv1d';
import { dropout } from '../../../src/engine/ops/dropout';
import { linear } from '../../../src/engine/ops/linear';
import { negativeExp } from '../../../src/engine/ops/negative_exp';
import { relu } from '../../../src/engine/ops/relu';
import { rmsNorm } from '../../../src/engine/ops/rms_norm';
import { siluGate } from '../../../src/engine/ops/silu_gate';
import { splitChannels } from '../../../src/engine/ops/split_concat';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import { lowerGraph } from '../../../src/estimate/vram/lower';
import type { TorchOp } from '../../../src/estimate/vram/tape';
import { Declarations } from '../../../src/models/declarations';
import { mamba2Block, mamba2Parameters, type Mamba2Sizes } from '../../../src/models/mamba2';

const SIZES: Mamba2Sizes = { dModel: 16, dState: 8, dConv: 4, expand: 2, headdim: 8, groups: 1 };
const INNER = 32;
const MIXED = 48;
const HEADS = 4;

/** What the block computes on its way, where a test may put a node more. */
type Between =
  | 'x'
  | 'projected'
  | 'z'
  | 'convolved'
  | 'delta'
  | 'xbc'
  | 'A'
  | 'scanned'
  | 'gated'
  | 'normed'
  | 'y';
type Extra = (graph: Graph, tensor: Tensor) => Tensor;

/** models/mamba2.ts's block with one node more after `at`. */
function mixer(at: Between | undefined, extra: Extra, reverse: boolean): Graph {
  const graph = new Graph();
  const declare = new Declarations(graph, 'block.');
  const weights = declare.parameters(mamba2Parameters(SIZES));
  const passed = (name: Between, tensor: Tensor): Tensor => (name === at ? extra(graph, tensor) : tensor);
  const x = passed('x', graph.input('x', [1, 64, SIZES.dModel]));
  const projected = passed('projected', linear(graph, x, weights['in_proj.weight']));
  const [first, second, third] = splitChannels(graph, projected, [INNER, MIXED, HEADS]) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const z = passed('z', first);
  const convolved = passed('convolved', second);
  const dt = passed('delta', third);
  const conv = causalConv1d(
    graph,
    convolved,
    weights['conv1d.weight'],
    weights['conv1d.bias'],
    'silu',
    reverse,
  );
  const xbc = passed('xbc', conv);
  const A = passed('A', negativeExp(graph, weights.A_log));
  const { headdim, groups, dState } = SIZES;
  const scan = ssdScan(
    graph,
    { xbc, dt, A, D: weights.D, dtBias: weights.dt_bias },
    { headdim, groups, dState, reverse },
  );
  const gated = passed('gated', siluGate(graph, passed('scanned', scan), z));
  const normed = passed('normed', rmsNorm(graph, gated, weights['norm.weight'], 1e-5));
  passed('y', linear(graph, normed, weights['out_proj.weight']));
  return graph;
}

const lowered = (graph: Graph): readonly TorchOp[] =>
  lowerGraph(graph, { backend: 'cuda', precision: 'fp16' }).ops;
const described = (ops: readonly TorchOp[]) =>
  ops.map(({ name, reads, writes, saves, scratch, backward }) => ({
    name,
    reads,
    writes,
    saves,
    scratch,
    backward,
  }));
const rectified: Extra = (graph, tensor) => relu(graph, tensor);

describe.each([false, true])('a Mamba-2 block, reverse %s,', (reverse) => {
  const plain = lowered(mixer(undefined, rectified, reverse));

  it('is lowered as models/mamba2.ts builds it', () => {
    const graph = new Graph();
    mamba2Block(new Declarations(graph, 'block.'), graph.input('x', [1, 64, SIZES.dModel]), SIZES, reverse);
    expect(described(lowered(graph))).toEqual(described(plain));
  });

  it.each(['x', 'y'] as const)('takes a node more outside of the fused function, after %s', (at) => {
    const names = lowered(mixer(at, rectified, reverse)).map(({ name }) => name);
    const before = plain.map(({ name }) => name);
    expect(names).toEqual(at === 'x' ? ['relu', ...before] : [...before, 'relu']);
  });

  it.each([
    ['projected', 'must read x from linear, and reads it from relu'],
    ['z', 'must read z as split leaves it'],
    ['convolved', 'must read x as split leaves it'],
    ['delta', 'must read dt from split, and reads it from relu'],
    ['xbc', 'must read xbc from causal_conv1d, and reads it from relu'],
    ['A', 'must read A from negative_exp, and reads it from relu'],
    ['scanned', 'must be read by silu_gate alone, and is read by relu'],
    ['gated', 'must be read by rms_norm alone, and is read by relu'],
    ['normed', 'must be read by linear alone, and is read by relu'],
  ] as const)('is rejected with a node more after %s', (at, sentence) => {
    const lower = (): unknown => lowered(mixer(at, rectified, reverse));
    expect(lower).toThrow(GraphError);
    expect(lower).toThrow(sentence);
  });

  it('is rejected where something else reads what PyTorch never writes', () => {
    const twice: Extra = (graph, tensor) => {
      dropout(graph, tensor, 0.1);
      return tensor;
    };
    for (const at of ['z', 'xbc', 'scanned', 'normed'] as const)
      expect(() => lowered(mixer(at, twice, reverse))).toThrow(/and is read by .*dropout/);
  });
});

it('an op without a rule is named', () => {
  const gated: Extra = (graph, tensor) => siluGate(graph, tensor, tensor);
  expect(() => lowered(mixer('y', gated, false))).toThrow(
    'silu_gate: no rule says what PyTorch keeps of silu_gate',
  );
});

it('a parameter that no rule reads is named', () => {
  const shifted: Extra = (graph, tensor) => {
    graph.parameter('block.shift', [16]);
    return add(graph, tensor, tensor);
  };
  expect(() => lowered(mixer('y', shifted, false))).toThrow(
    'no rule says what PyTorch does with the parameter block.shift',
  );
});
