/**
 * The trainer's seizure detector: a U-Net over time, residual blocks of convolutions and bidirectional Mamba layers at its
 * coarsest scale. EEG [b, l, electrodes] → logits [b, l, 1], with the trainer's parameter names and initialisation.
 */
import { MODEL } from '../base/production';
import { formatShape, GraphError, type Graph, type Tensor } from '../engine/graph';
import { add } from '../engine/ops/add';
import { batchNorm } from '../engine/ops/batch_norm';
import { concatChannels } from '../engine/ops/split_concat';
import { conv1d } from '../engine/ops/conv1d';
import { convTranspose1d } from '../engine/ops/conv_transpose1d';
import { dropout1d } from '../engine/ops/dropout';
import { relu } from '../engine/ops/relu';
import { biMambaLayer, type BiMambaConfig, type Mode } from './bimamba';
import { Declarations } from './declarations';
import { constant, kaimingFanOut, type Declared } from './initialise';

export interface DetectorConfig extends BiMambaConfig {
  readonly electrodes: number;
  /** Channels of the first stage; each further stage has twice as many. */
  readonly baseChannels: number;
  /** Stages, each of which halves the length. */
  readonly depth: number;
  readonly rescnnBlocks: number;
  /** Odd; one branch of a residual block for each. */
  readonly kernelSizes: readonly number[];
  readonly layers: number;
}

/** The sizes of a production run's model: model.* with the values that the trainer fixes. */
export const PRODUCTION = MODEL satisfies DetectorConfig;

export interface Detector {
  /** [b, l, 1] */
  readonly logits: Tensor;
  readonly declared: readonly Declared[];
  /** Parameters that a checkpoint of the trainer has though this graph does without. */
  readonly unused: readonly Declared[];
}

/**
 * Adds the detector to `graph`: U-Net encoder, residual blocks, bidirectional mixers, decoder, and a convolution that gives one
 * logit a sample. `x`: [b, l, electrodes], l a multiple of 2^depth; throws GraphError for another shape. Parameters have the
 * names of the trainer's checkpoints.
 */
export function detectorModel(graph: Graph, x: Tensor, config: DetectorConfig, mode: Mode): Detector {
  const [, length, electrodes] = x.shape;
  const { depth, baseChannels, dropout } = config;
  if (x.shape.length !== 3 || electrodes !== config.electrodes || (length ?? 0) % 2 ** depth !== 0)
    throw new GraphError(
      `EEG must be [batch, a multiple of ${2 ** depth} samples, ${config.electrodes} electrodes], it is ${formatShape(x.shape)}`,
    );
  const declare = new Declarations(graph, '');
  const widths = Array.from({ length: depth }, (_, stage) => baseChannels * 2 ** stage);
  const { y: encoded, skips } = declare.within('encoder', (part) => encoder(part, x, widths, mode));
  let y = encoded;
  declare.within('rescnn', (part) => {
    for (let i = 0; i < config.rescnnBlocks; i++)
      y = part.within(`blocks.${i}`, (block) => residualBlock(block, y, config.kernelSizes, dropout, mode));
  });
  declare.within('mamba', (part) => {
    for (let i = 0; i < config.layers; i++)
      y = part.within(`layers.${i}`, (inner) => biMambaLayer(inner, y, config, mode));
  });
  y = declare.within('decoder', (part) => decoder(part, y, skips, config.electrodes, mode));
  const logits = declare.within('detection_head', (part) => convolution(part, y, 1, 1));
  return { logits, declared: declare.declared, unused: declare.unused };
}

/** Of a convolution that keeps the length: the kernel is odd. */
function kernelOf(declare: Declarations, x: Tensor, outputs: number, kernel: number) {
  const weight = declare.parameter(
    'weight',
    [outputs, x.shape[2] as number, kernel],
    kaimingFanOut(outputs * kernel),
  );
  const bias = declare.parameter('bias', [outputs], constant(0));
  return { weight, bias, padding: (kernel - 1) / 2 };
}

function convolution(declare: Declarations, x: Tensor, outputs: number, kernel: number): Tensor {
  const { weight, bias, padding } = kernelOf(declare, x, outputs, kernel);
  return conv1d(declare.graph, x, weight, bias, { padding });
}

interface Layers {
  readonly conv: string;
  readonly bn: string;
  readonly activation: 'relu' | 'none';
}

/** A convolution, BatchNorm and ReLU where asked for, under the given names of the first two. */
function convNorm(
  declare: Declarations,
  x: Tensor,
  outputs: number,
  kernel: number,
  { training }: Mode,
  { conv, bn, activation }: Layers,
): Tensor {
  // The bias goes to the norm: it moves the running mean and nothing else.
  const { y, shift } = declare.within(conv, (part) => {
    const { weight, bias, padding } = kernelOf(part, x, outputs, kernel);
    return { y: conv1d(part.graph, x, weight, undefined, { padding }), shift: bias };
  });
  return declare.within(bn, (part) => {
    const weights = {
      weight: part.parameter('weight', [outputs], constant(1)),
      bias: part.parameter('bias', [outputs], constant(0)),
      runningMean: part.buffer('running_mean', [outputs], 0),
      runningVar: part.buffer('running_var', [outputs], 1),
      shift,
    };
    return batchNorm(part.graph, y, weights, { training, activation });
  });
}

const BLOCK: Layers = { conv: 'conv', bn: 'bn', activation: 'relu' };
const BRANCH: Layers = { conv: '0', bn: '1', activation: 'relu' };

function twoBlocks(declare: Declarations, x: Tensor, outputs: number, mode: Mode): Tensor {
  const first = declare.within('0', (part) => convNorm(part, x, outputs, 5, mode, BLOCK));
  return declare.within('1', (part) => convNorm(part, first, outputs, 5, mode, BLOCK));
}

/** Returns the coarsest features and, from fine to coarse, what each stage hands to the decoder. */
function encoder(declare: Declarations, x: Tensor, widths: readonly number[], mode: Mode) {
  const skips: Tensor[] = [];
  let y = declare.within('input_conv', (part) => convNorm(part, x, widths[0] as number, 7, mode, BLOCK));
  for (const [stage, width] of widths.entries()) {
    const skip = declare.within(`encoder_blocks.${stage}`, (part) => twoBlocks(part, y, width, mode));
    skips.push(skip);
    y = declare.within(`downsample.${stage}`, (part) => {
      const weight = part.parameter('weight', [width, width, 2], kaimingFanOut(2 * width));
      return conv1d(part.graph, skip, weight, part.parameter('bias', [width], constant(0)), { stride: 2 });
    });
  }
  return { y, skips };
}

/** x + what its branches say, rectified. The channels are divided evenly, the last branch has the remainder. */
function residualBlock(
  declare: Declarations,
  x: Tensor,
  kernels: readonly number[],
  rate: number,
  mode: Mode,
): Tensor {
  const { graph } = declare;
  const channels = x.shape[2] as number;
  const share = Math.floor(channels / kernels.length);
  const branches = kernels.map((kernel, i) => {
    const outputs = i < kernels.length - 1 ? share : channels - share * i;
    return declare.within(`branches.${i}`, (part) => convNorm(part, x, outputs, kernel, mode, BRANCH));
  });
  const joined = concatChannels(graph, branches);
  const fused = declare.within('fusion', (part) =>
    convNorm(part, joined, channels, 1, mode, { ...BRANCH, activation: 'none' }),
  );
  return relu(graph, add(graph, mode.training ? dropout1d(graph, fused, rate) : fused, x));
}

function decoder(
  declare: Declarations,
  x: Tensor,
  skips: readonly Tensor[],
  electrodes: number,
  mode: Mode,
): Tensor {
  let y = x;
  for (const [i, skip] of [...skips].reverse().entries()) {
    const inputs = y.shape[2] as number;
    // A stage returns to the width of the next finer one; the finest keeps its own.
    const outputs = skips[Math.max(0, skips.length - 2 - i)]?.shape[2] as number;
    const upsampled = declare.within(`upsample.${i}`, (part) => {
      const weight = part.parameter('weight', [inputs, outputs, 2], kaimingFanOut(2 * inputs));
      const bias = part.parameter('bias', [outputs], constant(0));
      return convTranspose1d(part.graph, y, weight, bias, { stride: 2 });
    });
    const joined = concatChannels(declare.graph, [upsampled, skip]);
    y = declare.within(`decoder_blocks.${i}`, (part) => twoBlocks(part, joined, outputs, mode));
  }
  return declare.within('output_conv', (part) => convolution(part, y, electrodes, 1));
}

/** For gradient checkpointing: each stage, residual block and Mamba layer is computed again as a whole. */
export const segmentOf = (label: string): string | undefined =>
  /^(encoder\/(input_conv|encoder_blocks\.\d+)|(rescnn|mamba|decoder)\/\w+\.\d+)(?=\/)/.exec(label)?.[0];
