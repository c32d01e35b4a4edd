/**
 * Split and concat along the channels, which are each other's gradients. Split: x [..., c] → its pieces y0 [..., sizes[0]],
 * y1 [..., sizes[1]], …; concat: pieces x0, x1, … → y [..., Σ sizes]. One dispatch each.
 */
import { bytesOf, formatShape, GraphError, type Tensor } from '../graph';
import {
  channelsKernel,
  channelsOf,
  checkSizes,
  eachOfPiece,
  pieceNames,
  sum,
  type ChannelAttrs,
} from './channels';
import { defineOp, type Builder } from './definition';

const PIECES_IN = pieceNames('x');

/** The number of channels of all blocks. */
const inBlocks = (size: number, { blocks = 1 }: ChannelAttrs): number => blocks * size;

const inOrder = <T>(inputs: Readonly<Record<string, T | undefined>>, { sizes }: ChannelAttrs) =>
  sizes.map((_, i) => inputs[`x${i}`]);

/** A piece that is not given is zeros. Its gradient is the split of the cotangent. */
export const concatOp = defineOp({
  name: 'concat',
  inputs: [],
  optional: PIECES_IN,
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
      const expected = formatShape([...leading, inBlocks(sizes[i] as number, attrs)]);
      if (piece && formatShape(piece.shape) !== expected)
        throw new GraphError(`x${i} must be ${expected}, it is ${formatShape(piece.shape)}`);
    });
    return { y: { shape: [...leading, inBlocks(sum(sizes), attrs)], dtype: 'f32' } };
  },
  kernels: ({ inputs, outputs: { y }, attrs }, lowering) => [
    channelsKernel('concat', y, inOrder<Tensor>(inputs, attrs), attrs, lowering),
  ],
  gradient({ graph, cotangents: { y: dy }, attrs }) {
    if (!dy) return {};
    return Object.fromEntries(
      splitChannels(graph, dy, attrs.sizes, attrs.blocks).map((dx, i) => [`x${i}`, dx]),
    );
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
const joinPieces = (graph: Builder, pieces: readonly (Tensor | undefined)[], attrs: ChannelAttrs): Tensor =>
  graph.apply(concatOp, Object.fromEntries(pieces.map((piece, i) => [`x${i}`, piece])), attrs).y;

/** Tensors that differ only in their last axis, side by side along it. At most seven. */
export const concatChannels = (graph: Builder, tensors: readonly Tensor[]): Tensor =>
  joinPieces(graph, tensors, { sizes: tensors.map(({ shape }) => channelsOf(shape)) });

const PIECES_OUT = pieceNames('y');

/** Its gradient is the concatenation of the pieces' cotangents. */
export const splitOp = defineOp({
  name: 'split',
  inputs: ['x'],
  optional: [],
  outputs: PIECES_OUT,
  half: PIECES_OUT,
  shape({ x }, attrs: ChannelAttrs) {
    const { sizes, blocks = 1 } = attrs;
    checkSizes(sizes);
    if (inBlocks(sum(sizes), attrs) !== channelsOf(x.shape))
      throw new GraphError(
        `${sizes.join(' + ')} must add up to the ${channelsOf(x.shape)} channels of x${blocks > 1 ? ` in ${blocks} blocks` : ''}`,
      );
    return Object.fromEntries(
      sizes.map((size, i) => [
        `y${i}`,
        { shape: [...x.shape.slice(0, -1), inBlocks(size, attrs)], dtype: 'f32' },
      ]),
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
        const rows = x.data.length / sum(attrs.sizes);
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

/** The pieces of x along its last axis, or of each of its `blocks`; `sizes` must add up to its length. At most seven. */
export function splitChannels<const Sizes extends readonly number[]>(
  graph: Builder,
  x: Tensor,
  sizes: Sizes,
  blocks = 1,
): { readonly [piece in keyof Sizes]: Tensor } {
  const outputs = graph.apply(splitOp, { x }, { sizes, blocks });
  return sizes.map((_, i) => outputs[`y${i}`]) as { readonly [piece in keyof Sizes]: Tensor };
}
