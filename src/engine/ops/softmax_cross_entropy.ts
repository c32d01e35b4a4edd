/** Softmax cross-entropy over the last axis, averaged over the rows that have a target. */
import source from '../../../shaders/softmax_cross_entropy.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Shape, type Tensor } from '../graph';
import { defineOp, type Value64, type Variant } from './definition';
import { kernel, read, write } from './kernel';

/** A target that counts for nothing: neither loss nor accuracy nor gradient. */
export const IGNORE = 0xffffffff;

const vocabularyOf = (logits: Shape): number => logits.at(-1) as number;
const rowsOf = (logits: Shape): number => elements(logits) / vocabularyOf(logits);

function checkTarget({ logits, target }: { logits: Tensor; target: Tensor }): void {
  if (target.dtype !== 'u32') throw new GraphError(`target must be u32, it is ${target.dtype}`);
  const shape = formatShape(logits.shape.slice(0, -1));
  if (formatShape(target.shape) !== shape)
    throw new GraphError(`target must be ${shape}, it is ${formatShape(target.shape)}`);
}

const lanes = (LANES: number): Variant => ({
  name: LANES === 1 ? 'a lane a row' : `${LANES} lanes a row`,
  LANES,
});

const WORKGROUP = 64;
const NONE = { ROWS_KERNEL: false, MEAN: false, BACKWARD: false, IGNORE };

/**
 * logits [..., v], target [...] of u32 → loss [1], the mean of −log softmax(logits)[target] over the targets that are
 * not IGNORE, 0 if there are none; correct [1], the share of them that is predicted; predicted [...], the largest
 * logit's index, the lowest of equals; lse [rows, 2], the largest logit m and log Σ exp(logit − m), and counted [1], the
 * number of targets that are not IGNORE, both for the backward pass. Only loss has a gradient.
 * A target outside the vocabulary counts as the last token; the reference throws.
 */
export const softmaxCrossEntropyOp = defineOp({
  name: 'softmax_cross_entropy',
  inputs: ['logits', 'target'],
  optional: [],
  outputs: ['loss', 'correct', 'predicted', 'lse', 'counted'],
  shape({ logits, target }) {
    checkTarget({ logits, target });
    return {
      loss: { shape: [1], dtype: 'f32' },
      correct: { shape: [1], dtype: 'f32' },
      predicted: { shape: target.shape, dtype: 'u32' },
      lse: { shape: [rowsOf(logits.shape), 2], dtype: 'f32' },
      counted: { shape: [1], dtype: 'f32' },
    };
  },
  variants: ({ inputs: { logits } }) =>
    vocabularyOf(logits.shape) < WORKGROUP ? [lanes(1)] : [lanes(1), lanes(WORKGROUP)],
  kernels({ inputs: { logits, target }, outputs }, lowering, variant) {
    const { loss, correct, predicted, lse, counted } = outputs;
    const rows = rowsOf(logits.shape);
    const LANES = Number(variant?.['LANES'] ?? 1);
    const losses = lowering.scratch('losses', [rows]);
    const defines = { ...NONE, ROWS: rows, V: vocabularyOf(logits.shape), LANES };
    return [
      kernel({
        name: 'softmax_cross_entropy',
        source,
        defines: { ...defines, ROWS_KERNEL: true },
        bindings: [
          read('logits', logits),
          read('target_', target),
          write('predicted', predicted),
          write('lse', lse),
          write('losses', losses),
        ],
        workgroup: WORKGROUP,
        workgroups: Math.ceil((rows * LANES) / WORKGROUP),
      }),
      kernel({
        name: 'softmax_cross_entropy.mean',
        source,
        defines: { ...defines, MEAN: true },
        bindings: [
          read('losses', losses),
          read('target_', target),
          read('predicted', predicted),
          write('loss', loss),
          write('correct', correct),
          write('counted', counted),
        ],
        workgroup: WORKGROUP,
        workgroups: 1,
      }),
    ];
  },
  gradient({ graph, inputs: { logits, target }, outputs: { lse, counted }, cotangents: { loss: dloss } }) {
    if (!dloss) return {};
    const inputs = { logits, target, lse, counted, dloss };
    return { logits: graph.apply(softmaxCrossEntropyBackwardOp, inputs, {}).dlogits };
  },
  reference({ logits, target }) {
    const v = vocabularyOf(logits.shape);
    const rows = rowsOf(logits.shape);
    const predicted = new Float64Array(rows);
    const lse = new Float64Array(2 * rows);
    let [loss, right, counted] = [0, 0, 0];
    checkedTargets(target, v).forEach((wanted, row) => {
      const values = logits.data.subarray(row * v, row * v + v);
      const largest = values.reduce((max, value) => Math.max(max, value), -Infinity);
      const index = values.indexOf(largest);
      const rest = values.reduce((sum, value, i) => (i === index ? sum : sum + Math.exp(value - largest)), 0);
      predicted[row] = index;
      lse.set([largest, Math.log1p(rest)], 2 * row);
      if (wanted === IGNORE) return;
      loss += Math.log1p(rest) - ((values[wanted] as number) - largest);
      right += Number(index === wanted);
      counted++;
    });
    const over = Math.max(counted, 1);
    return {
      loss: Float64Array.of(loss / over),
      correct: Float64Array.of(right / over),
      predicted,
      lse,
      counted: Float64Array.of(counted),
    };
  },
  cost: ({ inputs: { logits, target }, outputs: { predicted, lse } }) => ({
    flops: 5 * elements(logits.shape),
    bytes: [logits, target, predicted, lse].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** dlogits = (softmax(logits) − one-hot(target)) · dloss / counted, 0 in rows that are ignored. */
export const softmaxCrossEntropyBackwardOp = defineOp({
  name: 'softmax_cross_entropy_backward',
  inputs: ['logits', 'target', 'lse', 'counted', 'dloss'],
  optional: [],
  outputs: ['dlogits'],
  half: ['dlogits'],
  shape: ({ logits }) => ({ dlogits: { shape: logits.shape, dtype: 'f32' } }),
  kernels({ inputs: { logits, target, lse, counted, dloss }, outputs: { dlogits } }) {
    const v = vocabularyOf(logits.shape);
    const vector = v % 4 === 0;
    const type = vector ? 'vec4f' : 'f32';
    const rows = rowsOf(logits.shape);
    const d = vector ? v / 4 : v;
    return [
      kernel({
        name: 'softmax_cross_entropy_backward',
        source,
        defines: { ...NONE, BACKWARD: true, ROWS: rows, V: v, D: d, VECTOR: vector, TYPE: type },
        bindings: [
          read('logits', logits, type),
          read('target_', target),
          read('lse', lse),
          read('counted', counted),
          read('dloss', dloss),
          write('dlogits', dlogits, type),
        ],
        threads: rows * d,
      }),
    ];
  },
  gradient: null,
  reference({ logits, target, lse, counted, dloss }) {
    const v = vocabularyOf(logits.shape);
    const scale = (dloss.data[0] as number) / (counted.data[0] as number);
    const targets = checkedTargets(target, v);
    return {
      dlogits: logits.data.map((value, i) => {
        const row = Math.floor(i / v);
        if (targets[row] === IGNORE) return 0;
        const u = value - (lse.data[2 * row] as number) - (lse.data[2 * row + 1] as number);
        return (i % v === targets[row] ? Math.expm1(u) : Math.exp(u)) * scale;
      }),
    };
  },
  cost: ({ inputs: { logits, target, lse }, outputs: { dlogits } }) => ({
    flops: 4 * elements(logits.shape),
    bytes: [logits, target, lse, dlogits].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  }),
});

/** The targets; throws RangeError for one that is neither IGNORE nor in the vocabulary. */
function checkedTargets({ data }: Value64, vocabulary: number): Float64Array {
  const wrong = data.find((token) => token !== IGNORE && token >= vocabulary);
  if (wrong !== undefined) throw new RangeError(`target ${wrong} is outside the vocabulary of ${vocabulary}`);
  return data;
}

/** Mean loss [1], share of right predictions [1] and predicted tokens [...] of logits [..., v] and target [...]. */
export function softmaxCrossEntropy(
  graph: Graph,
  logits: Tensor,
  target: Tensor,
): { loss: Tensor; correct: Tensor; predicted: Tensor } {
  const { loss, correct, predicted } = graph.apply(softmaxCrossEntropyOp, { logits, target }, {});
  return { loss, correct, predicted };
}
