/** Binary cross-entropy and focal loss with logits, averaged over all elements. */
import activation from '../../../shaders/activation.wgsl?raw';
import source from '../../../shaders/binary_loss.wgsl?raw';
import { bytesOf, elements, GraphError, type Graph, type Tensor } from '../graph';
import { defineOp, type Value64 } from './definition';
import { sameShape } from './elementwise';
import { kernel, read, write } from './kernel';
import { sumDefines, sumInOrder } from './sum_in_order';

export interface BinaryLossAttrs {
  /** Multiplies the loss of positive targets; above 0. */
  readonly posWeight: number;
  /** The focal loss of Lin et al. 2017; without it, cross-entropy. */
  readonly focal?: { readonly alpha: number; readonly gamma: number } | undefined;
}

/** Values a thread of the first stage adds at least, and the maximum of its threads. */
const SHORTEST_SPAN = 16;
const MAX_PARTIALS = 16_384;
/** Threads of the second stage. */
const LANES = 256;

const literal = (value: number): string => (Number.isInteger(value) ? value.toFixed(1) : String(value));

const definesOf = (logits: Tensor, { posWeight, focal }: BinaryLossAttrs) => ({
  COUNT: elements(logits.shape),
  PARTIALS: Math.min(Math.ceil(elements(logits.shape) / SHORTEST_SPAN), MAX_PARTIALS),
  POS_WEIGHT: literal(posWeight),
  FOCAL: focal !== undefined,
  ALPHA: literal(focal?.alpha ?? 0.5),
  GAMMA: literal(focal?.gamma ?? 0),
  TYPE: 'f32',
  PARTIAL: false,
  MEAN: false,
  BACKWARD: false,
});

const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** One element's loss and its slope by the logit z, in float64. */
function element(z: number, y: number, { posWeight, focal }: BinaryLossAttrs) {
  const entropy = posWeight * y * softplus(-z) + (1 - y) * softplus(z);
  const slope = (1 - y) * sigmoid(z) - posWeight * y * sigmoid(-z);
  if (!focal) return { loss: entropy, slope };
  const { alpha, gamma } = focal;
  const weight = alpha * y + (1 - alpha) * (1 - y);
  const wrong = sigmoid(z) * (1 - y) + sigmoid(-z) * y;
  const turn = gamma * wrong ** (gamma - 1) * sigmoid(z) * sigmoid(-z) * (1 - 2 * y);
  return {
    loss: weight * wrong ** gamma * entropy,
    slope: weight * (wrong ** gamma * slope + turn * entropy),
  };
}

/** logits and target of one shape, targets in [0, 1] → loss [1]. Only the logits have a gradient. */
export const binaryLossOp = defineOp({
  name: 'binary_loss',
  inputs: ['logits', 'target'],
  optional: [],
  outputs: ['loss'],
  shape(inputs, { posWeight }: BinaryLossAttrs) {
    sameShape(inputs);
    if (!(posWeight > 0)) throw new GraphError(`pos_weight must be above 0, it is ${posWeight}`);
    return { loss: { shape: [1], dtype: 'f32' } };
  },
  kernels({ inputs: { logits, target }, outputs: { loss }, attrs }, lowering) {
    const defines = definesOf(logits, attrs);
    const partial = lowering.scratch('partial', [defines.PARTIALS]);
    return [
      kernel({
        name: 'binary_loss.partial',
        source: activation + sumInOrder + source,
        defines: { ...defines, PARTIAL: true, ...sumDefines('loss_of', lowering.software) },
        bindings: [read('logits', logits), read('target_', target), write('partial', partial)],
        threads: defines.PARTIALS,
      }),
      kernel({
        name: 'binary_loss',
        source: sumInOrder + source,
        defines: { ...defines, MEAN: true, ...sumDefines('read_partial', lowering.software, LANES) },
        bindings: [read('partial', partial), write('loss', loss)],
        workgroup: LANES,
        workgroups: 1,
      }),
    ];
  },
  gradient: ({ graph, inputs, attrs, cotangents: { loss: dloss } }) => ({
    logits: dloss && graph.apply(binaryLossBackwardOp, { ...inputs, dloss }, attrs).dlogits,
  }),
  reference: ({ logits, target }, attrs) => ({
    loss: Float64Array.of(
      logits.data.reduce((sum, z, i) => sum + element(z, target.data[i] as number, attrs).loss, 0) /
        logits.data.length,
    ),
  }),
  cost: ({ inputs: { logits, target } }) => ({
    flops: 20 * elements(logits.shape),
    bytes: bytesOf(logits) + bytesOf(target) + 4,
  }),
});

/** logits and target of one shape, dloss [1] → dlogits of that shape. */
export const binaryLossBackwardOp = defineOp({
  name: 'binary_loss_backward',
  inputs: ['logits', 'target', 'dloss'],
  optional: [],
  outputs: ['dlogits'],
  half: ['dlogits'],
  shape: ({ logits }, _: BinaryLossAttrs) => ({ dlogits: { shape: logits.shape, dtype: 'f32' } }),
  kernels: ({ inputs: { logits, target, dloss }, outputs: { dlogits }, attrs }) => [
    kernel({
      name: 'binary_loss_backward',
      source: activation + source,
      defines: { ...definesOf(logits, attrs), BACKWARD: true },
      bindings: [
        read('logits', logits),
        read('target_', target),
        read('dloss', dloss),
        write('dlogits', dlogits),
      ],
      threads: elements(logits.shape),
    }),
  ],
  gradient: null,
  reference: ({ logits, target, dloss }, attrs) => ({
    dlogits: logits.data.map(
      (z, i) => (element(z, at(target, i), attrs).slope * at(dloss, 0)) / logits.data.length,
    ),
  }),
  cost: ({ inputs: { logits, target }, outputs: { dlogits } }) => ({
    flops: 30 * elements(logits.shape),
    bytes: [logits, target, dlogits].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

const at = ({ data }: Value64, i: number): number => data[i] as number;

/** Mean loss [1] of logits and targets of one shape. */
export const binaryLoss = (graph: Graph, logits: Tensor, target: Tensor, attrs: BinaryLossAttrs): Tensor =>
  graph.apply(binaryLossOp, { logits, target }, attrs).loss;
