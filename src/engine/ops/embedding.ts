/** Rows of a table, looked up by token. */
import source from '../../../shaders/embedding.wgsl?raw';
import { bytesOf, elements, formatShape, GraphError, type Graph, type Shape, type Tensor } from '../graph';
import { defineOp, type Value64 } from './definition';
import { kernel, read, write } from './kernel';
import { sumPartials } from './sum_partials';

function tableSizes(shape: Shape) {
  const [vocabulary, channels, ...rest] = shape;
  if (vocabulary === undefined || channels === undefined || rest.length > 0)
    throw new GraphError(`weight must be [vocabulary, channels], it is ${formatShape(shape)}`);
  const vector = channels % 4 === 0;
  const type = vector ? ('vec4f' as const) : ('f32' as const);
  return { vocabulary, channels, type, d: vector ? channels / 4 : channels };
}

/** Threads below which the backward pass cuts the rows into spans, and the minimum of a span's rows. */
const ENOUGH_THREADS = 8192;
const SHORTEST_SPAN = 64;

/**
 * y[r, :] = weight[tokens[r], :]: tokens [...] of u32, weight [v, d] → y [..., d]. A token outside the vocabulary reads
 * the last row; the reference throws.
 */
export const embeddingOp = defineOp({
  name: 'embedding',
  inputs: ['tokens', 'weight'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape({ tokens, weight }) {
    if (tokens.dtype !== 'u32') throw new GraphError(`tokens must be u32, they are ${tokens.dtype}`);
    return { y: { shape: [...tokens.shape, tableSizes(weight.shape).channels], dtype: 'f32' } };
  },
  kernels({ inputs: { tokens, weight }, outputs: { y } }) {
    const { vocabulary, type, d } = tableSizes(weight.shape);
    const threads = elements(tokens.shape) * d;
    return [
      kernel({
        name: 'embedding',
        source,
        defines: { FORWARD: true, D: d, VOCABULARY: vocabulary },
        bindings: [read('tokens', tokens), read('weight', weight, type), write('y', y, type)],
        threads,
      }),
    ];
  },
  gradient: ({ graph, inputs: { tokens, weight }, cotangents: { y: dy } }) => ({
    weight:
      dy &&
      graph.apply(embeddingBackwardOp, { tokens, dy }, { vocabulary: weight.shape[0] as number }).dweight,
  }),
  reference({ tokens, weight }) {
    const { vocabulary, channels } = tableSizes(weight.shape);
    const y = new Float64Array(tokens.data.length * channels);
    checkedTokens(tokens, vocabulary).forEach((token, r) =>
      y.set(weight.data.subarray(token * channels, (token + 1) * channels), r * channels),
    );
    return { y };
  },
  cost: ({ inputs: { tokens }, outputs: { y } }) => ({ flops: 0, bytes: bytesOf(tokens) + 2 * bytesOf(y) }),
});

/**
 * dweight[v, :] = Σ dy[r, :] over the rows r with token v, in ascending order within spans of rows: tokens [...],
 * dy [..., d] → dweight [v, d].
 */
export const embeddingBackwardOp = defineOp({
  name: 'embedding_backward',
  inputs: ['tokens', 'dy'],
  optional: [],
  outputs: ['dweight'],
  shape: ({ dy }, { vocabulary }: { readonly vocabulary: number }) => ({
    dweight: { shape: [vocabulary, dy.shape.at(-1) as number], dtype: 'f32' },
  }),
  kernels({ inputs: { tokens, dy }, outputs: { dweight } }, lowering) {
    const { vocabulary, channels, type, d } = tableSizes(dweight.shape);
    const rows = elements(tokens.shape);
    const per = d % 4 === 0 ? 4 : 1;
    const threads = (vocabulary * d) / per;
    const wanted = Math.min(Math.ceil(ENOUGH_THREADS / threads), Math.ceil(rows / SHORTEST_SPAN));
    const span = Math.ceil(rows / wanted);
    const split = Math.ceil(rows / span);
    const partial = split > 1 ? lowering.scratch('partial', [split, vocabulary, channels]) : dweight;
    const spans = kernel({
      name: 'embedding_backward',
      source,
      defines: {
        FORWARD: false,
        D: d,
        PER: per,
        VOCABULARY: vocabulary,
        ROWS: rows,
        SPAN: span,
        TYPE: type,
      },
      bindings: [read('tokens', tokens), read('dy', dy, type), write('partial', partial, type)],
      threads: threads * split,
    });
    return split > 1 ? [spans, sumPartials(partial, dweight, split, lowering)] : [spans];
  },
  gradient: null,
  reference({ tokens, dy }, { vocabulary }) {
    const channels = dy.shape.at(-1) as number;
    const dweight = new Float64Array(vocabulary * channels);
    checkedTokens(tokens, vocabulary).forEach((token, r) => {
      for (let c = 0; c < channels; c++)
        dweight[token * channels + c] =
          (dweight[token * channels + c] as number) + (dy.data[r * channels + c] as number);
    });
    return { dweight };
  },
  cost: ({ inputs: { tokens, dy }, outputs: { dweight } }) => ({
    flops: elements(dy.shape),
    bytes: bytesOf(tokens) + bytesOf(dy) + bytesOf(dweight),
  }),
});

/** The tokens; throws RangeError, as PyTorch does, for one outside the vocabulary. */
function checkedTokens({ data }: Value64, vocabulary: number): Float64Array {
  const wrong = data.find((token) => token >= vocabulary);
  if (wrong !== undefined) throw new RangeError(`token ${wrong} is outside the vocabulary of ${vocabulary}`);
  return data;
}

/** The rows of weight [v, d] that tokens [...] of u32 name, [..., d]. */
export const embedding = (graph: Graph, tokens: Tensor, weight: Tensor): Tensor =>
  graph.apply(embeddingOp, { tokens, weight }, {}).y;
