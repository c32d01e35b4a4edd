/** x [..., c] → its pieces along the channels, y0 [..., sizes[0]], y1 [..., sizes[1]], …, in one dispatch. */
import { bytesOf, GraphError, type Graph, type Tensor } from '../graph';
import {
  channelsKernel,
  channelsOf,
  checkSizes,
  eachOfPiece,
  pieceNames,
  sum,
  type ChannelAttrs,
} from './channels';
import { joinPieces } from './concat';
import { defineOp } from './definition';

const OUTPUTS = pieceNames('y');

/** Its gradient is the concatenation of the pieces' cotangents. */
export const splitOp = defineOp({
  name: 'split',
  inputs: ['x'],
  optional: [],
  outputs: OUTPUTS,
  half: OUTPUTS,
  shape({ x }, { sizes }: ChannelAttrs) {
    checkSizes(sizes);
    if (sum(sizes) !== channelsOf(x.shape))
      throw new GraphError(`${sizes.join(' + ')} must add up to the ${channelsOf(x.shape)} channels of x`);
    return Object.fromEntries(
      sizes.map((size, i) => [`y${i}`, { shape: [...x.shape.slice(0, -1), size], dtype: 'f32' }]),
    );
  },
  kernels: ({ inputs: { x }, outputs, attrs }, lowering) => [
    channelsKernel(
      'split',
      x,
      Object.values(outputs).map((y) => (lowering.isUsed(y) ? y : undefined)),
      attrs,
      lowering,
    ),
  ],
  gradient: ({ graph, cotangents, attrs }) => ({
    x: joinPieces(
      graph,
      attrs.sizes.map((_, i) => cotangents[`y${i}`]),
      attrs,
    ),
  }),
  reference: ({ x }, attrs) =>
    Object.fromEntries(
      attrs.sizes.map((size, piece) => {
        const rows = x.data.length / channelsOf(x.shape);
        const y = new Float64Array(rows * size);
        eachOfPiece(attrs, piece, rows, (to, from) => (y[to] = x.data[from] as number));
        return [`y${piece}`, y];
      }),
    ),
  cost: ({ inputs: { x }, outputs }) => ({
    flops: 0,
    bytes: bytesOf(x) + Object.values(outputs).reduce((bytes, y) => bytes + bytesOf(y), 0),
  }),
});

/** The pieces of x along its last axis; `sizes` must add up to its length. At most seven. */
export function splitChannels<const Sizes extends readonly number[]>(
  graph: Graph,
  x: Tensor,
  sizes: Sizes,
): { readonly [piece in keyof Sizes]: Tensor } {
  const outputs = graph.apply(splitOp, { x }, { sizes });
  return sizes.map((_, i) => outputs[`y${i}`]) as { readonly [piece in keyof Sizes]: Tensor };
}
