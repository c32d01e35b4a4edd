/** Convolutions of one group as products over overlapping windows; shaders/conv1d_operands.wgsl says how. */
import operandsSource from '../../../shaders/conv1d_operands.wgsl?raw';
import packSource from '../../../shaders/conv1d_pack.wgsl?raw';
import sumsSource from '../../../shaders/conv1d_weight_sums.wgsl?raw';
import { elements, type Tensor } from '../graph';
import type { Defines } from '../wgsl';
import type { Conv1dSizes } from './conv1d_shared';
import type { Dispatch, Lowering, Variant } from './definition';
import { productKernels, productVariants, type Product } from './gemm';
import { packWeight, type Making } from './conv1d_weights';
import { kernel, passesOf, read, write } from './kernel';
import { dividedSums, sumInOrder } from './sum_in_order';
import { sumPartials } from './sum_partials';

const fours = (count: number): number => Math.ceil(count / 4) * 4;

/** x with channels to the next four, and the dispatch that makes it where that is more than x has. */
function byFours(making: Making, name: string, x: Tensor): { x: Tensor; before: Dispatch[] } {
  const channels = x.shape.at(-1) as number;
  const TO = fours(channels);
  if (TO === channels) return { x, before: [] };
  const packed = making.scratch(name, [...x.shape.slice(0, -1), TO]);
  const items = elements(packed.shape);
  const dispatch = kernel({
    name: 'conv1d.channels',
    source: packSource,
    sizes: { TO, FROM: channels },
    bindings: [read('x', x), write('packed', packed)],
    items,
    per: passesOf(items, 64, making.software, 1),
  });
  return { x: packed, before: [dispatch] };
}

/** dweight from partial sums [split, outputs, taps, TO]. */
function weightSums(
  name: string,
  { partial, dweight, split }: { partial: Tensor; dweight: Tensor; split: number },
  layout: Readonly<Record<'KERNEL' | 'FROM' | 'TO' | 'STEP', number>>,
  software: boolean,
): Dispatch {
  const items = elements(dweight.shape);
  const { defines, sizes, ...teams } = dividedSums(items, split, software);
  return kernel({
    name: `${name}.sum`,
    source: sumInOrder + sumsSource,
    defines,
    sizes: { ...sizes, ...layout },
    bindings: [read('partial', partial), write('weight', dweight)],
    ...(defines.LANES > 1 ? teams : { items, per: passesOf(items, 64, software, 1) }),
  });
}

/** A product and the dispatches that prepare its operands. */
interface Prepared {
  readonly before: readonly Dispatch[];
  readonly product: Product;
}

interface Windows {
  readonly name: string;
  readonly batch: number;
  /** Steps and channels, to the next four, of what is read by windows. */
  readonly length: number;
  readonly channels: number;
  /** Windows of a batch element, steps between them and zeros before the first step. */
  readonly lines: number;
  readonly stride: number;
  readonly shift: number;
  readonly taps: number;
}

/** Whether some window reaches beyond the steps there are. */
const reachesOut = ({ length, lines, stride, shift, taps }: Windows): boolean =>
  shift > 0 || (lines - 1) * stride - shift + taps > length;

const windowDefines = (windows: Windows): Defines => ({
  GUARD: reachesOut(windows),
  BATCH: windows.batch,
  AHEAD: windows.shift < 0,
});

const windowSizes = (windows: Windows): Readonly<Record<string, number>> => ({
  L: windows.length,
  D: windows.channels / 4,
  LINES: windows.lines,
  STRIDE: windows.stride,
  SHIFT: windows.shift,
});

interface RowsOutput {
  readonly y: Tensor;
  readonly bias?: Tensor | undefined;
  /** Columns of a row. */
  readonly n: number;
  /** Where a row goes, unless rows follow each other. */
  readonly scatter?: { readonly length: number; readonly stride: number; readonly phase: number };
}

function rowsProduct(windows: Windows, x: Tensor, w: Tensor, { y, bias, n, scatter }: RowsOutput): Product {
  return {
    name: windows.name,
    m: windows.batch * windows.lines,
    n,
    k: windows.taps * windows.channels,
    aKMajor: true,
    bKMajor: true,
    vector: true,
    operands: operandsSource,
    defines: {
      ...windowDefines(windows),
      ROWS: true,
      SCATTER: scatter !== undefined,
    },
    sizes: {
      ...windowSizes(windows),
      OUT_LENGTH: scatter?.length ?? 0,
      OUT_STRIDE: scatter?.stride ?? 0,
      OUT_PHASE: scatter?.phase ?? 0,
      BIAS_LENGTH: bias ? elements(bias.shape) : 0,
    },
    bindings: [read('x', x, 'vec4f'), read('w', w, 'vec4f')],
    bias,
    y,
    ...(scatter ? {} : { sum: (partial, split, lowering) => sumPartials(partial, y, split, lowering, bias) }),
  };
}

/** y = conv(x) + bias. */
function forward(
  name: string,
  sizes: Conv1dSizes,
  { x, weight, bias, y }: { x: Tensor; weight: Tensor; bias: Tensor | undefined; y: Tensor },
  making: Making,
): Prepared[] {
  const { batch, length, channels, lines, outputs, kernel: taps, stride, padding } = sizes;
  const input = byFours(making, 'x', x);
  const TO = fours(channels);
  const windows = { name, batch, length, channels: TO, lines, stride, shift: padding, taps };
  // With one tap the weight already is what would be packed.
  const packed = taps === 1 && TO === channels ? weight : making.scratch('weight', [outputs, taps, TO]);
  const product = rowsProduct(windows, input.x, packed, { y, bias, n: outputs });
  if (packed === weight) return [{ before: input.before, product }];
  const weights = packWeight(making, {
    weight,
    packed,
    from: channels,
    block: outputs,
    rowStride: channels * taps,
    channelStride: taps,
    firstTap: 0,
    tapStep: 1,
  });
  return [{ before: [...input.before, weights], product }];
}

/**
 * dx (+ bias, as the transposed convolution of dy). Step p of dx takes the taps j ≡ p + padding (mod stride), so each
 * phase of p is a convolution of stride 1 over dy with every stride-th tap, backwards. Where the phases of a stride have
 * equal windows and their steps lie together, they are columns of one product.
 */
function transposed(
  name: string,
  sizes: Conv1dSizes,
  { dy, weight, bias, dx }: { dy: Tensor; weight: Tensor; bias: Tensor | undefined; dx: Tensor },
  making: Making,
): Prepared[] {
  const { batch, length, channels, lines, outputs, kernel: taps, stride, padding } = sizes;
  const output = byFours(making, 'dy', dy);
  const TO = fours(outputs);
  const together = padding === 0 && taps % stride === 0 && length % stride === 0;
  const phases = together ? 1 : stride;
  const prepared: Prepared[] = [];
  for (let phase = 0; phase < Math.min(phases, length); phase++) {
    const first = (phase + padding) % stride;
    const tapsHere = together ? taps / stride : Math.max(0, Math.ceil((taps - first) / stride));
    const n = together ? stride * channels : channels;
    const packed = making.scratch('weight', [n, Math.max(tapsHere, 1), TO]);
    // From the last tap to the first.
    const weights = packWeight(making, {
      weight,
      packed,
      from: outputs,
      block: channels,
      rowStride: taps,
      channelStride: channels * taps,
      firstTap: first + (tapsHere - 1) * stride,
      tapStep: -stride,
    });
    const windows = {
      name,
      batch,
      length: lines,
      channels: TO,
      lines: Math.ceil((length - phase) / (together || stride > 1 ? stride : 1)),
      stride: 1,
      shift: tapsHere - 1 - (phase + padding - first) / stride,
      taps: tapsHere,
    };
    const scatter = together || stride === 1 ? {} : { scatter: { length, stride, phase } };
    prepared.push({
      before: [...(phase === 0 ? output.before : []), ...(tapsHere > 0 ? [weights] : [])],
      product: rowsProduct(windows, output.x, packed, { y: dx, bias, n, ...scatter }),
    });
  }
  return prepared;
}

/** dweight [o, c, kernel]. */
function weights(
  name: string,
  sizes: Conv1dSizes,
  { x, dy, dweight }: { x: Tensor; dy: Tensor; dweight: Tensor },
  making: Making,
): Prepared[] {
  const { batch, length, channels, lines, outputs, kernel: taps, stride, padding } = sizes;
  const input = byFours(making, 'x', x);
  const output = byFours(making, 'dy', dy);
  const TO = fours(channels);
  const n = taps * TO;
  // What is walked at once, four lines or those of a tile, lies in one batch element.
  const step = making.software ? 4 : 16;
  const paddedLines = Math.ceil(lines / step) * step;
  const windows = { name, batch, length, channels: TO, lines, stride, shift: padding, taps };
  const product: Product = {
    name,
    m: outputs,
    n,
    k: batch * paddedLines,
    aKMajor: false,
    bKMajor: false,
    vector: true,
    operands: operandsSource,
    defines: {
      ...windowDefines(windows),
      ROWS: false,
      LINES_PADDED: lines < paddedLines,
    },
    sizes: {
      ...windowSizes(windows),
      PADDED_LINES: paddedLines,
      M_LINE: fours(outputs) / 4,
      CHANNELS: channels,
      KERNEL: taps,
    },
    bindings: [read('dy', output.x, 'vec4f'), read('x', input.x, 'vec4f')],
    y: dweight,
    strided: true,
    sum: (partial, split, { software }) =>
      weightSums(
        name,
        { partial, dweight, split },
        { KERNEL: taps, FROM: channels, TO, STEP: outputs * n },
        software,
      ),
  };
  return [{ before: [...input.before, ...output.before], product }];
}

/** The products that a convolution of one group and its two gradients are. */
export const convolutions = { forward, transposed, weights } as const;

/** Stand-in for a scratch tensor where only the product's shape counts. */
const shapeOnly: Lowering['scratch'] = (name, shape) => ({ id: 0, name, shape, dtype: 'f32', role: 'value' });

/** Choices for the largest of the products. */
export function preparedVariants(
  prepare: (making: Making) => Prepared[],
  lowering: Lowering,
): readonly [Variant, ...Variant[]] {
  const [first] = prepare({ scratch: shapeOnly, software: lowering.software });
  if (!first) throw new RangeError('a convolution has at least one product');
  return productVariants(first.product, lowering);
}

/** The dispatches of all products of `prepare`, each after those that prepare its operands. */
export const preparedKernels = (
  prepare: (making: Making) => Prepared[],
  lowering: Lowering,
  variant: Variant | undefined,
): Dispatch[] =>
  prepare(lowering).flatMap(({ before, product }) => [
    ...before,
    ...productKernels(product, lowering, variant),
  ]);
