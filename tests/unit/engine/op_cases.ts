/** Cases of every op, at sizes that are odd, prime or divided by four. Elementwise ops have theirs by being there. */
import type { Graph, Tensor } from '../../../src/engine/graph';
import { batchNorm } from '../../../src/engine/ops/batch_norm';
import { accumulate } from '../../../src/engine/ops/accumulate';
import { adamw } from '../../../src/engine/ops/adamw';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { causalConv1d } from '../../../src/engine/ops/causal_conv1d';
import { concatChannels, splitChannels } from '../../../src/engine/ops/split_concat';
import { conv1d } from '../../../src/engine/ops/conv1d';
import { convTranspose1d } from '../../../src/engine/ops/conv_transpose1d';
import { dropout, dropout1d } from '../../../src/engine/ops/dropout';
import { embedding } from '../../../src/engine/ops/embedding';
import { flipTime } from '../../../src/engine/ops/flip_time';
import { globalNorm } from '../../../src/engine/ops/global_norm';
import { layerNorm } from '../../../src/engine/ops/layer_norm';
import { linear } from '../../../src/engine/ops/linear';
import { rmsNorm } from '../../../src/engine/ops/rms_norm';
import { selectiveScan } from '../../../src/engine/ops/selective_scan';
import { softmaxCrossEntropy } from '../../../src/engine/ops/softmax_cross_entropy';
import { ssdScan } from '../../../src/engine/ops/ssd_scan';
import type { Shape } from '../../../src/engine/graph';
import type { AnyOp } from '../../../src/engine/ops/definition';
import { isElementwise, OPS } from './all_ops';
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
    ...settings,
  };
}

const unary = (op: (graph: Graph, x: Tensor) => Tensor, shape: Shape): Case =>
  opCase({ x: shape }, (graph, inputs) => op(graph, at(inputs, 'x')));

/** Both signs up to 6, and no value so near to 0, where an activation may have a corner, that a finite step crosses it. */
const AWAY_FROM_ZERO = Array.from(
  { length: 1009 },
  (_, i) => (i % 3 === 0 ? -1 : 1) * (0.1 + ((i * 37) % 59) / 10),
);

/** A case of an elementwise op. */
export const elementwiseCase = (op: AnyOp, shape: Shape): Case => {
  const [first, ...others] = op.inputs as [string, ...string[]];
  const ranged = others.map((name): [string, InputSpec] => [name, { shape, range: [-3, 1] }]);
  return {
    inputs: { [first]: { shape, values: AWAY_FROM_ZERO }, ...Object.fromEntries(ranged) },
    build: (graph, inputs) => ({ y: graph.apply(op, inputs, {})[op.outputs[0] as string] as Tensor }),
  };
};

/** Elementwise ops that are differentiated; the others are the gradients of these. */
export const DIFFERENTIATED = OPS.filter((op) => isElementwise(op) && op.gradient !== null);

/** The sizes are those of ssd_scan.test.ts: others would be other texts to compile. */
const scan = (h: number, p: number, g: number, n: number, l: number, bias: boolean, reverse = false): Case =>
  opCase(
    {
      xbc: [2, l, h * p + 2 * g * n],
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
        { headdim: p, groups: g, dState: n, reverse },
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

export const OP_CASES: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    DIFFERENTIATED.flatMap((op) =>
      [[7], [3, 5, 8]].map((shape) => [`${op.name} [${shape.join(', ')}]`, elementwiseCase(op, shape)]),
    ),
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
  'ssd_scan 4 heads of 7, 2 groups of 5 states': scan(4, 7, 2, 5, 67, true),
  'ssd_scan 4 heads of 16, 2 groups of 16 states, in reverse': scan(4, 16, 2, 16, 45, false, true),
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
  'global_norm [192]': {
    ...opCase({ gradient: [192] }, (graph, inputs) => globalNorm(graph, at(inputs, 'gradient'))),
    differentiate: [],
  },
  'accumulate [192]': {
    inputs: { accumulated: { shape: [192] }, gradient: { shape: [192] } },
    differentiate: [],
    step: { step: 1, seed: 0, learningRate: 0, micro: { index: 1, count: 3 } },
    build: (graph, inputs) => {
      const accumulated = at(inputs, 'accumulated');
      accumulate(graph, { accumulated, gradient: at(inputs, 'gradient') });
      return { accumulated };
    },
  },
  'adamw [192]': {
    inputs: {
      value: { shape: [192] },
      gradient: { shape: [192] },
      first_moment: { shape: [192] },
      second_moment: { shape: [192], range: [0.1, 2] },
      norm: { shape: [1], range: [2, 3] },
    },
    differentiate: [],
    step: { step: 3, seed: 0, learningRate: 0.01 },
    build: (graph, inputs) => {
      const [value, gradient] = [at(inputs, 'value'), at(inputs, 'gradient')];
      const moments = {
        first_moment: at(inputs, 'first_moment'),
        second_moment: at(inputs, 'second_moment'),
      };
      const attrs = { weightDecay: 0.1, decayed: 128, clip: 1 };
      adamw(graph, { value, gradient, ...moments, norm: at(inputs, 'norm') }, attrs);
      return { value, ...moments };
    },
  },
};
