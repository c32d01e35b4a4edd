/** Tensors with static shapes, as a graph describes them: who owns their memory, how they are stored, how large they are. */

/** How a tensor is stored. What is f16 is computed in float32 all the same, and rounded when it is written. */
export type DType = 'f32' | 'u32' | 'f16';
export type Shape = readonly number[];

/**
 * Who owns a tensor's memory.
 * `value`: written by a dispatch, lives as long as it is needed. `input`: written by the host before a run.
 * `constant`: uploaded once. `parameter`: a slice of the packed parameters. `pack`: one whole packed buffer.
 * `buffer`: what a model remembers without learning it by gradient, such as BatchNorm's running statistics; ops may
 * write it in place.
 */
export type Role = 'value' | 'input' | 'constant' | 'parameter' | 'buffer' | 'pack';

/**
 * The packed buffers of a trained model; they share one layout (see `packs.ts`). `accumulated` is the mean gradient of
 * several micro-batches, where there are any.
 */
export type PackName = 'value' | 'gradient' | 'first_moment' | 'second_moment' | 'accumulated';

export interface TensorSpec {
  readonly shape: Shape;
  readonly dtype: DType;
}

export interface Tensor extends TensorSpec {
  readonly id: number;
  readonly name: string;
  readonly role: Role;
}

export interface Parameter extends Tensor {
  readonly role: 'parameter';
  /** Whether AdamW decays it; the published Mamba leaves A_log and D out. */
  readonly decay: boolean;
  /** The name of the parameter that it follows in the packs without a gap; see `Graph.stack`. */
  readonly after?: string;
}

/** Where a tensor lies in another one, in elements. */
export interface Slice {
  readonly whole: Tensor;
  readonly offset: number;
}

export interface Buffer extends Tensor {
  readonly role: 'buffer';
  /** What every element is before the first run. */
  readonly initial: number;
}

export interface Constant extends Tensor {
  readonly role: 'constant';
  readonly data: Float32Array | Uint32Array;
}

export interface Pack extends Tensor {
  readonly role: 'pack';
  readonly pack: PackName;
}

/** A mistake in the description of a model: a sentence that names the op, the shapes and what was expected. */
export class GraphError extends Error {
  override name = 'GraphError';
}

/** The number of values of a tensor of this shape. */
export const elements = (shape: Shape): number => shape.reduce((product, size) => product * size, 1);

/** Bytes of a tensor, a multiple of four: nothing less can be copied. */
export const bytesOf = ({ shape, dtype }: TensorSpec): number =>
  4 * (dtype === 'f16' ? Math.ceil(elements(shape) / 2) : elements(shape));

/** `[2, 3]`, for messages. */
export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`;
