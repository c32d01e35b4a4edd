/** Linear layer: y = x Wᵀ + bias, and the two products of its gradient. */
import columnSumSource from '../../../shaders/column_sum.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Shape, type Tensor } from '../graph';
import { defineOp, type Value64 } from './definition';
import { kernel, read, write } from './kernel';
import { productOp } from './product';
import { sumDefines, sumInOrder } from './sum_in_order';
import { sumPartials } from './sum_partials';

const last = (shape: Shape): number => shape.at(-1) as number;
const rows = (shape: Shape): number => elements(shape) / last(shape);

/** The sizes of a weight, its outputs those of one group. */
function matrix(weight: { shape: Shape }, groups: number): { outputs: number; inputs: number } {
  const [outputs, inputs, ...rest] = weight.shape;
  if (outputs === undefined || inputs === undefined || rest.length > 0)
    throw new GraphError(`weight must be [outputs, inputs], it is ${formatShape(weight.shape)}`);
  if (outputs % groups !== 0)
    throw new GraphError(`${groups} groups do not divide the ${outputs} outputs of the weight`);
  return { outputs: outputs / groups, inputs };
}

/**
 * y = x Wᵀ + bias: x [..., i], weight [o, i], bias [o] → y [..., o]. With groups x is [..., groups · i], and each group of its
 * channels makes a group of the outputs by a group of the weight's lines: a block-diagonal matrix.
 */
export const linearOp = productOp({
  name: 'linear',
  a: 'x',
  aKMajor: true,
  b: 'weight',
  bKMajor: true,
  bias: 'bias',
  output: 'y',
  half: true,
  shape({ x, weight, bias }, groups) {
    const { outputs, inputs } = matrix(weight, groups);
    if (last(x.shape) !== groups * inputs)
      throw new GraphError(`x has ${last(x.shape)} channels, the weight takes ${groups * inputs}`);
    if (bias && formatShape(bias.shape) !== formatShape([groups * outputs]))
      throw new GraphError(`bias must be [${groups * outputs}], it is ${formatShape(bias.shape)}`);
    return { m: rows(x.shape), n: outputs, k: inputs, shape: [...x.shape.slice(0, -1), groups * outputs] };
  },
  gradient: ({ graph, inputs: { x, weight, bias }, attrs, cotangents: { y: dy }, needs }) => ({
    x: dy && needs('x') ? graph.apply(linearInputGradientOp, { dy, weight }, attrs).dx : undefined,
    weight: dy && needs('weight') ? graph.apply(linearWeightGradientOp, { dy, x }, attrs).dweight : undefined,
    bias: dy && bias && needs('bias') ? graph.apply(columnSumOp, { x: dy }, {}).y : undefined,
  }),
});

/** dx = dy W: dy [..., o], weight [o, i] → dx [..., i]. */
export const linearInputGradientOp = productOp({
  name: 'linear_input_gradient',
  a: 'dy',
  aKMajor: true,
  b: 'weight',
  bKMajor: false,
  output: 'dx',
  half: true,
  shape({ dy, weight }, groups) {
    const { outputs, inputs } = matrix(weight, groups);
    return { m: rows(dy.shape), n: inputs, k: outputs, shape: [...dy.shape.slice(0, -1), groups * inputs] };
  },
  gradient: null,
});

/** dW = dyᵀ x: dy [..., o], x [..., i] → dweight [o, i]. */
export const linearWeightGradientOp = productOp({
  name: 'linear_weight_gradient',
  a: 'dy',
  aKMajor: false,
  b: 'x',
  bKMajor: false,
  output: 'dweight',
  half: false,
  shape({ dy, x }, groups) {
    if (rows(dy.shape) !== rows(x.shape)) throw new GraphError('dy and x must have the same number of rows');
    const [m, n] = [last(dy.shape) / groups, last(x.shape) / groups];
    return { m, n, k: rows(x.shape), shape: [groups * m, n] };
  },
  gradient: null,
});

/** Rows one thread of the first stage adds: where threads are dear, more. */
const SPANS = { software: 128, gpu: 32 } as const;

/** y[c] = Σ_r x[r, c]: the gradient of a bias. x [..., c] → y [c]. */
export const columnSumOp = defineOp({
  name: 'column_sum',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  shape: ({ x }) => ({ y: { shape: [last(x.shape)], dtype: 'f32' } }),
  kernels({ inputs: { x }, outputs: { y } }, lowering) {
    const columns = last(x.shape);
    const SPAN = SPANS[lowering.software ? 'software' : 'gpu'];
    const split = Math.ceil(rows(x.shape) / SPAN);
    const partial = split > 1 ? lowering.scratch('partial', [split, columns]) : y;
    const spans = kernel({
      name: 'column_sum',
      source: sumInOrder + columnSumSource,
      defines: sumDefines('read_x', lowering.software),
      sizes: { ROWS: rows(x.shape), COLUMNS: columns, SPLIT: split, SPAN },
      bindings: [read('x', x), write('partial', partial)],
      threads: split * columns,
    });
    return split > 1 ? [spans, sumPartials(partial, y, split, lowering)] : [spans];
  },
  gradient: null,
  reference: ({ x }: { x: Value64 }) => {
    const columns = last(x.shape);
    const y = new Float64Array(columns);
    x.data.forEach((value, i) => (y[i % columns] = (y[i % columns] as number) + value));
    return { y };
  },
  cost: ({ inputs: { x }, outputs: { y } }) => ({ flops: elements(x.shape), bytes: bytesOf(x) + bytesOf(y) }),
});

/** x [..., i] times the transpose of weight [o, i], plus bias [o] where given: [..., o]; see linearOp. */
export const linear = (graph: Graph, x: Tensor, weight: Tensor, bias?: Tensor, groups = 1): Tensor =>
  graph.apply(linearOp, { x, weight, bias }, { groups }).y;
