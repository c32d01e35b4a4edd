/** A golden case: a safetensors file with inputs, expected outputs and expected gradients of one op or model. */
import { parse } from '../../../src/checkpoints/safetensors';
import { elements, formatShape, Graph, type Shape, type Tensor } from '../../../src/engine/graph';

/** A case that cannot be run: a sentence that says what is wrong with it. */
export class CaseError extends Error {
  override name = 'CaseError';
}

export interface Values {
  readonly shape: Shape;
  readonly data: Float32Array;
}

export interface GoldenCase {
  readonly op: string;
  readonly attrs: Attrs;
  /** By name with its kind: `in.x`, `out.y`, `cot.y`, `grad.x`, `param.weight`, `grad.param.weight`, `buffer.mean`. */
  readonly tensors: ReadonlyMap<string, Values>;
}

/** The attributes of a case, each read as what it must be. */
export class Attrs {
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  number(name: string): number {
    const value = this.values[name];
    if (typeof value !== 'number') throw this.#wrong(name, 'a number');
    return value;
  }

  /** A number, or `defaultValue`, which an absent or null one is too. */
  numberOr<T extends string | number>(name: string, defaultValue: T): number | T {
    return (this.values[name] ?? defaultValue) === defaultValue ? defaultValue : this.number(name);
  }

  numbersOr(name: string, defaultValue: readonly number[]): readonly number[] {
    const value = this.values[name] ?? defaultValue;
    if (!Array.isArray(value) || !value.every((item) => typeof item === 'number'))
      throw this.#wrong(name, 'a list of numbers');
    return value;
  }

  /** An absent flag is false. */
  flag(name: string): boolean {
    const value = this.values[name] ?? false;
    if (typeof value !== 'boolean') throw this.#wrong(name, 'true or false');
    return value;
  }

  /** An absent or null choice is `defaultValue`. */
  choice<T extends string>(name: string, choices: readonly T[], defaultValue: T): T {
    const value = this.values[name] ?? defaultValue;
    const choice = choices.find((known) => known === value);
    if (choice === undefined) throw this.#wrong(name, `one of ${choices.join(', ')}`);
    return choice;
  }

  #wrong(name: string, expected: string): CaseError {
    return new CaseError(`attribute ${name} is ${JSON.stringify(this.values[name])}, not ${expected}`);
  }
}

export function tensorOf(golden: GoldenCase, name: string): Values {
  const values = golden.tensors.get(name);
  if (!values) throw new CaseError(`${name} is missing`);
  return values;
}

export function readCase(file: Uint8Array): GoldenCase {
  const { metadata, tensors } = parse(file);
  const { op, attrs } = metadata;
  if (op === undefined) throw new CaseError('its metadata names no op');
  const values = new Map<string, Values>();
  for (const [name, { dtype, shape, data }] of tensors) {
    if (dtype !== 'F32') throw new CaseError(`${name} is ${dtype}; golden cases are F32`);
    values.set(name, { shape, data });
  }
  return { op, attrs: readAttrs(attrs ?? '{}'), tensors: values };
}

function readAttrs(text: string): Attrs {
  let attrs: unknown;
  try {
    attrs = JSON.parse(text);
  } catch (error) {
    throw new CaseError(`its attributes are not JSON (${String(error)})`);
  }
  if (typeof attrs !== 'object' || attrs === null || Array.isArray(attrs))
    throw new CaseError(`its attributes are ${text}, not an object`);
  return new Attrs({ ...attrs });
}

/**
 * How the engine lays out a tensor of the file: axis i of the engine's is axis `axes[i]` of the file's. Without axes
 * they are the same.
 */
export type Axes = readonly number[] | undefined;

/** The file's [b, c, l] as the engine's [b, l, c]. */
export const CHANNELS_FIRST = [0, 2, 1] as const satisfies Axes;

/** A tensor of the graph with the way back to the file's layout. */
export interface Placed {
  readonly tensor: Tensor;
  readonly axes: Axes;
  /** Its shape in the file, where the engine merges axes. */
  readonly fileShape?: Shape;
}

/** A case's graph while an adapter builds it: gives inputs their names and takes the outputs. */
export class CaseGraph {
  readonly graph = new Graph();
  readonly inputs = new Map<string, Placed>();
  readonly outputs = new Map<string, Placed>();
  /** Names of parameters that the file has and the graph does without. */
  readonly unused: string[] = [];

  constructor(readonly golden: GoldenCase) {}

  get attrs(): Attrs {
    return this.golden.attrs;
  }

  /** `in.NAME` as an input of the graph. */
  input(name: string, axes?: Axes): Tensor {
    const tensor = this.optional(name, axes);
    if (!tensor) throw new CaseError(`in.${name} is missing`);
    return tensor;
  }

  /** `in.NAME`, if the case has it. */
  optional(name: string, axes?: Axes): Tensor | undefined {
    const values = this.golden.tensors.get(`in.${name}`);
    if (!values) return undefined;
    if (axes && axes.length !== values.shape.length)
      throw new CaseError(`in.${name} has shape ${formatShape(values.shape)}, not ${axes.length} axes`);
    const tensor = this.graph.input(`in.${name}`, permuteShape(values.shape, axes));
    this.inputs.set(name, { tensor, axes });
    return tensor;
  }

  /** `in.NAME` [b, l, i, j] as an input [b, l, i·j], and what i and j are. */
  merged(name: string): { tensor: Tensor; sizes: readonly [number, number] } {
    const fileShape = this.golden.tensors.get(`in.${name}`)?.shape;
    if (fileShape?.length !== 4)
      throw new CaseError(
        `in.${name} ${fileShape ? `has shape ${formatShape(fileShape)}, not 4 axes` : 'is missing'}`,
      );
    const [b, l, i, j] = fileShape as [number, number, number, number];
    const tensor = this.graph.input(`in.${name}`, [b, l, i * j]);
    this.inputs.set(name, { tensor, axes: undefined, fileShape });
    return { tensor, sizes: [i, j] };
  }

  /** The tensor that `out.NAME` is compared with. */
  output(name: string, tensor: Tensor, axes?: Axes, fileShape?: Shape): void {
    this.outputs.set(name, { tensor, axes, ...(fileShape && { fileShape }) });
  }
}

export const permuteShape = (shape: Shape, axes: Axes): Shape =>
  axes ? axes.map((axis) => shape[axis] as number) : shape;

/** The axes that undo `axes`. */
export const inverse = (axes: Axes): Axes => axes && axes.map((_, axis) => axes.indexOf(axis));

/** The same values in another order of axes: axis i of the result is axis `axes[i]` of `values`. */
export function permute({ shape, data }: Values, axes: Axes): Values {
  if (!axes) return { shape, data };
  const strides = axes.map((axis) => elements(shape.slice(axis + 1)));
  const permuted = permuteShape(shape, axes);
  const result = new Float32Array(data.length);
  const index = axes.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    result[i] = data[index.reduce((sum, at, axis) => sum + at * (strides[axis] as number), 0)] as number;
    for (let axis = index.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (permuted[axis] as number)) break;
      index[axis] = 0;
    }
  }
  return { shape: permuted, data: result };
}
