/**
 * Makers of ops on each element alone. Such an op is one file: its formula in WGSL and in float64, and the slope of it.
 * shaders/elementwise.wgsl is the kernel of all of them; tests/unit/engine/ops.test.ts finds and checks each.
 */
import activation from '../../../shaders/activation.wgsl?raw';
import source from '../../../shaders/elementwise.wgsl?raw';
import {
  bytesOf,
  elements,
  formatShape,
  GraphError,
  type Graph,
  type Tensor,
  type TensorSpec,
} from '../graph';
import { defineOp, type GradientRule, type Lowering, type OpDefinition } from './definition';
import { kernel, passesOf, read, write } from './kernel';

const WORKGROUP = 64;
/** Elements a thread handles: one vec4. */
const PER_THREAD = 4;

/** e^88 is 1.7e38, half of float32's largest value. */
export const MAX_EXPONENT = 88;

/** A function of one element of each input. */
export interface Formula {
  /**
   * The body of a WGSL function whose parameters are the op's inputs by their names, of type T: f32, or vec4f where 4 divides
   * the size. It may call `sigmoid` and `softplus` of shaders/activation.wgsl. An argument of exp must stay below MAX_EXPONENT:
   * a shader compiler may assume that nothing is infinite.
   */
  readonly wgsl: string;
  /** The same function in float64; its parameters are the inputs in their order. */
  readonly reference: (a: number, b: number, c: number) => number;
  /** Multiplications, additions, comparisons and calls of exp or log an element. */
  readonly flops: number;
}

/** An op on each element alone; `formula` is what it was made of. */
export type ElementwiseOp<In extends string, Out extends string> = OpDefinition<In, never, Out, object> & {
  readonly formula: Formula;
};

/** Makes an op on each element of one to three equally shaped inputs. Its shape rule throws GraphError for unequal shapes. */
export function elementwiseOp<const In extends string, const Out extends string = 'y'>(
  declaration: Formula & {
    readonly name: string;
    readonly inputs: readonly In[];
    /** `y` where left out. */
    readonly output?: Out;
    /** Whether mixed precision stores the output in float16; true where left out. */
    readonly half?: boolean;
    readonly gradient: GradientRule<In, never, Out, object> | null;
  },
): ElementwiseOp<In, Out> {
  const { name, inputs, output = 'y' as Out, half = true, gradient, ...formula } = declaration;
  const { wgsl, reference, flops } = formula;
  return {
    ...defineOp<In, never, Out, object>({
      name,
      inputs,
      optional: [],
      outputs: [output],
      ...(half && { half: [output] }),
      shape: (given) => ({ [output]: sameShape(given) }) as Record<Out, TensorSpec>,
      kernels: (node, { software }: Lowering) => {
        const result: Tensor = node.outputs[output];
        const count = elements(result.shape);
        const vector = count % PER_THREAD === 0;
        const type = vector ? 'vec4f' : 'f32';
        const threads = vector ? count / PER_THREAD : count;
        return [
          kernel({
            name,
            source: activation + source,
            defines: {
              TYPE: type,
              PARAMETERS: inputs.map((input) => `${input}: T`).join(', '),
              FORMULA: wgsl,
              RESULT: output,
              ARGUMENTS: inputs.map((input) => `read_${input}(i)`).join(', '),
            },
            sizes: {},
            bindings: [
              ...inputs.map((input) => read(input, node.inputs[input], type)),
              write(output, result, type),
            ],
            items: threads,
            per: passesOf(threads, WORKGROUP, software, 1),
            workgroup: WORKGROUP,
          }),
        ];
      },
      gradient,
      reference: (values) => {
        const [a, b, c] = inputs.map((input) => values[input].data) as [Float64Array, ...Float64Array[]];
        const result = a.map((value, i) => reference(value, b?.[i] as number, c?.[i] as number));
        return { [output]: result } as Record<Out, Float64Array>;
      },
      cost: (node) =>
        elementwiseCost([...inputs.map((input) => node.inputs[input]), node.outputs[output]], flops),
    }),
    formula,
  };
}

/** A function of one tensor, with the ops that it and its gradient are. */
export interface Unary {
  (graph: Graph, x: Tensor): Tensor;
  readonly op: ElementwiseOp<'x', 'y'>;
  readonly backward: ElementwiseOp<'x' | 'y' | 'dy', 'dx'>;
}

/**
 * Makes an activation y = f(x) and its gradient, which is an op of its own, `NAME_backward`: dx from dy and either x or y.
 * One that reads y lets x's memory be used for something else by then.
 */
export function unary(
  declaration: Formula & {
    readonly name: string;
    readonly half?: boolean;
    /** dx = f'(x) · dy as a function of `of` and dy, in this order. */
    readonly slope: Formula & { readonly of: 'x' | 'y' };
  },
): Unary {
  const { slope, ...forward } = declaration;
  const { of, ...formula } = slope;
  const { name, half = true } = forward;
  const backward = elementwiseOp<'x' | 'y' | 'dy', 'dx'>({
    ...formula,
    name: `${name}_backward`,
    inputs: [of, 'dy'],
    output: 'dx',
    half,
    gradient: null,
  });
  const op = elementwiseOp<'x'>({
    ...forward,
    inputs: ['x'],
    gradient: ({ graph, inputs: { x }, outputs: { y }, cotangents: { y: dy } }) => ({
      // The op asks for what it reads alone.
      x: dy && graph.apply(backward, { x, y, dy }, {}).dx,
    }),
  });
  return Object.assign((graph: Graph, x: Tensor): Tensor => graph.apply(op, { x }, {}).y, { op, backward });
}

/** The shape rule of an output shaped like all inputs. Throws GraphError where they differ. */
export function sameShape(inputs: Readonly<Record<string, Tensor | undefined>>): TensorSpec {
  const [first, ...others] = Object.values(inputs).filter((tensor) => tensor !== undefined);
  if (!first) throw new GraphError('there is no input');
  for (const other of others)
    if (formatShape(other.shape) !== formatShape(first.shape))
      throw new GraphError(
        `shapes must be equal, they are ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
      );
  return { shape: first.shape, dtype: 'f32' };
}

/** The cost of touching each of `tensors` once, with `flopsPerElement` operations for each element of the first. */
export const elementwiseCost = (tensors: readonly Tensor[], flopsPerElement: number) => ({
  flops: flopsPerElement * elements((tensors[0] as Tensor).shape),
  bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
});
