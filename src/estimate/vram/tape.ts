/**
 * What PyTorch does with memory in one forward pass, operation by operation: which tensors it allocates, which of them its
 * autograd graph keeps for the backward pass, and what the backward pass allocates in turn. A tape does not depend on the
 * batch: every size is so many bytes a window, or so many bytes once.
 */

export type Float = 'fp32' | 'fp16' | 'bf16';

export const BYTES = { fp32: 4, fp16: 2, bf16: 2, bool: 1 } as const;

/** Bytes: `perWindow` for each window of the (micro-)batch, and `fixed` besides. */
export interface Size {
  readonly perWindow: number;
  readonly fixed: number;
}

/** A size that grows with the batch: `bytes` for each window. */
export const perWindow = (bytes: number): Size => ({ perWindow: bytes, fixed: 0 });
/** A size that does not depend on the batch, in bytes. */
export const fixed = (bytes: number): Size => ({ perWindow: 0, fixed: bytes });
/** Bytes of a size for so many windows. */
export const bytesFor = (size: Size, windows: number): number => size.perWindow * windows + size.fixed;
/** Both sizes side by side. */
export const plus = (a: Size, b: Size): Size => ({
  perWindow: a.perWindow + b.perWindow,
  fixed: a.fixed + b.fixed,
});
/** So many tensors of a size. Exported for its tests. */
export const times = ({ perWindow, fixed }: Size, factor: number): Size => ({
  perWindow: perWindow * factor,
  fixed: fixed * factor,
});

/**
 * `cast`: a parameter in autocast's lower precision, kept by autocast's cache until its context ends; a tensor made from
 * others is an `activation`.
 */
export type ValueRole = 'activation' | 'input' | 'parameter' | 'cast';

/** A tensor with memory of its own. Views (transposed, reshaped, split) are the value they look at. */
export interface Value {
  readonly id: number;
  /** What it is, such as “output of batch_norm”. */
  readonly name: string;
  /** The part of the model, such as `encoder/encoder_blocks.0`. */
  readonly layer: string;
  readonly role: ValueRole;
  readonly dtype: Float;
  readonly size: Size;
  readonly needsGradient: boolean;
  /** The package without which it is not in memory. */
  readonly package?: 'mamba_ssm';
}

/** Memory that an operation takes only while it runs. */
export interface Scratch {
  readonly name: string;
  readonly size: Size;
  /** Workspace of cuDNN: how much it takes, nobody outside of it decides. */
  readonly workspace: boolean;
}

/** How the gradient of an input comes about: in new memory, as the very gradient of the output, or as a slice of it. */
export type GradientMemory = 'new' | 'same' | 'slice';

export interface InputGradient {
  readonly of: Value;
  readonly memory: GradientMemory;
  readonly scratch: readonly Scratch[];
}

export interface Backward {
  /** The output whose gradient is taken. */
  readonly of: Value;
  /** Alive throughout. */
  readonly scratch: readonly Scratch[];
  /** In the order in which they are computed. */
  readonly gradients: readonly InputGradient[];
}

/** cuBLAS has a workspace for each thread that multiplies matrices; Triton times its kernels when they first run. */
export type Library = 'cublas' | 'triton';

export interface TorchOp {
  readonly name: string;
  readonly layer: string;
  /** The engine's label of the node it comes from; decides the segment of gradient checkpointing. */
  readonly label: string;
  readonly reads: readonly Value[];
  readonly writes: readonly Value[];
  /** Of `reads` and `writes`, those that its backward node keeps. */
  readonly saves: readonly Value[];
  readonly scratch: readonly Scratch[];
  readonly backward: Backward;
  /** What it runs on besides PyTorch's own kernels, forward and backward. */
  readonly libraries: readonly Library[];
}

export interface Tape {
  readonly ops: readonly TorchOp[];
  readonly inputs: readonly Value[];
  /** Trained parameters, in the model's order. */
  readonly parameters: readonly Value[];
  /** Parameters without a gradient, and what BatchNorm remembers: they lie in memory and nothing more. */
  readonly unused: readonly Value[];
  /** The training loop's variables hold both. */
  readonly logits: Value;
  readonly loss: Value;
}

/**
 * Tensors saved for the backward pass, shared memory counted once, without parameters (autograd keeps those without a
 * copy) and without the window itself: what `torch.autograd.graph.saved_tensors_hooks` sees.
 */
export function savedSizes(tape: Tape): { readonly activations: Size; readonly casts: Size } {
  const saved = new Set(tape.ops.flatMap(({ saves }) => saves));
  const total = (role: ValueRole): Size =>
    [...saved]
      .filter((value) => value.role === role)
      .reduce((sum, { size }) => plus(sum, size), { perWindow: 0, fixed: 0 });
  return { activations: total('activation'), casts: total('cast') };
}
