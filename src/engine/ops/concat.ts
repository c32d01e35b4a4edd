/** Pieces x0 [..., sizes[0]], x1 [..., sizes[1]], … → y [..., Σ sizes], in one dispatch. */
import { bytesOf, formatShape, GraphError, type Graph, type Tensor } from '../graph';
import {
  channelsKernel,
  channelsOf,
  checkSizes,
  eachOfPiece,
  pieceNames,
  sum,
  type ChannelAttrs,
} from './channels';
import { defineOp } from './definition';
import { splitChannels } from './split';

const OPTIONAL = pieceNames('x');

const inOrder = <T>(inputs: Readonly<Record<string, T | undefined>>, { sizes }: ChannelAttrs) =>
  sizes.map((_, i) => inputs[`x${i}`]);

/** A piece that is not given is zeros. Its gradient is the split of the cotangent. */
export const concatOp = defineOp({
  name: 'concat',
  inputs: [],
  optional: OPTIONAL,
  outputs: ['y'],
  half: ['y'],
  shape(inputs, attrs: ChannelAttrs) {
    const { sizes } = attrs;
    checkSizes(sizes);
    const pieces = inOrder<Tensor>(inputs, attrs);
    const first = pieces.find((piece) => piece !== undefined);
    if (!first) throw new GraphError('at least one piece must be given');
    const leading = first.shape.slice(0, -1);
    pieces.forEach((piece, i) => {
      const expected = formatShape([...leading, sizes[i] as number]);
      if (piece && formatShape(piece.shape) !== expected)
        throw new GraphError(`x${i} must be ${expected}, it is ${formatShape(piece.shape)}`);
    });
    return { y: { shape: [...leading, sum(sizes)], dtype: 'f32' } };
  },
  kernels: ({ inputs, outputs: { y }, attrs }, lowering) => [
    channelsKernel('concat', y, inOrder<Tensor>(inputs, attrs), attrs, lowering),
  ],
  gradient({ graph, cotangents: { y: dy }, attrs }) {
    if (!dy) return {};
    return Object.fromEntries(splitChannels(graph, dy, attrs.sizes).map((dx, i) => [`x${i}`, dx]));
  },
  reference(inputs, attrs) {
    const pieces = inOrder(inputs, attrs);
    const at = pieces.findIndex((piece) => piece !== undefined);
    const rows = (pieces[at]?.data.length ?? 0) / (attrs.sizes[at] ?? 1);
    const y = new Float64Array(rows * sum(attrs.sizes));
    pieces.forEach((piece, i) => {
      if (piece) eachOfPiece(attrs, i, rows, (from, to) => (y[to] = piece.data[from] as number));
    });
    return { y };
  },
  cost: ({ inputs, outputs: { y } }) => ({
    flops: 0,
    bytes: Object.values(inputs).reduce((bytes, piece) => bytes + (piece ? bytesOf(piece) : 0), bytesOf(y)),
  }),
});

/** The whole of which `pieces` are the pieces of `sizes`; a missing one is zeros, but not all may be missing. */
export const joinPieces = (
  graph: Graph,
  pieces: readonly (Tensor | undefined)[],
  attrs: ChannelAttrs,
): Tensor => graph.apply(concatOp, Object.fromEntries(pieces.map((piece, i) => [`x${i}`, piece])), attrs).y;

/** Tensors that differ only in their last axis, side by side along it. At most seven. */
export const concatChannels = (graph: Graph, tensors: readonly Tensor[]): Tensor =>
  joinPieces(graph, tensors, { sizes: tensors.map(({ shape }) => channelsOf(shape)) });
