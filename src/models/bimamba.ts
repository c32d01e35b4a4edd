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
import { mamba2Block, type Mamba2Block } from './mamba2';

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

export interface BiMambaLayer {
  /** [b, l, d] */
  readonly y: Tensor;
  /** Both directions, forward first; none with the mixer `conv`. */
  readonly blocks: readonly Mamba2Block[];
}

const DIRECTIONS = ['forward', 'backward'] as const;
const EPS = 1e-5;

/** Taps of Mamba-2's causal convolution: the trainer's CUDA operator takes 2 to 4, and any other number becomes 4. */
export const convKernelOf = (convKernel: number): number =>
  convKernel >= 2 && convKernel <= 4 ? convKernel : 4;

/** x [b, l, d] → y = layer_norm(x + dropout(output_proj [f, r])), f = mixer(x), r = flip(mixer'(flip x)). */
export function biMambaLayer(
  declare: Declarations,
  x: Tensor,
  config: BiMambaConfig,
  training: boolean,
): BiMambaLayer {
  const { graph } = declare;
  const d = x.shape[2] as number;
  if (config.mixer === 'conv' && config.convKernel % 2 === 0)
    throw new GraphError(
      `conv_kernel ${config.convKernel} makes the convolution mixer longer by one step: it must be odd`,
    );
  const blocks: Mamba2Block[] = [];
  const conv = {
    weight: {
      shape: [d, 1, config.convKernel],
      initialiser: kaimingFanOut(d * config.convKernel),
    },
    bias: { shape: [d], initialiser: constant(0) },
  } as const;
  const directions = DIRECTIONS.map((direction) => {
    const reverse = direction === 'backward';
    const fallback = `${direction}_mamba_fallback`;
    if (config.mixer === 'conv')
      return declare.within(fallback, (part) => {
        const { weight, bias } = part.parameters(conv);
        const padding = Math.floor(config.convKernel / 2);
        const turned = reverse ? flipTime(graph, x) : x;
        const y = conv1d(graph, turned, weight, bias, { padding, groups: d });
        return reverse ? flipTime(graph, y) : y;
      });
    declare.within(fallback, (part) => part.declareUnused(conv));
    return declare.within(`${direction}_mamba_real`, (part) => {
      const { dState, expand, headdim, convKernel } = config;
      const sizes = { dModel: d, dState, expand, headdim, groups: 1, dConv: convKernelOf(convKernel) };
      const block = mamba2Block(part, x, sizes, reverse);
      blocks.push(block);
      return block.y;
    });
  });
  const joined = declare.within('output_proj', (part) =>
    linear(
      graph,
      concatChannels(graph, directions),
      part.parameter('weight', [d, 2 * d], xavierNormal(2 * d, d)),
      part.parameter('bias', [d], constant(0)),
    ),
  );
  const sum = add(graph, x, training ? dropout(graph, joined, config.dropout) : joined);
  const y = declare.within('layer_norm', (part) =>
    layerNorm(
      graph,
      sum,
      part.parameter('weight', [d], constant(1)),
      part.parameter('bias', [d], constant(0)),
      EPS,
    ),
  );
  return { y, blocks };
}
