/**
 * The description of a computation: tensors with static shapes, and the nodes that produce them.
 * A graph holds no data and touches no GPU. `gradient.ts` extends it, `plan.ts` lays it out in memory,
 * `program.ts` runs it and `interpret.ts` evaluates it in float64.
 */
import type { AnyOp, Builder, OpDefinition, OpInputs } from './ops/definition';
import {
  elements,
  formatShape,
  GraphError,
  type Buffer,
  type Constant,
  type DType,
  type Pack,
  type PackName,
  type Parameter,
  type Role,
  type Shape,
  type Slice,
  type Tensor,
  type TensorSpec,
} from './tensor';

export * from './tensor';

export interface Node {
  readonly op: AnyOp;
  /** Scope and op, as in `layers.0.mixer/selective_scan`; every error message carries it. */
  readonly label: string;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: Readonly<Record<string, Tensor>>;
  readonly attrs: object;
}

/** `selective_scan(u [1, 8, 4], A [4, 16])`, for messages. */
export function describeNode(node: Pick<Node, 'label' | 'inputs'>): string {
  const inputs = Object.entries(node.inputs).map(([name, tensor]) => `${name} ${formatShape(tensor.shape)}`);
  return `${node.label}(${inputs.join(', ')})`;
}

/** A computation that is being described: inputs, constants, parameters, buffers and the nodes that were applied to them. */
export class Graph implements Builder {
  readonly nodes: Node[] = [];
  readonly inputs: Tensor[] = [];
  readonly constants: Constant[] = [];
  readonly parameters: Parameter[] = [];
  readonly buffers: Buffer[] = [];
  /** Which parameter's slice of the gradient pack a tensor is written to, by the tensor's id. */
  readonly gradientOf = new Map<number, Parameter>();
  /** The parameters that a tensor of `stack` consists of, by its id. */
  readonly stacks = new Map<number, { readonly tensor: Tensor; readonly parts: readonly Parameter[] }>();
  /** Tensors of `view`, by their ids. */
  readonly views = new Map<number, Slice & { readonly tensor: Tensor }>();
  readonly #packs = new Map<PackName, Pack>();
  readonly #names = new Set<string>();
  #tensors = 0;
  #scope: string[] = [];

  /** A tensor the host writes before each run, 0 before it does. */
  input(name: string, shape: Shape, dtype: DType = 'f32'): Tensor {
    const tensor: Tensor = this.#tensor({ shape, dtype }, this.#unique(name), 'input');
    this.inputs.push(tensor);
    return tensor;
  }

  /** A trained float32 tensor; `name` is its state_dict name. */
  parameter(
    name: string,
    shape: Shape,
    options: { decay?: boolean; after?: Parameter | undefined } = {},
  ): Parameter {
    const tensor = this.#tensor({ shape, dtype: 'f32' }, this.#unique(name), 'parameter');
    const { decay = true, after } = options;
    const parameter: Parameter = {
      ...tensor,
      role: 'parameter',
      decay,
      ...(after && { after: after.name }),
    };
    this.parameters.push(parameter);
    return parameter;
  }

  /**
   * Parameters of one shape [n, …], each declared `after` the one before, as one tensor [parts · n, …]. Nothing is copied: they lie
   * side by side in the packs, and nothing else may read them.
   */
  stack(parts: readonly [Parameter, ...Parameter[]]): Tensor {
    const [{ shape, decay }] = parts;
    for (const [i, part] of parts.entries()) {
      const before = parts[i - 1];
      if (!before) continue;
      if (
        part.after !== before.name ||
        part.decay !== decay ||
        formatShape(part.shape) !== formatShape(shape)
      )
        throw new GraphError(
          `${part.name} ${formatShape(part.shape)} cannot be stacked on ${before.name} ${formatShape(shape)}: both must have one shape and decay, and be declared one after the other`,
        );
    }
    const [rows = 1, ...rest] = shape;
    const name = parts.map((part) => part.name).join(' and ');
    const tensor = this.#tensor({ shape: [parts.length * rows, ...rest], dtype: 'f32' }, name, 'parameter');
    this.stacks.set(tensor.id, { tensor, parts });
    return tensor;
  }

  /** A part of a tensor from its element `offset` on, for the host to read: no node reads or writes it. */
  view(whole: Tensor, offset: number, shape: Shape): Tensor {
    const tensor = this.#tensor({ shape, dtype: whole.dtype }, `${whole.name} from ${offset}`, 'value');
    this.views.set(tensor.id, { tensor, whole, offset });
    return tensor;
  }

  /** A float32 tensor that lives as long as the parameters and that ops may write; `name` is its state_dict name. */
  buffer(name: string, shape: Shape, initial: number): Buffer {
    const tensor = this.#tensor({ shape, dtype: 'f32' }, this.#unique(name), 'buffer');
    const buffer: Buffer = { ...tensor, role: 'buffer', initial };
    this.buffers.push(buffer);
    return buffer;
  }

  constant(name: string, shape: Shape, data: Float32Array | Uint32Array): Constant {
    if (data.length !== elements(shape))
      throw new GraphError(
        `constant ${name} has ${data.length} values, its shape ${formatShape(shape)} needs ${elements(shape)}`,
      );
    const dtype = data instanceof Float32Array ? 'f32' : 'u32';
    const constant: Constant = {
      ...this.#tensor({ shape, dtype }, name, 'constant'),
      role: 'constant',
      data,
    };
    this.constants.push(constant);
    return constant;
  }

  /** One whole packed buffer, as global_norm and adamw see it. Its length follows from the parameters, so ask last. */
  pack(pack: PackName, length: number): Pack {
    const known = this.#packs.get(pack);
    if (known) return known;
    const tensor = this.#tensor({ shape: [length], dtype: 'f32' }, `pack.${pack}`, 'pack');
    const created: Pack = { ...tensor, role: 'pack', pack };
    this.#packs.set(pack, created);
    return created;
  }

  /** Labels of the nodes added by `build` start with `name`. */
  scope<T>(name: string, build: () => T): T {
    this.#scope.push(name);
    try {
      return build();
    } finally {
      this.#scope.pop();
    }
  }

  /** Adds a node and returns its outputs. Throws GraphError when the op's shape rule rejects the inputs. */
  apply<In extends string, Opt extends string, Out extends string, Attrs extends object>(
    op: OpDefinition<In, Opt, Out, Attrs>,
    inputs: OpInputs<In, Opt>,
    attrs: Attrs,
  ): Readonly<Record<Out, Tensor>> {
    const label = [...this.#scope, op.name].join('/');
    const given: Record<string, Tensor> = {};
    for (const name of [...op.inputs, ...op.optional]) {
      const tensor = (inputs as Readonly<Record<string, Tensor | undefined>>)[name];
      if (tensor) given[name] = tensor;
    }
    for (const name of op.inputs)
      if (!given[name]) throw new GraphError(`${label}: input ${name} is missing`);
    let specs: Readonly<Record<Out, TensorSpec>>;
    try {
      specs = op.shape(inputs, attrs);
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      throw new GraphError(`${describeNode({ label, inputs: given })}: ${error.message}`);
    }
    const outputs = {} as Record<Out, Tensor>;
    for (const name of op.outputs) {
      const spec: TensorSpec | undefined = specs[name];
      if (spec) outputs[name] = this.#tensor(spec, `${label}.${name}`, 'value');
    }
    this.nodes.push({ op, label, inputs: given, outputs, attrs });
    return outputs;
  }

  /** A node that computes `node` again from `inputs`; what it mutates besides, it leaves alone. */
  repeat(node: Node, inputs: Readonly<Record<string, Tensor>>): Node {
    const left = (node.op.mutates ?? []).filter((name) => node.inputs[name]);
    if (left.some((name) => node.op.inputs.includes(name)))
      throw new GraphError(`${node.label} writes ${left.join(', ')}, so it cannot be computed again`);
    const outputs = Object.entries(node.outputs).map(
      ([name, tensor]) => [name, this.#tensor(tensor, `${tensor.name}.again`, 'value')] as const,
    );
    return {
      ...node,
      label: `${node.label}.again`,
      inputs: Object.fromEntries(Object.entries(inputs).filter(([name]) => !left.includes(name))),
      outputs: Object.fromEntries(outputs),
    };
  }

  /** Lets a value, or an input, be stored in float16. For whoever has made the whole graph and compiled nothing of it. */
  storeHalf(tensor: Tensor): void {
    if (
      tensor.dtype === 'u32' ||
      (tensor.role !== 'value' && tensor.role !== 'input') ||
      this.gradientOf.has(tensor.id)
    )
      throw new GraphError(`${tensor.name} cannot be stored in float16`);
    // Whoever holds the tensor has to see it: nodes, and those who read it after a run.
    (tensor as { dtype: DType }).dtype = 'f16';
  }

  #tensor(spec: TensorSpec, name: string, role: Role): Tensor {
    for (const size of spec.shape)
      if (!Number.isInteger(size) || size < 1)
        throw new GraphError(
          `${name} has shape ${formatShape(spec.shape)}; every size must be a whole number above 0`,
        );
    return { id: this.#tensors++, name, shape: spec.shape, dtype: spec.dtype, role };
  }

  #unique(name: string): string {
    if (this.#names.has(name)) throw new GraphError(`the graph has two tensors named ${name}`);
    this.#names.add(name);
    return name;
  }
}
