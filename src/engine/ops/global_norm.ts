/** Euclidean norm of all gradients together, which clipping compares with its bound. */
import source from '../../../shaders/global_norm.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Tensor } from '../graph';
import { defineOp } from './definition';
import { kernel, read, write } from './kernel';

/** Values a thread of the first stage squares at least, and the maximum of its threads: then both stages are short. */
const SHORTEST_SPAN = 32;
const MAX_THREADS = 16_384;

/** gradient [n] → norm [1] = √Σ gradient², times `factor` [1] where given. The padding of a pack is 0 and counts for nothing. */
export const globalNormOp = defineOp({
  name: 'global_norm',
  inputs: ['gradient'],
  optional: ['factor'],
  outputs: ['norm'],
  shape({ gradient, factor }) {
    if (factor && elements(factor.shape) !== 1)
      throw new GraphError(`factor must be [1], it is ${formatShape(factor.shape)}`);
    if (elements(gradient.shape) % 4 !== 0)
      throw new GraphError('the length of the gradient must be a multiple of 4');
    return { norm: { shape: [1], dtype: 'f32' } };
  },
  kernels({ inputs: { gradient, factor }, outputs: { norm } }, lowering) {
    const count = elements(gradient.shape);
    const threads = Math.min(Math.ceil(count / SHORTEST_SPAN), MAX_THREADS);
    const partial = lowering.scratch('partial', [threads]);
    const defines = { PARTIALS: threads, VECTORS: count / 4, FACTOR: factor !== undefined };
    return [
      kernel({
        name: 'global_norm.partial',
        source,
        defines: { ...defines, PARTIAL: true },
        bindings: [read('gradient', gradient, 'vec4f'), write('partial', partial)],
        threads,
      }),
      kernel({
        name: 'global_norm',
        source,
        defines: { ...defines, PARTIAL: false },
        bindings: [
          read('partial', partial),
          ...(factor ? [read('factor', factor)] : []),
          write('norm', norm),
        ],
        workgroup: 256,
        workgroups: 1,
      }),
    ];
  },
  gradient: null,
  reference: ({ gradient, factor }) => ({
    norm: Float64Array.of(
      (factor?.data[0] ?? 1) * Math.sqrt(gradient.data.reduce((sum, value) => sum + value * value, 0)),
    ),
  }),
  cost: ({ inputs: { gradient }, outputs: { norm } }) => ({
    flops: 2 * elements(gradient.shape) + 1,
    bytes: bytesOf(gradient) + bytesOf(norm),
  }),
});

/** The Euclidean norm [1] of gradient [n], times `factor` [1] where given. */
export const globalNorm = (graph: Graph, gradient: Tensor, factor?: Tensor): Tensor =>
  graph.apply(globalNormOp, { gradient, factor }, {}).norm;
