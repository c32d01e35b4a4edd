/** Every op that stores something in float16, at sizes that are odd, prime or divided by four. */
import type { Graph, Tensor } from '../../../src/engine/graph';
import { add } from '../../../src/engine/ops/add';
import { batchNorm } from '../../../src/engine/ops/batch_norm';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { causalConv1d } from '../../../src/engine/ops/causal_conv1d';
import { concatChannels } from '../../../src/engine/ops/concat';
import { conv1d } from '../../../src/engine/ops/conv1d';
import { convTranspose1d } from '../../../src/engine/ops/conv_transpose1d';
import { copy } from '../../../src/engine/ops/copy';
import { dropout, dropout1d } from '../../../src/engine/ops/dropout';
import { embedding } from '../../../src/engine/ops/embedding';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { layerNorm } from '../../../src/engine/ops/layer_norm';
import { linear } from '../../../src/engine/ops/linear';
import { multiply } from '../../../src/engine/ops/multiply';
import { relu } from '../../../src/engine/ops/relu';
import { rmsNorm } from '../../../src/engine/ops/rms_norm';
import { selectiveScan } from '../../../src/engine/ops/selective_scan';
import { sigmoid } from '../../../src/engine/ops/sigmoid';
import { silu } from '../../../src/engine/ops/silu';
import { siluGate } from '../../../src/engine/ops/silu_gate';
import { softmaxCrossEntropy } from '../../../src/engine/ops/softmax_cross_entropy';
import { softplus } from '../../../src/engine/ops/softplus';
import { splitChannels } from '../../../src/engine/ops/split';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import type { Shape } from '../../../src/engine/graph';
import type { InputSpec, OpCase } from './check-op';

type Case = OpCase<string>;
type Inputs = Readonly<Record<string, Tensor>>;
type Build = (graph: Graph, inputs: Readonly<Record<string, Tensor>>) => Tensor;

const at = (inputs: Inputs, name: string): Tensor => {
  const tensor = inputs[name];
  if (!tensor) throw new Error(`there is no input ${name}`);
  return tensor;
};

function opCase(inputs: Readonly<Record<string, Shape | InputSpec>>, build: Build, settings = {}): Case {
  const specs = Object.entries(inputs).map(([name, spec]): [string, InputSpec] => [
    name,
    'shape' in spec ? spec : { shape: spec },
  ]);
  return {
    inputs: Object.fromEntries(specs),
    build: (graph, tensors) => ({ y: build(graph, tensors) }),
    differences: false,
    ...settings,
  };
}

const unary = (op: (graph: Graph, x: Tensor) => Tensor, shape: Shape): Case =>
  opCase({ x: shape }, (graph, inputs) => op(graph, at(inputs, 'x')));
const binary = (op: (graph: Graph, a: Tensor, b: Tensor) => Tensor, shape: Shape): Case =>
  opCase({ a: shape, b: shape }, (graph, inputs) => op(graph, at(inputs, 'a'), at(inputs, 'b')));

const scan = (h: number, p: number, n: number, l: number, bias: boolean, reverse = false): Case =>
  opCase(
    {
      xbc: [2, l, h * p + 2 * n],
      dt: { shape: [2, l, h], range: [-3, 1] },
      A: { shape: [h], range: [-2, -0.2] },
      D: [h],
      ...(bias && { dt_bias: { shape: [h], range: [-0.5, 0.5] } }),
    },
    (graph, inputs) =>
      ssdScan(
        graph,
        {
          xbc: at(inputs, 'xbc'),
          dt: at(inputs, 'dt'),
          A: at(inputs, 'A'),
          D: at(inputs, 'D'),
          dtBias: inputs['dt_bias'],
        },
        { headdim: p, groups: 1, dState: n, reverse },
      ),
  );

const convolution = (
  [batch, length, channels]: readonly [number, number, number],
  outputs: number,
  kernel: number,
  attrs: { stride?: number; padding?: number; groups?: number } = {},
): Case =>
  opCase(
    {
      x: [batch, length, channels],
      weight: [outputs, channels / (attrs.groups ?? 1), kernel],
      bias: [outputs],
    },
    (graph, inputs) => conv1d(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias'), attrs),
  );

const transposed = (length: number, channels: number, outputs: number, kernel: number): Case =>
  opCase(
    { x: [1, length, channels], weight: [channels, outputs, kernel], bias: [outputs] },
    (graph, inputs) =>
      convTranspose1d(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias'), { stride: 2 }),
  );

const batchNorms = (shape: Shape, training: boolean): Case => {
  const channels = shape.at(-1) as number;
  return opCase(
    {
      x: shape,
      weight: [channels],
      bias: [channels],
      ...(!training && {
        mean: { shape: [channels], differentiable: false },
        variance: { shape: [channels], range: [0.5, 2], differentiable: false },
      }),
    },
    (graph, inputs) =>
      batchNorm(
        graph,
        at(inputs, 'x'),
        {
          weight: at(inputs, 'weight'),
          bias: at(inputs, 'bias'),
          runningMean: inputs['mean'],
          runningVar: inputs['variance'],
        },
        // The corner of a ReLU may lie between a value and its float16.
        { training },
      ),
  );
};

const layers = (shape: Shape): Case =>
  opCase({ x: shape, weight: [shape.at(-1) as number], bias: [shape.at(-1) as number] }, (graph, inputs) =>
    layerNorm(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias'), 1e-5),
  );
const rms = (shape: Shape): Case =>
  opCase({ x: shape, weight: [shape.at(-1) as number] }, (graph, inputs) =>
    rmsNorm(graph, at(inputs, 'x'), at(inputs, 'weight'), 1e-5),
  );

const pieces = (sizes: readonly number[]): Case =>
  opCase({ x: [3, 7, sizes.reduce((sum, size) => sum + size, 0)] }, (graph, inputs) => {
    const split = splitChannels(graph, at(inputs, 'x'), sizes);
    return concatChannels(graph, [...split].reverse());
  });

const lossOf = (shape: Shape, focal: boolean): Case =>
  opCase({ logits: shape, target: { shape, range: [0, 1], differentiable: false } }, (graph, inputs) =>
    binaryLoss(graph, at(inputs, 'logits'), at(inputs, 'target'), {
      posWeight: 2,
      ...(focal && { focal: { alpha: 0.5, gamma: 2 } }),
    }),
  );

// Away from the corner, and float16 without rounding.
const corner = Array.from({ length: 1009 }, (_, i) => (i % 3 === 0 ? -1 : 1) * (0.125 + (i % 17)));

export const HALF_CASES: Readonly<Record<string, Case>> = {
  'add [7]': binary(add, [7]),
  'add [3, 5, 8]': binary(add, [3, 5, 8]),
  'multiply [1009]': binary(multiply, [1009]),
  'copy [5]': unary(copy, [5]),
  'silu [3, 67]': unary(silu, [3, 67]),
  'sigmoid [1009]': unary(sigmoid, [1009]),
  'softplus [64]': unary(softplus, [64]),
  'silu_gate [5, 13]': binary(siluGate, [5, 13]),
  'relu [1009]': opCase({ x: { shape: [1009], values: corner } }, (graph, inputs) =>
    relu(graph, at(inputs, 'x')),
  ),
  'dropout [3, 67]': opCase({ x: [3, 67] }, (graph, inputs) => dropout(graph, at(inputs, 'x'), 0.25), {
    step: { step: 3, seed: 7, learningRate: 0 },
  }),
  'dropout1d [2, 9, 12]': opCase(
    { x: [2, 9, 12] },
    (graph, inputs) => dropout1d(graph, at(inputs, 'x'), 0.5),
    {
      step: { step: 3, seed: 7, learningRate: 0 },
    },
  ),
  'flip_time [3, 5, 7]': unary(flipTime, [3, 5, 7]),
  'split, concat 1, 2, 3': pieces([1, 2, 3]),
  'split, concat 4, 12': pieces([4, 12]),
  'embedding [2, 13]': opCase(
    { tokens: { shape: [2, 13], dtype: 'u32', range: [0, 11] }, weight: [11, 5] },
    (graph, inputs) => embedding(graph, at(inputs, 'tokens'), at(inputs, 'weight')),
  ),
  'linear [13, 7] → 5': opCase({ x: [13, 7], weight: [5, 7], bias: [5] }, (graph, inputs) =>
    linear(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias')),
  ),
  'linear [37, 64] → 48': opCase({ x: [37, 64], weight: [48, 64], bias: [48] }, (graph, inputs) =>
    linear(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias')),
  ),
  'conv1d 19 → 8, k 7': convolution([2, 37, 19], 8, 7, { padding: 3 }),
  'conv1d 8 → 12, k 5': convolution([1, 64, 8], 12, 5, { padding: 2 }),
  'conv1d 6 → 6, k 2, stride 2': convolution([2, 18, 6], 6, 2, { stride: 2 }),
  'conv1d 5 → 3, k 1': convolution([1, 41, 5], 3, 1),
  'conv1d depthwise 8, k 5': convolution([2, 67, 8], 8, 5, { padding: 2, groups: 8 }),
  'conv1d depthwise 5, k 3': convolution([1, 67, 5], 5, 3, { padding: 1, groups: 5 }),
  'conv1d 6 → 4, two groups': convolution([1, 23, 6], 4, 3, { padding: 1, groups: 2 }),
  'conv_transpose1d 12 → 8, k 2': transposed(19, 12, 8, 2),
  'conv_transpose1d 5 → 3, k 3': transposed(11, 5, 3, 3),
  'causal_conv1d 5': opCase({ x: [2, 33, 5], weight: [5, 4], bias: [5] }, (graph, inputs) =>
    causalConv1d(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias'), 'silu'),
  ),
  'causal_conv1d 8, in reverse': opCase({ x: [1, 67, 8], weight: [8, 4], bias: [8] }, (graph, inputs) =>
    causalConv1d(graph, at(inputs, 'x'), at(inputs, 'weight'), at(inputs, 'bias'), 'silu', true),
  ),
  'batch_norm [2, 37, 5]': batchNorms([2, 37, 5], true),
  'batch_norm [1, 129, 8]': batchNorms([1, 129, 8], true),
  'batch_norm_evaluation [2, 37, 6]': batchNorms([2, 37, 6], false),
  'layer_norm [9, 37]': layers([9, 37]),
  'layer_norm [5, 512]': layers([5, 512]),
  'rms_norm [9, 37]': rms([9, 37]),
  'rms_norm [5, 256]': rms([5, 256]),
  'ssd_scan 3 heads of 5, 7 states': scan(3, 5, 7, 67, true),
  'ssd_scan 2 heads of 16, 16 states, in reverse': scan(2, 16, 16, 45, false, true),
  'selective_scan 6, 8 states': opCase(
    {
      u: [2, 37, 6],
      delta: { shape: [2, 37, 6], range: [-3, 1] },
      A: { shape: [6, 8], range: [-2, -0.2] },
      B: [2, 37, 8],
      C: [2, 37, 8],
      z: [2, 37, 6],
    },
    (graph, inputs) =>
      selectiveScan(
        graph,
        {
          u: at(inputs, 'u'),
          delta: at(inputs, 'delta'),
          A: at(inputs, 'A'),
          B: at(inputs, 'B'),
          C: at(inputs, 'C'),
          z: at(inputs, 'z'),
        },
        { deltaSoftplus: true },
      ),
    { variants: 'frozen' },
  ),
  'binary_loss [5, 7]': lossOf([5, 7], false),
  'focal loss [1, 129, 1]': lossOf([1, 129, 1], true),
  'softmax_cross_entropy [9, 13]': opCase(
    { logits: [9, 13], target: { shape: [9], dtype: 'u32', range: [0, 13] } },
    (graph, inputs) => softmaxCrossEntropy(graph, at(inputs, 'logits'), at(inputs, 'target')).loss,
  ),
};
