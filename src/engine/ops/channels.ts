/** What split and concat have in common: one tensor [..., c] and its pieces along the channels. */
import source from '../../../shaders/channels.wgsl?raw';
import { elements, GraphError, type Shape, type Tensor } from '../graph';
import type { Dispatch, Lowering } from './definition';
import { kernel, passesOf, read, write } from './kernel';

const WORKGROUP = 64;

/** A kernel binds eight buffers, the whole being one of them. */
export const MAX_PIECES = 7;

export interface ChannelAttrs {
  /** Channels of each piece. */
  readonly sizes: readonly number[];
  /** Into how many equal blocks the whole is cut first, each of which has all the pieces; 1 where left out. */
  readonly blocks?: number;
}

/** Names `prefix`0 … `prefix`6. */
export const pieceNames = (prefix: string): readonly string[] =>
  Array.from({ length: MAX_PIECES }, (_, i) => `${prefix}${i}`);

/** The sum of the sizes. */
export const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

/** The first channel of a piece in the whole. */
const startOf = (sizes: readonly number[], piece: number): number => sum(sizes.slice(0, piece));

/** The size of the last axis; 1 for a scalar. */
export const channelsOf = (shape: Shape): number => shape.at(-1) ?? 1;

/** Throws GraphError unless there are 1 to 7 pieces. */
export function checkSizes(sizes: readonly number[]): void {
  if (sizes.length === 0 || sizes.length > MAX_PIECES)
    throw new GraphError(`a kernel handles 1 to ${MAX_PIECES} pieces, ${sizes.length} were asked for`);
}

/** `pieces` holds the whole's pieces in order; those left out are neither written nor read. */
export function channelsKernel(
  name: 'split' | 'concat',
  whole: Tensor,
  pieces: readonly (Tensor | undefined)[],
  { sizes }: ChannelAttrs,
  { software }: Lowering,
): Dispatch {
  const split = name === 'split';
  const width = sizes.every((size) => size % 4 === 0) ? 4 : 1;
  const type = width === 4 ? 'vec4f' : 'f32';
  const count = elements(whole.shape) / width;
  const present = sizes
    .map((size, i) => ({ tensor: pieces[i], size: size / width, start: startOf(sizes, i) / width }))
    .filter((piece): piece is typeof piece & { tensor: Tensor } => piece.tensor !== undefined);
  const list = (values: readonly number[]): string => values.map((value) => `${value}u`).join(', ');
  return kernel({
    name,
    source,
    defines: {
      SPLIT: split,
      TYPE: type,
      CHANNELS: sum(sizes) / width,
      PIECES: present.length,
      STARTS: list(present.map(({ start }) => start)),
      SIZES: list(present.map(({ size }) => size)),
    },
    bindings: [
      (split ? read : write)('whole', whole, type),
      ...present.map(({ tensor }, i) => (split ? write : read)(`piece${i}`, tensor, type)),
    ],
    items: count,
    per: passesOf(count, WORKGROUP, software, 1),
    workgroup: WORKGROUP,
  });
}

/** Calls `visit` with the index of each value of piece `piece` and its index in the whole. */
export function eachOfPiece(
  { sizes }: ChannelAttrs,
  piece: number,
  rows: number,
  visit: (inPiece: number, inWhole: number) => void,
): void {
  const channels = sum(sizes);
  const start = startOf(sizes, piece);
  const size = sizes[piece] ?? 0;
  for (let row = 0; row < rows; row++)
    for (let c = 0; c < size; c++) visit(row * size + c, row * channels + start + c);
}
