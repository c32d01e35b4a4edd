/** A maker of ops that are one product of two matrices: shape rule, kernels, float64 reference and cost from what is multiplied. */
import type { Shape, Tensor, TensorSpec } from '../graph';
import { defineOp, type GradientRule, type OpDefinition } from './definition';
import { gemmCost, gemmKernels, gemmReference, gemmVariants, type Gemm } from './gemm';

export interface ProductAttrs {
  /** Products that are computed at once; 1 where left out. */
  readonly groups?: number;
}

interface Product<A extends string, B extends string, Out extends string, Bias extends string> {
  readonly name: string;
  /** The input that is the left factor, [m, k], or [k, m] where not `aKMajor`. */
  readonly a: A;
  readonly aKMajor: boolean;
  /** The input that is the right factor, [n, k], or [k, n] where not `bKMajor`. */
  readonly b: B;
  readonly bKMajor: boolean;
  /** An optional input [n] that is added to every row. */
  readonly bias?: Bias;
  readonly output: Out;
  /** Whether mixed precision stores the output in float16. */
  readonly half: boolean;
  /** Throws GraphError with what was expected. */
  shape(
    inputs: Readonly<Record<A | B, { shape: Shape }> & { [name in Bias]?: { shape: Shape } }>,
    groups: number,
  ): {
    /** Of each group. */
    readonly m: number;
    readonly n: number;
    readonly k: number;
    /** The output's shape, groups · m · n elements. */
    readonly shape: Shape;
  };
  readonly gradient: GradientRule<A | B, Bias, Out, ProductAttrs> | null;
}

/** Makes the op C = A B (+ bias) with the variants of shaders/matmul.wgsl. */
export function productOp<
  const A extends string,
  const B extends string,
  const Out extends string,
  const Bias extends string = never,
>(product: Product<A, B, Out, Bias>): OpDefinition<A | B, Bias, Out, ProductAttrs> {
  const { name, a, aKMajor, b, bKMajor, bias, output, half, gradient } = product;
  type Node = Parameters<OpDefinition<A | B, Bias, Out, ProductAttrs>['cost']>[0];
  const gemm = ({ inputs, outputs, attrs: { groups = 1 } }: Node): Gemm => {
    const { m, n, k } = product.shape(inputs, groups);
    const added: Tensor | undefined = bias && inputs[bias];
    const operands = { a: inputs[a], aKMajor, b: inputs[b], bKMajor, bias: added, y: outputs[output] };
    return { name, ...operands, m, n, k, groups };
  };
  return defineOp<A | B, Bias, Out, ProductAttrs>({
    name,
    inputs: [a, b],
    optional: bias === undefined ? [] : [bias],
    outputs: [output],
    ...(half && { half: [output] }),
    shape: (inputs, { groups = 1 }) =>
      ({ [output]: { shape: product.shape(inputs, groups).shape, dtype: 'f32' } }) as Record<Out, TensorSpec>,
    variants: (node, lowering) => gemmVariants(gemm(node), lowering),
    kernels: (node, lowering, variant) => gemmKernels(gemm(node), lowering, variant),
    gradient,
    reference: (values, { groups = 1 }) => {
      const sizes = product.shape(values, groups);
      const y = gemmReference(values[a].data, values[b].data, { ...sizes, groups, aKMajor, bKMajor });
      const added = bias && values[bias]?.data;
      const result = added ? y.map((value, i) => value + (added[i % (groups * sizes.n)] as number)) : y;
      return { [output]: result } as Record<Out, Float64Array>;
    },
    cost: (node) => gemmCost(gemm(node)),
  });
}
