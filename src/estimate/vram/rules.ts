/**
 * PyTorch's memory rules for every op of the detector's graph, read in PyTorch 2.2: what is saved stands in
 * tools/autograd/derivatives.yaml, what autocast casts in aten/src/ATen/autocast_mode.cpp (KERNEL_CUDA lists), and what
 * an operation allocates in its ATen implementation, named at each rule.
 *
 * The engine's graph differs from PyTorch's in three places: a convolution before BatchNorm has its bias there (`shift`),
 * BatchNorm and ReLU are one node, and Mamba-2 is several nodes where PyTorch runs one fused function (mamba2.ts).
 */
import { elements, GraphError, type Node, type Tensor } from '../../engine/graph';
import type { DropoutAttrs } from '../../engine/ops/dropout';
import type { Recorder } from './recorder';
import {
  BYTES,
  fixed,
  perWindow,
  plus,
  type InputGradient,
  type Scratch,
  type Size,
  type Value,
} from './tape';

export type Rule = (recorder: Recorder, node: Node) => void;

/** By name of the op. Mamba-2's are one function in PyTorch, whose rules go by node (mamba2.ts). */
export const RULES: Readonly<Record<string, Rule>> = {
  add: addition,
  batch_norm: batchNorm,
  binary_loss: loss,
  concat,
  conv1d: convolution,
  conv_transpose1d: convolution,
  dropout,
  flip_time: flip,
  layer_norm: layerNorm,
  linear: projected,
  relu,
};

/** A tensor of a node by its role. Throws GraphError where the op has none: then op and rule no longer agree. */
export function tensorOf(node: Node, side: 'inputs' | 'outputs', name: string): Tensor {
  const tensor = node[side][name];
  if (!tensor)
    throw new GraphError(`${node.label} has no ${name}, which its rule for PyTorch’s memory needs`);
  return tensor;
}

const made = (of: Value, ...scratch: Scratch[]): InputGradient => ({ of, memory: 'new', scratch });

/** Where cuDNN has tensor cores compute, it lays what it reads and writes out anew (NCHW to NHWC). */
const workspace = (...sizes: Size[]): Scratch => ({
  name: 'cuDNN workspace',
  size: sizes.reduce(plus),
  workspace: true,
});

/**
 * Conv1d and ConvTranspose1d: `convolution` and `convolution_backward` save input and weight. Autocast: lower precision,
 * input, weight and bias cast. Depthwise convolutions have kernels of their own, which take no workspace but want their
 * input contiguous, and the mixer's is a transposed view.
 */
function convolution(recorder: Recorder, node: Node): void {
  const bias = node.inputs.bias ?? recorder.biasAfter(tensorOf(node, 'outputs', 'y'));
  const x = recorder.lower(recorder.value(tensorOf(node, 'inputs', 'x')));
  const weightTensor = tensorOf(node, 'inputs', 'weight');
  const weight = recorder.lower(recorder.value(weightTensor));
  const shift = bias && recorder.lower(recorder.value(bias));
  const target = tensorOf(node, 'outputs', 'y');
  const size = recorder.sized(target.shape, x.dtype);
  const y = recorder.output(node.op.name, { size, dtype: x.dtype });
  const depthwise =
    node.op.name === 'conv1d' && weightTensor.shape[1] === 1 && x.size.perWindow === size.perWindow;
  const contiguous = (name: string, copied: Size): Scratch => ({
    name: `${name}, contiguous`,
    size: copied,
    workspace: false,
  });
  const scratch = depthwise ? [contiguous(x.name, x.size)] : [workspace(x.size, size, weight.size)];
  recorder.emit(node.op.name, {
    reads: [x, weight, ...(shift ? [shift] : [])],
    writes: [y],
    saves: [x, weight],
    scratch,
    gradients: [
      made(x, ...(depthwise ? [] : scratch)),
      made(weight, ...(depthwise ? [] : scratch)),
      ...(shift ? [made(shift)] : []),
    ],
    backwardScratch: depthwise ? [contiguous('gradient', size), contiguous(x.name, x.size)] : [],
  });
  recorder.is(target, y);
}

/**
 * `native_batch_norm` or `cudnn_batch_norm` (fp32 and fp16; its reserve is empty in this layout) save input, weight and the
 * batch's mean and 1/σ in fp32; autocast leaves it in its input's precision. Then ReLU, if there is one.
 */
function batchNorm(recorder: Recorder, node: Node): void {
  const x = recorder.value(tensorOf(node, 'inputs', 'x'));
  const [weight, bias] = ['weight', 'bias'].map((name) => recorder.value(tensorOf(node, 'inputs', name))) as [
    Value,
    Value,
  ];
  const y = recorder.output('batch_norm', { size: x.size, dtype: x.dtype });
  const stats = ['mean', '1/σ'].map((name) =>
    recorder.create(`BatchNorm's ${name}`, weight.size, 'fp32', 'activation', false),
  );
  recorder.emit('batch_norm', {
    reads: [x, weight, bias],
    writes: [y, ...stats],
    saves: [x, weight, ...stats],
    gradients: [made(x), made(weight), made(bias)],
  });
  const { activation } = node.attrs as { activation: 'relu' | 'none' };
  recorder.is(tensorOf(node, 'outputs', 'y'), activation === 'relu' ? rectified(recorder, y) : y);
}

/** `relu` saves its result; `threshold_backward` allocates. */
function rectified(recorder: Recorder, x: Value): Value {
  const y = recorder.output('relu', { size: x.size, dtype: x.dtype });
  return recorder.emit('relu', { reads: [x], writes: [y], saves: [y], gradients: [made(x)] });
}

function relu(recorder: Recorder, node: Node): void {
  recorder.is(
    tensorOf(node, 'outputs', 'y'),
    rectified(recorder, recorder.value(tensorOf(node, 'inputs', 'x'))),
  );
}

/** `add.Tensor` saves nothing, gives both inputs the gradient itself, and promotes: fp32 + bf16 is fp32. */
function addition(recorder: Recorder, node: Node): void {
  const a = recorder.value(tensorOf(node, 'inputs', 'a'));
  const b = recorder.value(tensorOf(node, 'inputs', 'b'));
  const target = tensorOf(node, 'outputs', 'y');
  const dtype = a.dtype === b.dtype ? a.dtype : 'fp32';
  const y = recorder.output('add', { size: recorder.sized(target.shape, dtype), dtype });
  const gradients = [a, b].map((of): InputGradient => ({
    of,
    memory: of.dtype === dtype ? 'same' : 'new',
    scratch: [],
  }));
  recorder.is(target, recorder.emit('add', { reads: [a, b], writes: [y], saves: [], gradients }));
}

/** `cat` saves nothing; its gradients are slices (`narrow`) of the output's. Autocast: the widest type of the inputs. */
function concat(recorder: Recorder, node: Node): void {
  const parts = Object.values(node.inputs).map((part) => recorder.value(part));
  const target = tensorOf(node, 'outputs', 'y');
  const dtype = parts.every((part) => part.dtype === parts[0]?.dtype) ? (parts[0] as Value).dtype : 'fp32';
  const cast = parts.map((part) => recorder.cast(part, dtype));
  const y = recorder.output('cat', { size: recorder.sized(target.shape, dtype), dtype });
  const gradients = cast.map((of): InputGradient => ({ of, memory: 'slice', scratch: [] }));
  recorder.is(target, recorder.emit('cat', { reads: cast, writes: [y], saves: [], gradients }));
}

/**
 * Dropout on CUDA is `native_dropout`, which saves a mask of one byte an element; on the CPU it multiplies by a noise of the
 * input's type and saves that (`_dropout_impl`, aten/src/ATen/native/Dropout.cpp). Dropout1d (`feature_dropout`) does the
 * latter everywhere, with one value a channel.
 */
function dropout(recorder: Recorder, node: Node): void {
  const x = recorder.value(tensorOf(node, 'inputs', 'x'));
  const { per } = node.attrs as DropoutAttrs;
  const channels = x.size.perWindow / lengthOf(tensorOf(node, 'inputs', 'x'));
  const mask =
    per === 'channel'
      ? perWindow(channels)
      : recorder.framework.backend === 'cuda'
        ? perWindow((x.size.perWindow / BYTES[x.dtype]) * BYTES.bool)
        : x.size;
  const noise = recorder.create('dropout mask', mask, x.dtype, 'activation', false);
  const y = recorder.output('dropout', { size: x.size, dtype: x.dtype });
  recorder.is(
    tensorOf(node, 'outputs', 'y'),
    recorder.emit('dropout', { reads: [x], writes: [y, noise], saves: [noise], gradients: [made(x)] }),
  );
}

const lengthOf = (tensor: Tensor): number => tensor.shape[1] as number;

/** `flip` copies and saves nothing. */
function flip(recorder: Recorder, node: Node): void {
  recorder.is(
    tensorOf(node, 'outputs', 'y'),
    flipped(recorder, recorder.value(tensorOf(node, 'inputs', 'x'))),
  );
}

/** A copy of x with time reversed; `flip` saves nothing for the backward pass, which flips the gradient again. */
export function flipped(recorder: Recorder, x: Value): Value {
  const y = recorder.output('flip', { size: x.size, dtype: x.dtype });
  return recorder.emit('flip', { reads: [x], writes: [y], saves: [], gradients: [made(x)] });
}

/** `addmm`/`mm` save both matrices. Autocast: lower precision. cuBLAS has a workspace of its own (trace.ts). */
export function linear(recorder: Recorder, node: Node, given: Value): Value {
  const x = recorder.lower(given);
  const weight = recorder.lower(recorder.value(tensorOf(node, 'inputs', 'weight')));
  const bias = node.inputs.bias && recorder.lower(recorder.value(node.inputs.bias));
  const size = recorder.sized(tensorOf(node, 'outputs', 'y').shape, x.dtype);
  return recorder.emit('linear', {
    reads: [x, weight, ...(bias ? [bias] : [])],
    writes: [recorder.output('linear', { size, dtype: x.dtype })],
    saves: [x, weight],
    gradients: [made(x), made(weight), ...(bias ? [made(bias)] : [])],
    libraries: ['cublas'],
  });
}

function projected(recorder: Recorder, node: Node): void {
  const x = recorder.value(tensorOf(node, 'inputs', 'x'));
  recorder.is(tensorOf(node, 'outputs', 'y'), linear(recorder, node, x));
}

/** `native_layer_norm` saves input, weight, bias, mean and 1/σ. CUDA's autocast runs it in fp32, the CPU's as it comes. */
function layerNorm(recorder: Recorder, node: Node): void {
  const given = recorder.value(tensorOf(node, 'inputs', 'x'));
  const x = recorder.framework.backend === 'cuda' ? recorder.cast(given, 'fp32') : given;
  const [weight, bias] = ['weight', 'bias'].map((name) => recorder.value(tensorOf(node, 'inputs', name))) as [
    Value,
    Value,
  ];
  const rows = perWindow(lengthOf(tensorOf(node, 'inputs', 'x')) * BYTES.fp32);
  const stats = ['mean', '1/σ'].map((name) =>
    recorder.create(`LayerNorm's ${name}`, rows, 'fp32', 'activation', false),
  );
  const y = recorder.output('layer_norm', { size: x.size, dtype: x.dtype });
  recorder.emit('layer_norm', {
    reads: [x, weight, bias],
    writes: [y, ...stats],
    saves: [x, weight, bias, ...stats],
    gradients: [made(x), made(weight), made(bias)],
  });
  recorder.is(tensorOf(node, 'outputs', 'y'), y);
}

/**
 * BCE with logits saves logits and target. The trainer's focal loss composes elementwise operations: probability, BCE, p_t,
 * (1 − p_t)^γ and the weights are tensors of one value a sample; eight of them are saved (assumed: the composition is not
 * known to the letter; together they are under half a percent). Autocast: fp32.
 */
function loss(recorder: Recorder, node: Node): void {
  const logits = recorder.cast(recorder.value(tensorOf(node, 'inputs', 'logits')), 'fp32');
  const target = recorder.value(tensorOf(node, 'inputs', 'target'));
  const focal = (node.attrs as { focal?: object }).focal !== undefined;
  const between = Array.from({ length: focal ? 8 : 0 }, (_, i) =>
    recorder.create(`factor ${i + 1} of the focal loss`, logits.size, 'fp32', 'activation', false),
  );
  const mean = recorder.output('loss', {
    size: fixed(elements(tensorOf(node, 'outputs', 'loss').shape) * BYTES.fp32),
  });
  recorder.emit('loss', {
    reads: [logits, target],
    writes: [mean, ...between],
    saves: [logits, target, ...between],
    gradients: [made(logits)],
    backwardScratch: between
      .slice(0, 2)
      .map(({ size }) => ({ name: 'gradient inside the loss', size, workspace: false })),
  });
  recorder.is(tensorOf(node, 'outputs', 'loss'), mean);
}
