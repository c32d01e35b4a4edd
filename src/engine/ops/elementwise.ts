/** What the ops that treat each element alone have in common; shaders/elementwise.wgsl holds their formulas. */
import activation from '../../../shaders/activation.wgsl?raw';
import source from '../../../shaders/elementwise.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Tensor, type TensorSpec } from '../graph';
import type { Dispatch, Lowering } from './definition';
import { kernel, passesOf, read, write } from './kernel';

const WORKGROUP = 64;
/** Elements a thread handles: one vec4. */
const PER_THREAD = 4;

/** e^88 is 1.7e38, half of float32's largest value. */
export const MAX_EXPONENT = 88;

/** y = formula(inputs…) over equally shaped tensors. `formula` is the name of a function in the shader. */
export function elementwiseKernel(
  formula: string,
  inputs: readonly Tensor[],
  output: Tensor,
  { software }: Lowering,
): Dispatch {
  const count = elements(output.shape);
  const vector = count % PER_THREAD === 0;
  const type = vector ? 'vec4f' : 'f32';
  const threads = vector ? count / PER_THREAD : count;
  const PER = passesOf(threads, WORKGROUP, software, 1);
  return kernel({
    name: formula,
    source: activation + source,
    defines: {
      WORKGROUP,
      FORMULA: formula,
      TYPE: type,
      INPUTS: inputs.length,
      MAX_EXPONENT,
    },
    sizes: { PER, THREADS: threads },
    bindings: [...inputs.map((tensor, i) => read(`x${i}`, tensor, type)), write('y', output, type)],
    workgroups: Math.ceil(threads / (WORKGROUP * PER)),
  });
}

export function sameShape(inputs: Readonly<Record<string, Tensor>>): TensorSpec {
  const [first, ...others] = Object.values(inputs) as [Tensor, ...Tensor[]];
  for (const other of others)
    if (formatShape(other.shape) !== formatShape(first.shape))
      throw new GraphError(
        `shapes must be equal, they are ${formatShape(first.shape)} and ${formatShape(other.shape)}`,
      );
  return { shape: first.shape, dtype: 'f32' };
}

export const elementwiseCost = (tensors: readonly Tensor[], flopsPerElement: number) => ({
  flops: flopsPerElement * elements((tensors[0] as Tensor).shape),
  bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
});
