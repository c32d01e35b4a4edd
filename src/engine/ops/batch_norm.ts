/** BatchNorm over [..., channels] (Ioffe & Szegedy 2015), with ReLU where asked for; shaders/batch_norm.wgsl. */
import {
  bytesOf,
  elements,
  formatShape,
  GraphError,
  type Graph,
  type Tensor,
  type TensorSpec,
} from '../graph';
import { batchNormBackwardOp } from './batch_norm_backward';
import { divide, rowsOf, width, type Activated } from './batch_norm_shared';
import { defineOp, type Builder, type Dispatch, type Lowering, type Value64 } from './definition';
import { read, readWrite, write } from './kernel';
import { columnSumOp } from './linear';

export interface BatchNormAttrs extends Activated {
  /** Added to the variance. */
  readonly eps: number;
  /** Share of the running statistics that one training step replaces. */
  readonly momentum: number;
}

/** Threads that share the merge of a column's moments on a GPU. On CPU-backed adapters barriers are dear. */
const TEAM = 64;

/** Throws GraphError unless each of `weights` is [c] for x [..., c]. */
function shapes(x: Tensor, weights: Readonly<Record<string, Tensor | undefined>>) {
  const size = width(x.shape);
  for (const [name, tensor] of Object.entries(weights))
    if (tensor && formatShape(tensor.shape) !== formatShape([size]))
      throw new GraphError(`${name} must be [${size}], it is ${formatShape(tensor.shape)}`);
  const y: TensorSpec = { shape: x.shape, dtype: 'f32' };
  const stats: TensorSpec = { shape: [2, size], dtype: 'f32' };
  return { y, stats };
}

const cost = (tensors: readonly Tensor[], x: Tensor) => ({
  flops: 12 * elements(x.shape),
  bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
});

/**
 * Training: the statistics are those of x's own rows. x [..., c], weight and bias [c] → y [..., c] and stats [2, c], which
 * are μ − x's first row and 1/√(var + ε). Running statistics, where given, move by `momentum` towards μ and the unbiased
 * variance, as in PyTorch. x is short of `shift` [c], the bias of the convolution before: no statistics of x + shift but μ
 * depend on it, so that adding it and its gradient, which is 0, would be two passes for nothing.
 */
export const batchNormOp = defineOp({
  name: 'batch_norm',
  inputs: ['x', 'weight', 'bias'],
  optional: ['shift', 'running_mean', 'running_var'],
  outputs: ['y', 'stats'],
  half: ['y'],
  mutates: ['running_mean', 'running_var'],
  shape({ x, weight, bias, shift, running_mean, running_var }, { eps, momentum }: BatchNormAttrs) {
    if (rowsOf(x.shape) < 2)
      throw new GraphError('one value a channel has no variance: training needs more than one');
    if (!running_mean !== !running_var) throw new GraphError('running_mean and running_var go together');
    if (!(eps >= 0 && momentum >= 0 && momentum <= 1))
      throw new GraphError(`eps ${eps} must not be negative, momentum ${momentum} must lie between 0 and 1`);
    return shapes(x, { weight, bias, shift, running_mean, running_var });
  },
  kernels({ inputs, outputs: { y, stats }, attrs }, lowering) {
    const { x, weight, bias, shift, running_mean, running_var } = inputs;
    const { type, size, d, runs, stage } = divide(x, attrs, lowering);
    const moments = lowering.scratch('moments', [runs, 2, size]);
    const LANES = lowering.software ? 1 : TEAM;
    const workgroup = lowering.software ? 64 : 4 * TEAM;
    const running =
      running_mean && running_var
        ? [
            read('x', x, type),
            readWrite('running_mean', running_mean, type),
            readWrite('running_var', running_var, type),
            ...(shift ? [read('shift', shift, type)] : []),
          ]
        : [];
    const dispatches = [
      stage('batch_norm.moments', { MOMENTS: true }, [read('x', x, type), write('moments', moments, type)]),
      stage(
        'batch_norm.merge',
        {
          MERGE: true,
          RUNNING: running.length > 0,
          BITS: type === 'vec4f' ? 'vec4u' : 'u32',
          SHIFT: shift !== undefined,
          LANES,
          EPS: attrs.eps,
          MOMENTUM: attrs.momentum,
        },
        [read('moments', moments, type), write('stats', stats, type), ...running],
        { workgroup, workgroups: Math.ceil((d * LANES) / workgroup) },
      ),
    ];
    if (lowering.isUsed(y)) dispatches.push(apply(x, weight, bias, stats, y, attrs, lowering));
    return dispatches;
  },
  gradient: ({ graph, inputs, outputs: { stats }, attrs, cotangents: { y: dy } }) => {
    const { x, weight, bias, shift } = inputs;
    return {
      ...backward(graph, { x, weight, bias, stats, dy }, attrs, false),
      shift: shift && dy && graph.constant('zero', shift.shape, new Float32Array(elements(shift.shape))),
    };
  },
  reference(inputs, { eps, momentum, activation }) {
    const { x, weight, bias, shift, running_mean, running_var } = inputs;
    const size = width(x.shape);
    const rows = rowsOf(x.shape);
    const mean = new Float64Array(size);
    x.data.forEach((value, i) => (mean[i % size] = at(mean, i % size) + value / rows));
    const variance = new Float64Array(size);
    x.data.forEach((value, i) => {
      variance[i % size] = at(variance, i % size) + (value - at(mean, i % size)) ** 2 / rows;
    });
    const stats = new Float64Array(2 * size);
    for (let c = 0; c < size; c++) {
      stats[c] = at(mean, c) - at(x.data, c);
      stats[size + c] = 1 / Math.sqrt(at(variance, c) + eps);
    }
    const moved = (running: Value64, now: Float64Array, factor: number): Float64Array =>
      running.data.map((old, c) => (1 - momentum) * old + momentum * factor * at(now, c));
    return {
      y: applyReference(x, weight, bias, stats, activation),
      stats,
      ...(running_mean && {
        running_mean: moved(
          running_mean,
          mean.map((value, c) => value + (shift ? at(shift.data, c) : 0)),
          1,
        ),
      }),
      ...(running_var && { running_var: moved(running_var, variance, rows / (rows - 1)) }),
    };
  },
  cost: ({ inputs: { x, weight, bias }, outputs: { y } }) => cost([x, x, weight, bias, y], x),
});

/** Evaluation: y [..., c] and stats [2, c] as in training, but from the running statistics [c]. */
export const batchNormEvaluationOp = defineOp({
  name: 'batch_norm_evaluation',
  inputs: ['x', 'weight', 'bias', 'running_mean', 'running_var'],
  optional: ['shift'],
  outputs: ['y', 'stats'],
  half: ['y'],
  shape: ({ x, ...weights }, _: Activated & { readonly eps: number }) => shapes(x, weights),
  kernels({ inputs, outputs: { y, stats }, attrs }, lowering) {
    const { x, weight, bias, shift, running_mean, running_var } = inputs;
    const { type, d, stage } = divide(x, attrs, lowering);
    return [
      stage(
        'batch_norm.fixed',
        { FIXED: true, SHIFT: shift !== undefined, EPS: attrs.eps },
        [
          read('x', x, type),
          read('running_mean', running_mean, type),
          read('running_var', running_var, type),
          ...(shift ? [read('shift', shift, type)] : []),
          write('stats', stats, type),
        ],
        { threads: d },
      ),
      apply(x, weight, bias, stats, y, attrs, lowering),
    ];
  },
  gradient({ graph, inputs, outputs: { stats }, attrs, cotangents: { y: dy }, needs }) {
    if (needs('running_mean') || needs('running_var'))
      throw new GraphError('running statistics have no gradient');
    const { x, weight, bias, shift } = inputs;
    const gradients = backward(graph, { x, weight, bias, stats, dy }, attrs, true);
    return {
      ...gradients,
      shift:
        shift && gradients.x && needs('shift')
          ? graph.apply(columnSumOp, { x: gradients.x }, {}).y
          : undefined,
    };
  },
  reference({ x, weight, bias, shift, running_mean, running_var }, { eps, activation }) {
    const size = width(x.shape);
    const stats = Float64Array.from([
      ...running_mean.data.map((mean, c) => mean - at(x.data, c) - (shift ? at(shift.data, c) : 0)),
      ...running_var.data.map((variance) => 1 / Math.sqrt(variance + eps)),
    ]);
    return { y: applyReference(x, weight, bias, stats, activation), stats: stats.subarray(0, 2 * size) };
  },
  cost: ({ inputs: { x, weight, bias }, outputs: { y } }) => cost([x, weight, bias, y], x),
});

function apply(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  stats: Tensor,
  y: Tensor,
  attrs: Activated,
  lowering: Lowering,
): Dispatch {
  const { type, stage } = divide(x, attrs, lowering);
  return stage('batch_norm.apply', { APPLY: true }, [
    read('x', x, type),
    read('weight', weight, type),
    read('bias', bias, type),
    read('stats', stats, type),
    write('y', y, type),
  ]);
}

function backward(
  graph: Builder,
  { dy, ...inputs }: { x: Tensor; weight: Tensor; bias: Tensor; stats: Tensor; dy: Tensor | undefined },
  { activation }: Activated,
  fixed: boolean,
): { readonly x?: Tensor; readonly weight?: Tensor; readonly bias?: Tensor } {
  if (!dy) return {};
  const { dx, dweight, dbias } = graph.apply(batchNormBackwardOp, { ...inputs, dy }, { activation, fixed });
  return { x: dx, weight: dweight, bias: dbias };
}

const at = (data: Float64Array, i: number): number => data[i] as number;

function applyReference(
  x: Value64,
  weight: Value64,
  bias: Value64,
  stats: Float64Array,
  activation: Activated['activation'],
): Float64Array {
  const size = width(x.shape);
  return x.data.map((value, i) => {
    const c = i % size;
    const normal = (value - at(x.data, c) - at(stats, c)) * at(stats, size + c);
    const y = normal * at(weight.data, c) + at(bias.data, c);
    return activation === 'relu' ? Math.max(y, 0) : y;
  });
}

export interface BatchNormWeights {
  readonly weight: Tensor;
  readonly bias: Tensor;
  /** [c]: what the layer before was to add to x. */
  readonly shift?: Tensor | undefined;
  /** Buffers [c]: written in training, where they may be left out, and read in evaluation. */
  readonly runningMean?: Tensor | undefined;
  readonly runningVar?: Tensor | undefined;
}

export interface BatchNormOptions {
  readonly training: boolean;
  /** 1e-5 and 0.1 if left out, as in PyTorch. */
  readonly eps?: number;
  readonly momentum?: number;
  /** ReLU of the result, in the same pass. */
  readonly activation?: Activated['activation'];
}

/** y [..., c] of x [..., c], or of x + shift. */
export function batchNorm(
  graph: Graph,
  x: Tensor,
  { weight, bias, shift, runningMean, runningVar }: BatchNormWeights,
  { training, eps = 1e-5, momentum = 0.1, activation = 'none' }: BatchNormOptions,
): Tensor {
  if (training) {
    const inputs = { x, weight, bias, shift, running_mean: runningMean, running_var: runningVar };
    return graph.apply(batchNormOp, inputs, { eps, momentum, activation }).y;
  }
  if (!runningMean || !runningVar)
    throw new GraphError('batch_norm: evaluation needs running_mean and running_var');
  const inputs = { x, weight, bias, shift, running_mean: runningMean, running_var: runningVar };
  return graph.apply(batchNormEvaluationOp, inputs, { eps, activation }).y;
}
