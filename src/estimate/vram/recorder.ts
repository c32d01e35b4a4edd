/** Writes a tape: keeps which value a tensor of the graph is, and casts as autocast does. */
import { elements, GraphError, type Graph, type Shape, type Tensor } from '../../engine/graph';
import {
  BYTES,
  fixed,
  perWindow,
  type Backward,
  type Float,
  type InputGradient,
  type Library,
  type Scratch,
  type Size,
  type TorchOp,
  type Value,
  type ValueRole,
} from './tape';

/** What the rules depend on besides shapes. */
export interface Framework {
  /** `cpu`: the same model on PyTorch's CPU backend, where its saved tensors can be counted without a GPU. */
  readonly backend: 'cuda' | 'cpu';
  /** fp32: no autocast. */
  readonly precision: Float;
}

interface Written {
  readonly name: string;
  readonly size: Size;
  readonly dtype?: Float;
}

export class Recorder {
  readonly ops: TorchOp[] = [];
  readonly parameters: Value[] = [];
  readonly inputs: Value[] = [];
  readonly #values = new Map<number, Value>();
  readonly #casts = new Map<Value, Value>();
  readonly #biases = new Map<number, Tensor>();
  #count = 0;
  /** Of the node that is lowered. */
  #label = '';
  #layer = '';

  constructor(
    readonly framework: Framework,
    graph: Graph,
  ) {
    for (const { inputs, op } of graph.nodes)
      if (op.name === 'batch_norm' && inputs.x && inputs.shift) this.#biases.set(inputs.x.id, inputs.shift);
  }

  /** The bias of the convolution that writes a tensor, where the engine gives it to the BatchNorm after it. */
  biasAfter(convolved: Tensor): Tensor | undefined {
    return this.#biases.get(convolved.id);
  }

  at(label: string, layer: string): void {
    this.#label = label;
    this.#layer = layer;
  }

  create(name: string, size: Size, dtype: Float, role: ValueRole, needsGradient = true): Value {
    return { id: this.#count++, name, layer: this.#layer, role, dtype, size, needsGradient };
  }

  /** The value of a tensor that is already there: an input, a parameter, or what a rule has written. */
  value(tensor: Tensor): Value {
    const known = this.#values.get(tensor.id);
    if (known) return known;
    const bytes = elements(tensor.shape) * BYTES.fp32;
    if (tensor.role === 'input') {
      const input = this.create(tensor.name, perWindow(bytes), 'fp32', 'input', false);
      this.inputs.push(input);
      return this.is(tensor, input);
    }
    if (tensor.role !== 'parameter')
      throw new GraphError(`${tensor.name} is read before a rule has written it`);
    const parameter = this.create(tensor.name, fixed(bytes), 'fp32', 'parameter');
    this.parameters.push(parameter);
    return this.is(tensor, parameter);
  }

  is(tensor: Tensor, value: Value): Value {
    this.#values.set(tensor.id, value);
    return value;
  }

  /** Whether a rule has given the tensor a value. */
  knows(tensor: Pick<Tensor, 'id'>): boolean {
    return this.#values.has(tensor.id);
  }

  /** Bytes of a shape of the graph, whose batch is one window, in a precision. */
  sized(shape: Shape, dtype: Float): Size {
    return perWindow(elements(shape) * BYTES[dtype]);
  }

  /** Adds an operation. `writes`: its output first, then what it allocates besides and may save. */
  emit(
    name: string,
    {
      reads,
      writes,
      saves,
      scratch = [],
      gradients,
      backwardScratch = [],
      libraries = [],
    }: {
      readonly reads: readonly Value[];
      readonly writes: readonly [Value, ...Value[]];
      readonly saves: readonly Value[];
      readonly scratch?: readonly Scratch[];
      readonly gradients: readonly InputGradient[];
      readonly backwardScratch?: readonly Scratch[];
      readonly libraries?: readonly Library[];
    },
  ): Value {
    const backward: Backward = {
      of: writes[0],
      scratch: backwardScratch,
      gradients: gradients.filter(({ of }) => of.needsGradient),
    };
    this.ops.push({
      name,
      layer: this.#layer,
      label: this.#label,
      reads,
      writes,
      saves,
      scratch,
      backward,
      libraries,
    });
    return writes[0];
  }

  output(
    op: string,
    { name = `output of ${op}`, size, dtype = 'fp32' }: Partial<Written> & Pick<Written, 'size'>,
  ): Value {
    return this.create(name, size, dtype, 'activation');
  }

  /** `value` in a precision: itself, or a copy as autocast makes it. Of parameters there is one copy in a forward pass. */
  cast(value: Value, to: Float): Value {
    if (value.dtype === to) return value;
    const known = this.#casts.get(value);
    if (known) return known;
    const size = {
      perWindow: (value.size.perWindow / BYTES[value.dtype]) * BYTES[to],
      fixed: (value.size.fixed / BYTES[value.dtype]) * BYTES[to],
    };
    const role = value.role === 'parameter' ? 'cast' : 'activation';
    const copy = this.create(`${value.name} in ${to}`, size, to, role, value.needsGradient);
    if (role === 'cast') this.#casts.set(value, copy);
    this.emit('to', {
      reads: [value],
      writes: [copy],
      saves: [],
      gradients: [{ of: value, memory: 'new', scratch: [] }],
    });
    return copy;
  }

  /** In the precision of matrix products: autocast's, or fp32 without it. */
  lower(value: Value): Value {
    return this.cast(value, this.framework.precision);
  }
}
