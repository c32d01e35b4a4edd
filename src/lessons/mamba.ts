/**
 * Mamba-1: the block of Gu & Dao 2023 (arXiv:2312.00752) as state-spaces/mamba implements it (`mamba_simple.py`), and the
 * residual sequence model around it (`mixer_seq_simple.py`), with their parameter names and their initialisation.
 */
import { formatShape, GraphError, type Graph, type Parameter, type Tensor } from '../engine/graph';
import { add } from '../engine/ops/add';
import { causalConv1d } from '../engine/ops/causal_conv1d';
import { dropout } from '../engine/ops/dropout';
import { embedding } from '../engine/ops/embedding';
import { linear } from '../engine/ops/linear';
import { negativeExp } from '../engine/ops/negative_exp';
import { rmsNorm } from '../engine/ops/rms_norm';
import { selectiveScan } from '../engine/ops/selective_scan';
import type { ScanInputs } from '../engine/ops/selective_scan_shared';
import { splitChannels } from '../engine/ops/split_concat';
import { Declarations } from '../models/declarations';
import {
  constant,
  deltaBiasInitialiser,
  normal,
  scaled,
  torchDefault,
  uniform,
  type Declared,
  type Initialiser,
} from '../models/initialise';

/**
 * How much of the state's motion follows from the tokens.
 * `selective`: Δ, B and C, as published.
 * `delta-frozen`: B and C; Δ is learned but the same for every token, so the state forgets at one pace.
 * `time-invariant`: nothing; Δ, B and C are learned constants, and the scan is a fixed convolution like that of S4D.
 */
export type Dynamics = 'selective' | 'delta-frozen' | 'time-invariant';

export interface MambaSizes {
  readonly dModel: number;
  /** N, values of state for each inner channel. 16 if left out, as published; so are the others. */
  readonly dState?: number;
  /** Tokens that the causal convolution sees: 4. */
  readonly dConv?: number;
  /** Inner channels for each model channel: 2. */
  readonly expand?: number;
  /** Width of the bottleneck through which Δ is computed; `auto` is ⌈dModel / 16⌉. */
  readonly dtRank?: number | 'auto';
  /** Initial softplus(dt bias): log-uniform in [0.001, 0.1], at least 0.0001. */
  readonly dtMin?: number;
  readonly dtMax?: number;
  readonly dtInitFloor?: number;
  /** Bound of dt_proj.weight at the start, times √dtRank: 1. */
  readonly dtScale?: number;
  readonly dynamics?: Dynamics;
  /** Whether a token writes by zero-order hold, as the paper's equation 4 says, instead of Δ·B·u, as its code does. */
  readonly zeroOrderHold?: boolean;
}

/** What the scan takes of each token: delta [b, l, dInner] before bias and softplus; B and C [b, l, dState]. */
export type FromTokens = Readonly<Record<'delta' | 'B' | 'C', Tensor>>;

/** Replaces what a scan takes of the tokens by other tensors of the graph, of the same shapes: an experiment on a trained model. */
export type EditTokens = (graph: Graph, fromTokens: FromTokens) => FromTokens;

export interface MambaConfig extends MambaSizes {
  readonly vocabulary: number;
  readonly layers: number;
  /** Whether the head reuses the embedding, as published. */
  readonly tied?: boolean;
  /** Share of each mixer's output that is dropped before the residual addition; 0 as published. */
  readonly dropout?: number;
  readonly normEps?: number;
}

const BLOCK_DEFAULTS = {
  dState: 16,
  dConv: 4,
  expand: 2,
  dtRank: 'auto',
  dtMin: 0.001,
  dtMax: 0.1,
  dtInitFloor: 1e-4,
  dtScale: 1,
  dynamics: 'selective',
  zeroOrderHold: false,
} as const satisfies Omit<Required<MambaSizes>, 'dModel'>;

const MODEL_DEFAULTS = { tied: true, dropout: 0, normEps: 1e-5 } as const satisfies Partial<MambaConfig>;

/** Sizes with every default filled in, and what follows from them. */
export function resolveSizes(sizes: MambaSizes) {
  const resolved = { ...BLOCK_DEFAULTS, ...sizes };
  const { dModel, expand, dtRank } = resolved;
  return {
    ...resolved,
    dInner: expand * dModel,
    dtRank: dtRank === 'auto' ? Math.ceil(dModel / 16) : dtRank,
  };
}

/** What a lesson shows of a mixer. Δ_t = softplus(delta_t + deltaBias). */
export interface MixerView {
  /** [b, l, dInner]; a constant of zeros where Δ is frozen. */
  readonly delta: Tensor;
  /** [dInner] */
  readonly deltaBias: Parameter;
  /** All inputs of the scan, after an edit. */
  readonly scan: ScanInputs;
}

export interface MambaBlock extends MixerView {
  /** [b, l, dModel] */
  readonly y: Tensor;
  readonly declared: readonly Declared[];
}

export interface MambaModel {
  /** [b, l, vocabulary] */
  readonly logits: Tensor;
  readonly layers: readonly MixerView[];
  readonly declared: readonly Declared[];
}

/** A_log = ln 1 … ln N in every row, so that A = −1 … −N: the real-valued initialisation of S4D (Gu et al. 2022). */
const stateDecayInitialiser =
  (dState: number): Initialiser =>
  (values) => {
    for (let i = 0; i < values.length; i++) values[i] = Math.log((i % dState) + 1);
  };

/**
 * One Mamba block: x [b, l, dModel] → y [b, l, dModel].
 *
 *     u, z = split(in_proj x);  u = silu(conv1d u);  dt, B, C = split(x_proj u);  delta = dt_proj.weight dt
 *     y = out_proj (scan(u, Δ = softplus(delta + dt_proj.bias), A = −exp(A_log), B, C, D) · silu(z))
 *
 * Parameters are named `prefix` + their name in state-spaces/mamba. Frozen dynamics lack dt_proj.weight; time-invariant
 * ones lack x_proj as well and have parameters B and C [dState, 1] instead, whose initial values are 1 and N(0, 1) as in S4D.
 * `residualBranches`: how many such blocks add to one residual stream; out_proj is initialised smaller by its square root.
 * `edit` changes what the scan takes of the tokens.
 */
export function mambaBlock(
  graph: Graph,
  x: Tensor,
  sizes: MambaSizes,
  prefix: string,
  residualBranches = 1,
  edit: EditTokens = (_, fromTokens) => fromTokens,
): MambaBlock {
  const { dModel, dInner, dState, dConv, dtRank, dtScale, dynamics, zeroOrderHold, ...range } =
    resolveSizes(sizes);
  const [b, l] = x.shape;
  if (b === undefined || l === undefined || x.shape.length !== 3)
    throw new GraphError(`x must be [batch, length, channels], it is ${formatShape(x.shape)}`);
  const declarations = new Declarations(graph, prefix);
  const weight = (
    name: string,
    outputs: number,
    inputs: number,
    initialiser = torchDefault(inputs),
  ): Parameter => declarations.parameter(name, [outputs, inputs], initialiser);

  const projected = linear(graph, x, weight('in_proj.weight', 2 * dInner, dModel));
  const [input, z] = splitChannels(graph, projected, [dInner, dInner]);
  const convWeight = declarations.parameter('conv1d.weight', [dInner, dConv], torchDefault(dConv), {
    publishedShape: [dInner, 1, dConv],
  });
  const convBias = declarations.parameter('conv1d.bias', [dInner], torchDefault(dConv));
  const u = causalConv1d(graph, input, convWeight, convBias, 'silu');

  const noDelta = (): Tensor =>
    graph.constant(`${prefix}no_delta`, u.shape, new Float32Array(b * l * dInner));
  const fromTokens = {
    selective: () => {
      const mixed = linear(graph, u, weight('x_proj.weight', dtRank + 2 * dState, dInner));
      const [dt, B, C] = splitChannels(graph, mixed, [dtRank, dState, dState]);
      const delta = linear(
        graph,
        dt,
        weight('dt_proj.weight', dInner, dtRank, uniform(dtScale / Math.sqrt(dtRank))),
      );
      return { delta, B, C };
    },
    'delta-frozen': () => {
      const mixed = linear(graph, u, weight('x_proj.weight', 2 * dState, dInner));
      const [B, C] = splitChannels(graph, mixed, [dState, dState]);
      return { delta: noDelta(), B, C };
    },
    'time-invariant': () => {
      const ones = graph.constant(`${prefix}ones`, [b, l, 1], new Float32Array(b * l).fill(1));
      const B = linear(graph, ones, weight('B', dState, 1, constant(1)));
      const C = linear(graph, ones, weight('C', dState, 1, normal(1)));
      return { delta: noDelta(), B, C };
    },
  } as const satisfies Record<Dynamics, () => { delta: Tensor; B: Tensor; C: Tensor }>;
  const { delta, B, C } = edit(graph, fromTokens[dynamics]());
  const deltaBias = declarations.parameter('dt_proj.bias', [dInner], deltaBiasInitialiser(range));

  const decayLog = declarations.parameter('A_log', [dInner, dState], stateDecayInitialiser(dState), {
    decay: false,
  });
  const D = declarations.parameter('D', [dInner], constant(1), { decay: false });
  const A = negativeExp(graph, decayLog);
  const scan = { u, delta, A, B, C, D, z, deltaBias };
  const scanned = selectiveScan(graph, scan, { deltaSoftplus: true, zeroOrderHold });
  const outProj = scaled(torchDefault(dInner), 1 / Math.sqrt(residualBranches));
  const y = linear(graph, scanned, weight('out_proj.weight', dModel, dInner, outProj));
  return { y, delta, deltaBias, scan, declared: declarations.declared };
}

/**
 * The sequence model: tokens u32 [b, l] → logits [b, l, vocabulary].
 *
 *     x = embedding[tokens];  x ← x + mixer_i(rmsNorm(x)) for each layer;  logits = head(rmsNorm(x))
 *
 * Embeddings are initialised as N(0, 0.02), norms as 1, an untied head as nn.Linear does.
 */
export function mambaModel(graph: Graph, tokens: Tensor, config: MambaConfig, edit?: EditTokens): MambaModel {
  const { vocabulary, layers, tied, dropout: rate, normEps, ...sizes } = { ...MODEL_DEFAULTS, ...config };
  const { dModel } = sizes;
  const declarations = new Declarations(graph, '');
  const norm = (x: Tensor, name: string): Tensor =>
    rmsNorm(graph, x, declarations.parameter(name, [dModel], constant(1)), normEps);

  const table = declarations.parameter('backbone.embedding.weight', [vocabulary, dModel], normal(0.02));
  let x = embedding(graph, tokens, table);
  const views: MixerView[] = [];
  for (let i = 0; i < layers; i++) {
    const name = `backbone.layers.${i}`;
    graph.scope(`layers.${i}`, () => {
      const normed = norm(x, `${name}.norm.weight`);
      const block = graph.scope('mixer', () =>
        mambaBlock(graph, normed, sizes, `${name}.mixer.`, layers, edit),
      );
      declarations.declared.push(...block.declared);
      views.push({ delta: block.delta, deltaBias: block.deltaBias, scan: block.scan });
      x = add(graph, x, dropout(graph, block.y, rate));
    });
  }
  const logits = graph.scope('head', () => {
    const normed = norm(x, 'backbone.norm_f.weight');
    const head = tied
      ? table
      : declarations.parameter('lm_head.weight', [vocabulary, dModel], torchDefault(dModel));
    return linear(graph, normed, head);
  });
  return { logits, layers: views, declared: declarations.declared };
}
