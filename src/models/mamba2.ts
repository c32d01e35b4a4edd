/**
 * Mamba-2: the block of Dao & Gu 2024 (arXiv:2405.21060) as state-spaces/mamba implements it (`modules/mamba2.py`), with its
 * parameter names.
 */
import { formatShape, GraphError, type Graph, type Tensor } from '../engine/graph';
import { causalConv1d, type Reverse } from '../engine/ops/causal_conv1d';
import { linear } from '../engine/ops/linear';
import { negativeExp } from '../engine/ops/negative_exp';
import { rmsNormGated } from '../engine/ops/silu_gate';
import { splitChannels } from '../engine/ops/split_concat';
import { ssdScan } from '../engine/ops/ssd_scan';
import type { Declarations, ParameterSpec } from './declarations';
import { constant, deltaBiasInitialiser, kaimingFanOut, logOfUniform, xavierNormal } from './initialise';

export interface Mamba2Sizes {
  readonly dModel: number;
  /** N, rows of a head's state: its columns are the head's channels. */
  readonly dState: number;
  /** Tokens that the causal convolution sees. */
  readonly dConv: number;
  /** Inner channels for each model channel. */
  readonly expand: number;
  /** Inner channels of a head. */
  readonly headdim: number;
  /** How many B and C there are; heads share them. */
  readonly groups: number;
}

const EPS = 1e-5;

function innerSizes({ dModel, dState, expand, headdim, groups }: Mamba2Sizes) {
  const inner = expand * dModel;
  if (inner % headdim !== 0 || (inner / headdim) % groups !== 0)
    throw new GraphError(
      `${inner} inner channels must be whole heads of ${headdim}, and their number a multiple of ${groups} groups`,
    );
  return { inner, heads: inner / headdim, mixed: inner + 2 * groups * dState };
}

/**
 * The block's parameters. The projections and the convolution are initialised as the trainer does every linear layer and
 * convolution, not as published.
 */
export function mamba2Parameters(sizes: Mamba2Sizes) {
  const { dModel, dConv } = sizes;
  const { inner, heads, mixed } = innerSizes(sizes);
  const projection = (outputs: number, inputs: number): ParameterSpec => ({
    shape: [outputs, inputs],
    initialiser: xavierNormal(inputs, outputs),
  });
  return {
    dt_bias: {
      shape: [heads],
      initialiser: deltaBiasInitialiser({ dtMin: 0.001, dtMax: 0.1, dtInitFloor: 1e-4 }),
    },
    A_log: { shape: [heads], initialiser: logOfUniform(1, 16) },
    D: { shape: [heads], initialiser: constant(1) },
    'in_proj.weight': projection(inner + mixed + heads, dModel),
    'conv1d.weight': {
      shape: [mixed, dConv],
      publishedShape: [mixed, 1, dConv],
      initialiser: kaimingFanOut(mixed * dConv),
    },
    'conv1d.bias': { shape: [mixed], initialiser: constant(0) },
    'norm.weight': { shape: [inner], initialiser: constant(1) },
    'out_proj.weight': projection(dModel, inner),
  } as const satisfies Record<string, ParameterSpec>;
}

/**
 * x [b, l, dModel] → y [b, l, dModel]:
 *
 *     z, xBC, delta = split(in_proj x);  x, B, C = split(silu(conv1d xBC))
 *     y = out_proj rmsNorm(ssd(x, Δ = softplus(delta + dt_bias), A = −exp(A_log), B, C, D) · silu(z))
 *
 * `reverse` computes flip(block(flip x)) without moving anything.
 */
export function mamba2Block(declare: Declarations, x: Tensor, sizes: Mamba2Sizes, reverse = false): Tensor {
  return compute(declare.graph, x, declare.parameters(mamba2Parameters(sizes)), sizes, reverse);
}

/**
 * Two blocks on one x [b, l, dModel], the second of them in reverse: their results side by side, [b, l, 2 · dModel]. `names` are those
 * that their parameters are declared under. Every op is one for both, the blocks being heads, groups and channels beside each other.
 */
export function mamba2Pair(
  declare: Declarations,
  names: readonly [string, string],
  x: Tensor,
  sizes: Mamba2Sizes,
): Tensor {
  const specs = mamba2Parameters(sizes);
  const first = declare.within(names[0], (part) => part.parameters(specs));
  const second = declare.within(names[1], (part) => part.parameters(specs, first));
  const stacked = (Object.keys(specs) as (keyof typeof specs)[]).map(
    (name) => [name, declare.graph.stack([first[name], second[name]])] as const,
  );
  const weights = Object.fromEntries(stacked) as Record<keyof typeof specs, Tensor>;
  return declare.graph.scope('mamba_real', () => compute(declare.graph, x, weights, sizes, 'second half'));
}

function compute(
  graph: Graph,
  x: Tensor,
  weights: Readonly<Record<keyof ReturnType<typeof mamba2Parameters>, Tensor>>,
  sizes: Mamba2Sizes,
  reverse: Reverse,
): Tensor {
  const { dModel, dState, headdim, groups } = sizes;
  if (x.shape.length !== 3 || x.shape[2] !== dModel)
    throw new GraphError(`x must be [batch, length, ${dModel}], it is ${formatShape(x.shape)}`);
  const { inner, heads, mixed } = innerSizes(sizes);
  const blocks = reverse === 'second half' ? 2 : 1;

  const projected = linear(graph, x, weights['in_proj.weight']);
  const [z, convolved, delta] = splitChannels(graph, projected, [inner, mixed, heads], blocks);
  const xbc = causalConv1d(
    graph,
    convolved,
    weights['conv1d.weight'],
    weights['conv1d.bias'],
    'silu',
    reverse,
  );
  const A = negativeExp(graph, weights.A_log);
  const scanned = ssdScan(
    graph,
    { xbc, dt: delta, A, D: weights.D, dtBias: weights.dt_bias },
    { headdim, groups: blocks * groups, dState, reverse },
  );
  const normed = rmsNormGated(graph, scanned, z, weights['norm.weight'], EPS, blocks);
  return linear(graph, normed, weights['out_proj.weight'], undefined, blocks);
}
