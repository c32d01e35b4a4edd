/** Convolutions of several groups: one channel a group by shaders/conv1d_depthwise.wgsl, others by conv1d_grouped.wgsl. */
import depthwiseSource from '../../../shaders/conv1d_depthwise.wgsl?raw';
import groupedSource from '../../../shaders/conv1d_grouped.wgsl?raw';
import { elements, type Tensor } from '../graph';
import { channelSums } from './channel_sums';
import type { Conv1dSizes } from './conv1d_shared';
import type { Binding, Dispatch, Lowering } from './definition';
import { kernel, read, write } from './kernel';
import { sumPartials } from './sum_partials';

const isDepthwise = ({ groups, channels, outputs }: Conv1dSizes): boolean =>
  groups === channels && groups === outputs;

/** Steps a thread walks. */
const STEPS = 32;
/** The minimum of a partial sum's rows, and the maximum of partial sums: they are added one after another. */
const ROWS = 128;
const MAX_PARTIALS = 512;

interface Depthwise {
  readonly lines: number;
  readonly length: number;
  readonly stride: number;
  readonly shift: number;
  readonly steps: number;
  readonly flip?: boolean;
  readonly biased?: boolean;
  readonly weights?: boolean;
}

function depthwise(
  name: string,
  { batch, channels, kernel: taps }: Conv1dSizes,
  { lines, length, stride, shift, steps, flip = false, biased = false, weights = false }: Depthwise,
  bindings: (type: 'vec4f' | 'f32') => readonly Binding[],
): Dispatch {
  const vector = channels % 4 === 0;
  const d = vector ? channels / 4 : channels;
  return kernel({
    name,
    source: depthwiseSource,
    defines: {
      VECTOR: vector,
      TYPE: vector ? 'vec4f' : 'f32',
      WEIGHTS: weights,
      FLIP: flip,
      BIAS: biased,
      L: length,
      D: d,
      LINES: lines,
      STRIDE: stride,
      SHIFT: shift,
      TAPS: taps,
      SPAN: steps,
      SPANS: Math.ceil(lines / steps),
    },
    bindings: bindings(vector ? 'vec4f' : 'f32'),
    threads: batch * Math.ceil(lines / steps) * d,
  });
}

function grouped(
  name: string,
  sizes: Conv1dSizes,
  form: 0 | 1 | 2,
  bindings: readonly Binding[],
  { count, biased = false, span = 1 }: { count: number; biased?: boolean; span?: number },
): Dispatch {
  const { batch, length, channels, lines, outputs, kernel: taps, stride, padding, groups } = sizes;
  return kernel({
    name,
    source: groupedSource,
    defines: {
      FORM: form,
      BIAS: biased,
      L: length,
      LINES: lines,
      GROUPS: groups,
      IN: channels / groups,
      OUT: outputs / groups,
      KERNEL: taps,
      STRIDE: stride,
      PADDING: padding,
      ROWS: batch * lines,
      SPAN: span,
    },
    bindings,
    threads: count,
  });
}

function forward(
  name: string,
  sizes: Conv1dSizes,
  { x, weight, bias, y }: { x: Tensor; weight: Tensor; bias: Tensor | undefined; y: Tensor },
): Dispatch[] {
  const biased = bias !== undefined;
  const bindings = (type?: 'vec4f' | 'f32') => [
    read('x', x, type),
    read('weight', weight),
    ...(bias ? [read('bias', bias, type)] : []),
    write('y', y, type),
  ];
  if (!isDepthwise(sizes)) return [grouped(name, sizes, 0, bindings(), { count: elements(y.shape), biased })];
  const { lines, length, stride, padding } = sizes;
  return [depthwise(name, sizes, { lines, length, stride, shift: padding, steps: STEPS, biased }, bindings)];
}

function transposed(
  name: string,
  sizes: Conv1dSizes,
  { dy, weight, bias, dx }: { dy: Tensor; weight: Tensor; bias: Tensor | undefined; dx: Tensor },
): Dispatch[] {
  const biased = bias !== undefined;
  const bindings = (from: string, type?: 'vec4f' | 'f32') => [
    read(from, dy, type),
    read('weight', weight),
    ...(bias ? [read('bias', bias, type)] : []),
    write('y', dx, type),
  ];
  const { lines, length, stride, padding, kernel: taps } = sizes;
  if (!isDepthwise(sizes) || stride !== 1)
    return [grouped(name, sizes, 1, bindings('dy'), { count: elements(dx.shape), biased })];
  const windows = { lines: length, length: lines, stride, shift: taps - 1 - padding, steps: STEPS };
  return [depthwise(name, sizes, { ...windows, flip: true, biased }, (type) => bindings('x', type))];
}

function weights(
  name: string,
  sizes: Conv1dSizes,
  { x, dy, dweight }: { x: Tensor; dy: Tensor; dweight: Tensor },
  lowering: Lowering,
): Dispatch[] {
  const { batch, length, lines, channels, stride, padding, kernel: taps } = sizes;
  const rows = batch * lines;
  const span = Math.max(ROWS, Math.ceil(rows / MAX_PARTIALS));
  if (isDepthwise(sizes)) {
    const split = batch * Math.ceil(lines / span);
    const partial = lowering.scratch('partial', [split, taps, channels]);
    const windows = { lines, length, stride, shift: padding, steps: span, weights: true };
    const bindings = (type: 'vec4f' | 'f32') => [
      read('x', x, type),
      read('dy', dy, type),
      write('partial', partial, type),
    ];
    return [depthwise(name, sizes, windows, bindings), channelSums(partial, split, lowering, dweight)];
  }
  const split = Math.ceil(rows / span);
  const partial = lowering.scratch('partial', [split, ...dweight.shape]);
  const bindings = [read('x', x), read('dy', dy), write('y', partial)];
  return [
    grouped(name, sizes, 2, bindings, { count: elements(partial.shape), span }),
    sumPartials(partial, dweight, split, lowering),
  ];
}

/** The dispatches of a convolution of several groups and of its two gradients. */
export const groupedConvolutions = { forward, transposed, weights } as const;
