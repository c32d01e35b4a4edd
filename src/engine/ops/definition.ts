/** What every op must say. One file an op, its backward ops beside it. */
import type { Constant, Shape, Tensor, TensorSpec } from '../tensor';
import type { Defines } from '../wgsl';

export type OpInputs<In extends string, Opt extends string> = Readonly<Record<In, Tensor>> & {
  readonly [name in Opt]?: Tensor | undefined;
};

export interface TypedNode<In extends string, Opt extends string, Out extends string, Attrs extends object> {
  readonly label: string;
  readonly inputs: OpInputs<In, Opt>;
  readonly outputs: Readonly<Record<Out, Tensor>>;
  readonly attrs: Attrs;
}

/** A buffer of a dispatch. In the shader it is `var<storage, …> NAME: array<TYPE>`, declared by `kernel()`. */
export interface Binding {
  readonly name: string;
  readonly tensor: Tensor;
  readonly access: 'read' | 'write' | 'read_write';
  /**
   * What the shader computes with; f32 or u32, by the tensor's dtype, where left out. `vec4f` needs a size that 4 divides. Where
   * the tensor is stored in float16, `kernel()` converts.
   */
  readonly type?: 'f32' | 'u32' | 'vec4f';
}

/**
 * A convolution's weight and what is made of it, [rows, taps, to]:
 *
 *     packed[r, i, s] = weight[r % block · rowStride + s · channelStride + firstTap + r / block + i · tapStep], 0 for s ≥ from
 */
export interface WeightPack {
  readonly weight: Tensor;
  readonly packed: Tensor;
  readonly from: number;
  readonly block: number;
  readonly rowStride: number;
  readonly channelStride: number;
  readonly firstTap: number;
  readonly tapStep: number;
}

/** One dispatch: complete WGSL and what it is bound to. `workgroups` is linear; the program folds it into two dimensions. */
export interface Dispatch {
  readonly kernel: string;
  readonly code: string;
  readonly bindings: readonly Binding[];
  readonly workgroups: number;
  /** Whether the shader reads `step`, the uniform of per-step scalars. */
  readonly usesStep: boolean;
  /** Values of the shader's uniform `size`; it has none where this is empty. */
  readonly sizes: readonly number[];
  /** The weight that it packs, where it does nothing else: a plan packs several at once. */
  readonly packs?: WeightPack;
}

/** A named choice of a hot kernel: tile sizes, work division. The first of an op's list is the frozen default. */
export type Variant = Readonly<{ name: string }> & Defines;

/** What a lowering may know about the device, and where it gets scratch tensors that live only between its dispatches. */
export interface Lowering {
  readonly limits: Pick<
    GPUSupportedLimits,
    | 'maxComputeWorkgroupStorageSize'
    | 'maxComputeInvocationsPerWorkgroup'
    | 'maxStorageBuffersPerShaderStage'
    | 'maxStorageBufferBindingSize'
  >;
  readonly subgroups: boolean;
  /** Whether shaders can read and write float16 (the feature shader-f16). */
  readonly half: boolean;
  /** Whether the adapter computes on the CPU: barriers and workgroup memory are dear there, few threads suffice. */
  readonly software: boolean;
  /** The adapter's vendor as WebGPU names it; a browser may leave it empty. */
  readonly vendor?: string;
  /** False for outputs that nobody reads: a kernel may skip writing them. */
  isUsed(tensor: Tensor): boolean;
  scratch(this: void, name: string, shape: Shape): Tensor;
}

/** Scalars of one step that a reference needs (see `step.ts`). */
export interface StepScalars {
  readonly step: number;
  /** AdamW's steps, this one included, where some were skipped; otherwise `step`. */
  readonly optimizerStep?: number;
  readonly seed: number;
  readonly learningRate: number;
  /** Which of how many micro-batches a gradient is accumulated from; the first of one where left out. */
  readonly micro?: { readonly index: number; readonly count: number };
}

export interface Value64 {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export type Values64<In extends string, Opt extends string> = Readonly<Record<In, Value64>> & {
  readonly [name in Opt]?: Value64 | undefined;
};

export interface Cost {
  /** Multiplications, additions, comparisons and calls of exp or log, each counted once. */
  readonly flops: number;
  /** Bytes that must move to and from memory when every tensor is touched once. */
  readonly bytes: number;
}

/** What a gradient rule does with a graph: it adds nodes. See Graph. */
export interface Builder {
  apply<In extends string, Opt extends string, Out extends string, Attrs extends object>(
    op: OpDefinition<In, Opt, Out, Attrs>,
    inputs: OpInputs<In, Opt>,
    attrs: Attrs,
  ): Readonly<Record<Out, Tensor>>;
  constant(name: string, shape: Shape, data: Float32Array | Uint32Array): Constant;
}

export interface GradientContext<
  In extends string,
  Opt extends string,
  Out extends string,
  Attrs extends object,
> extends TypedNode<In, Opt, Out, Attrs> {
  readonly graph: Builder;
  /** ∂loss/∂output, for the outputs that have one. */
  readonly cotangents: { readonly [name in Out]?: Tensor | undefined };
  /** Whether the gradient of this input is wanted. */
  needs(this: void, input: In | Opt): boolean;
}

/** Taken from a method, which makes its parameter bivariant as the methods of OpDefinition are. */
export type GradientRule<In extends string, Opt extends string, Out extends string, Attrs extends object> = {
  rule(context: GradientContext<In, Opt, Out, Attrs>): { readonly [name in In | Opt]?: Tensor | undefined };
}['rule'];

export interface OpDefinition<
  In extends string,
  Opt extends string,
  Out extends string,
  Attrs extends object,
> {
  readonly name: string;
  readonly inputs: readonly In[];
  readonly optional: readonly Opt[];
  /** All outputs it can have; one that the shape rule leaves out does not exist on that node. */
  readonly outputs: readonly Out[];
  /**
   * Outputs as large as activations, each element of them written once by one kernel: mixed precision stores them in
   * float16. Sums, statistics and what kernels add to stay float32.
   */
  readonly half?: readonly Out[];
  /**
   * Inputs that the op writes in place: packs, buffers, or inputs of the graph. An optional one is what the op does besides its outputs: the
   * node can be computed again without it.
   */
  readonly mutates?: readonly (In | Opt)[];
  /** Output shapes; throws GraphError with what was expected. */
  shape(inputs: OpInputs<In, Opt>, attrs: Attrs): Readonly<Record<Out, TensorSpec>>;
  /** Choices to be timed on the device; absent when there is one way. */
  variants?(node: TypedNode<In, Opt, Out, Attrs>, lowering: Lowering): readonly [Variant, ...Variant[]];
  kernels(node: TypedNode<In, Opt, Out, Attrs>, lowering: Lowering, variant: Variant | undefined): Dispatch[];
  /** Adds the backward nodes to the graph and returns ∂loss/∂input; `null` marks an op that is never differentiated. */
  readonly gradient: GradientRule<In, Opt, Out, Attrs> | null;
  /** The op in float64. An op that mutates returns the new values of those it was given under their names too. */
  reference(
    inputs: Values64<In, Opt>,
    attrs: Attrs,
    step: StepScalars,
  ): Readonly<Record<Out, Float64Array>> & Readonly<Record<string, Float64Array>>;
  cost(node: TypedNode<In, Opt, Out, Attrs>): Cost;
}

/**
 * Any definition. The methods above are bivariant on purpose, so that one with exact names fits; seen from here every
 * input may be missing, as an optional one may.
 */
export type AnyOp = Omit<OpDefinition<never, string, string, object>, 'inputs' | 'mutates'> & {
  readonly inputs: readonly string[];
  readonly mutates?: readonly string[];
};

/** Keeps the names of inputs and outputs as literal types. */
export const defineOp = <In extends string, Opt extends string, Out extends string, Attrs extends object>(
  op: OpDefinition<In, Opt, Out, Attrs>,
): OpDefinition<In, Opt, Out, Attrs> => op;
