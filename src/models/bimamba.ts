/** The trainer's bidirectional layer: a mixer in each direction of time, joined, with a residual and LayerNorm after it. */
import { GraphError, type Tensor } from '../engine/graph';
import { add } from '../engine/ops/add';
import { concatChannels } from '../engine/ops/split_concat';
import { conv1d } from '../engine/ops/conv1d';
import { dropout } from '../engine/ops/dropout';
import { flipTime } from '../engine/ops/flip_time';
import { layerNorm } from '../engine/ops/layer_norm';
import { linear } from '../engine/ops/linear';
import type { Declarations } from './declarations';
import { constant, kaimingFanOut, xavierNormal } from './initialise';
import { mamba2Block, mamba2Pair } from './mamba2';

/** `mamba2`; or `conv`, the depthwise convolution that the trainer falls back to, which is no state-space model. */
export const MIXERS = ['mamba2', 'conv'] as const;
export type Mixer = (typeof MIXERS)[number];

export interface BiMambaConfig {
  readonly mixer: Mixer;
  readonly dState: number;
  readonly expand: number;
  readonly headdim: number;
  /** model.mamba.conv_kernel; see `convKernelOf`. */
  readonly convKernel: number;
  /** Share of elements dropped before the residual addition. */
  readonly dropout: number;
}

/** How a model is built. */
export interface Mode {
  /** BatchNorm by the batch's own statistics, and dropout. */
  readonly training: boolean;
  /** Whether each direction's Mamba-2 has ops of its own, as in PyTorch; both have the same ones where left out. */
  readonly apart?: boolean;
}

const FALLBACK = ['forward_mamba_fallback', 'backward_mamba_fallback'] as const;
const REAL = ['forward_mamba_real', 'backward_mamba_real'] as const;
const EPS = 1e-5;

/** Taps of Mamba-2's causal convolution: the trainer's CUDA operator takes 2 to 4, and any other number becomes 4. */
const convKernelOf = (convKernel: number): number => (convKernel >= 2 && convKernel <= 4 ? convKernel : 4);

/** x [b, l, d] → y = layer_norm(x + dropout(output_proj [f, r])), f = mixer(x), r = flip(mixer'(flip x)). */
export function biMambaLayer(
  declare: Declarations,
  x: Tensor,
  config: BiMambaConfig,
  { training, apart = false }: Mode,
): Tensor {
  const { graph } = declare;
  const d = x.shape[2] as number;
  const { mixer, dState, expand, headdim, convKernel } = config;
  if (mixer === 'conv' && convKernel % 2 === 0)
    throw new GraphError(
      `conv_kernel ${convKernel} makes the convolution mixer longer by one step: it must be odd`,
    );
  const sizes = { dModel: d, dState, expand, headdim, groups: 1, dConv: convKernelOf(convKernel) };
  const conv = {
    weight: {
      shape: [d, 1, convKernel],
      initialiser: kaimingFanOut(d * convKernel),
    },
    bias: { shape: [d], initialiser: constant(0) },
  } as const;
  const direction = (i: 0 | 1): Tensor => {
    const reverse = i === 1;
    if (mixer === 'conv')
      return declare.within(FALLBACK[i], (part) => {
        const { weight, bias } = part.parameters(conv);
        const padding = Math.floor(convKernel / 2);
        const turned = reverse ? flipTime(graph, x) : x;
        const y = conv1d(graph, turned, weight, bias, { padding, groups: d });
        return reverse ? flipTime(graph, y) : y;
      });
    return declare.within(REAL[i], (part) => mamba2Block(part, x, sizes, reverse));
  };
  if (mixer === 'mamba2')
    for (const name of FALLBACK) declare.within(name, (part) => part.declareUnused(conv));
  const both =
    mixer === 'mamba2' && !apart
      ? mamba2Pair(declare, REAL, x, sizes)
      : concatChannels(graph, [direction(0), direction(1)]);
  const joined = declare.within('output_proj', (part) =>
    linear(
      graph,
      both,
      part.parameter('weight', [d, 2 * d], xavierNormal(2 * d, d)),
      part.parameter('bias', [d], constant(0)),
    ),
  );
  const sum = add(graph, x, training ? dropout(graph, joined, config.dropout) : joined);
  return declare.within('layer_norm', (part) =>
    layerNorm(
      graph,
      sum,
      part.parameter('weight', [d], constant(1)),
      part.parameter('bias', [d], constant(0)),
      EPS,
    ),
  );
}
