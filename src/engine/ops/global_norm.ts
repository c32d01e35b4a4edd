/** Euclidean norm of all gradients together, which clipping compares with its bound. */
import source from '../../../shaders/global_norm.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Tensor } from '../graph';
import { defineOp } from './definition';
import { kernel, read, write } from './kernel';
import { sumDefines, sumInOrder } from './sum_in_order';

/** Values a thread of the first stage squares at least, and the maximum of its threads: then both stages are short. */
const SHORTEST_SPAN = 32;
const MAX_THREADS = { software: 16_384, gpu: 32_768 } as const;
/** Threads of the second stage. */
const LANES = 256;

/**
 * gradient [n] → norm [1] = √Σ gradient², times `factor` [1] where given. The padding of a pack is 0 and counts for nothing.
 * `halted` [1], u32, becomes 1 where the norm, or `loss` [1], is not finite, and stays 1.
 */
export const globalNormOp = defineOp({
  name: 'global_norm',
  inputs: ['gradient'],
  optional: ['factor', 'halted', 'loss'],
  outputs: ['norm'],
  mutates: ['halted'],
  shape({ gradient, factor, halted, loss }) {
    for (const [name, tensor] of Object.entries({ factor, loss }))
      if (tensor && elements(tensor.shape) !== 1)
        throw new GraphError(`${name} must be [1], it is ${formatShape(tensor.shape)}`);
    if (halted && (elements(halted.shape) !== 1 || halted.dtype !== 'u32'))
      throw new GraphError(
        `halted must be [1] of u32, it is ${formatShape(halted.shape)} of ${halted.dtype}`,
      );
    if (elements(gradient.shape) % 4 !== 0)
      throw new GraphError('the length of the gradient must be a multiple of 4');
    return { norm: { shape: [1], dtype: 'f32' } };
  },
  kernels({ inputs: { gradient, factor, halted, loss }, outputs: { norm } }, lowering) {
    const count = elements(gradient.shape);
    const threads = Math.min(
      Math.ceil(count / SHORTEST_SPAN),
      MAX_THREADS[lowering.software ? 'software' : 'gpu'],
    );
    const partial = lowering.scratch('partial', [threads]);
    const defines = {
      PARTIALS: threads,
      VECTORS: count / 4,
      FACTOR: factor !== undefined,
      HALTS: halted !== undefined,
      LOSS: loss !== undefined,
    };
    return [
      kernel({
        name: 'global_norm.partial',
        source: sumInOrder + source,
        defines: { ...defines, PARTIAL: true, HALTS: false, ...sumDefines('square', lowering.software) },
        bindings: [read('gradient', gradient, 'vec4f'), write('partial', partial)],
        threads,
      }),
      kernel({
        name: 'global_norm',
        source: sumInOrder + source,
        defines: { ...defines, PARTIAL: false, ...sumDefines('read_partial', lowering.software, LANES) },
        bindings: [
          read('partial', partial),
          ...(factor ? [read('factor', factor)] : []),
          write('norm', norm),
          ...(halted ? [write('halted', halted), ...(loss ? [read('loss', loss)] : [])] : []),
        ],
        workgroup: LANES,
        workgroups: 1,
      }),
    ];
  },
  gradient: null,
  reference({ gradient, factor, halted, loss }) {
    const norm =
      (factor?.data[0] ?? 1) * Math.sqrt(gradient.data.reduce((sum, value) => sum + value * value, 0));
    const finite = [norm, loss?.data[0] ?? 0].every((value) => Number.isFinite(Math.fround(value)));
    const halts = halted?.data[0] === 1 || !finite;
    return { norm: Float64Array.of(norm), ...(halted && { halted: Float64Array.of(halts ? 1 : 0) }) };
  },
  cost: ({ inputs: { gradient }, outputs: { norm } }) => ({
    flops: 2 * elements(gradient.shape) + 1,
    bytes: bytesOf(gradient) + bytesOf(norm),
  }),
});

/** The Euclidean norm [1] of gradient [n]; see globalNormOp. */
export const globalNorm = (
  graph: Graph,
  gradient: Tensor,
  optional: { readonly [name in 'factor' | 'halted' | 'loss']?: Tensor | undefined } = {},
): Tensor => graph.apply(globalNormOp, { gradient, ...optional }, {}).norm;
