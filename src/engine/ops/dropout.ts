/** Dropout (Hinton et al. 2012) with a mask that is computed from counters instead of stored. */
import source from '../../../shaders/dropout.wgsl?raw';
import { elements, formatShape, GraphError, type Graph, type Tensor } from '../graph';
import { channelsOf } from './channels';
import { type Builder, defineOp, type StepScalars } from './definition';
import { elementwiseCost, sameShape } from './elementwise';
import { kernel, passesOf, read, write } from './kernel';

const WORKGROUP = 64;

export interface DropoutAttrs {
  /** Share of the elements that becomes 0, in [0, 1). */
  readonly rate: number;
  /** Keeps the masks of one graph's dropout layers apart. */
  readonly stream: number;
  /** Whether an element of the mask holds for one channel of [b, l, c] at all times (Dropout1d), or for one element. */
  readonly per: 'element' | 'channel';
}

type Words = readonly [number, number, number, number];

/** The hash in shaders/dropout.wgsl (pcg4d, Jarzynski & Olano 2020): four words to four random words. */
function pcg4d(key: Words): Words {
  const scramble = (word: number): number => (Math.imul(word, 1664525) + 1013904223) | 0;
  let [x, y, z, w] = [scramble(key[0]), scramble(key[1]), scramble(key[2]), scramble(key[3])];
  const mix = (): void => {
    x = (x + Math.imul(y, w)) | 0;
    y = (y + Math.imul(z, x)) | 0;
    z = (z + Math.imul(x, y)) | 0;
    w = (w + Math.imul(y, z)) | 0;
  };
  mix();
  x ^= x >>> 16;
  y ^= y >>> 16;
  z ^= z >>> 16;
  w ^= w >>> 16;
  mix();
  return [x >>> 0, y >>> 0, z >>> 0, w >>> 0];
}

const threshold = (rate: number): number => Math.floor(rate * 2 ** 32);

/** y = x · m / (1 − rate), m = 0 with probability `rate`, else 1. Its gradient is the same of dy, with the same m. */
export const dropoutOp = defineOp({
  name: 'dropout',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape(inputs, { rate, per }: DropoutAttrs) {
    if (!(rate >= 0 && rate < 1))
      throw new GraphError(`the rate must be at least 0 and below 1, it is ${rate}`);
    if (per === 'channel' && inputs.x.shape.length !== 3)
      throw new GraphError(`x must be [batch, length, channels], it is ${formatShape(inputs.x.shape)}`);
    return { y: sameShape(inputs) };
  },
  kernels({ inputs: { x }, outputs: { y }, attrs: { rate, stream, per } }, { software }) {
    const count = elements(x.shape);
    const byChannel = per === 'channel';
    const groups = Math.ceil(count / 4);
    const type = (byChannel ? channelsOf(x.shape) : count) % 4 === 0 ? 'vec4f' : 'f32';
    return [
      kernel({
        name: 'dropout',
        source,
        defines: {
          VECTOR: type === 'vec4f',
          BY_CHANNEL: byChannel,
          THRESHOLD: threshold(rate),
          SCALE: 1 / (1 - rate),
        },
        sizes: {
          COUNT: count,
          LENGTH: x.shape[1] ?? 1,
          CHANNELS: channelsOf(x.shape),
          STREAM: stream,
        },
        bindings: [read('x', x, type), write('y', y, type)],
        items: groups,
        per: passesOf(groups, WORKGROUP, software, 1),
        workgroup: WORKGROUP,
        usesStep: true,
      }),
    ];
  },
  gradient: ({ graph, attrs, cotangents: { y: dy } }) => ({ x: dy && masked(graph, dy, attrs) }),
  reference({ x }, { rate, stream, per }, { step, seed }: StepScalars) {
    const key = pcg4d([seed, step, stream, 0]);
    const channels = channelsOf(x.shape);
    const batchElement = channels * (x.shape[1] ?? 1);
    const drawn = (i: number): number =>
      per === 'channel' ? Math.floor(i / batchElement) * channels + (i % channels) : i;
    let group = -1;
    let bits = key;
    return {
      y: x.data.map((value, i) => {
        const at = drawn(i);
        if (Math.floor(at / 4) !== group) {
          group = Math.floor(at / 4);
          bits = pcg4d([key[0] + group, key[1], key[2], key[3]]);
        }
        return (bits[at % 4] as number) >= threshold(rate) ? value / (1 - rate) : 0;
      }),
    };
  },
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 16),
});

const masked = (graph: Builder, x: Tensor, attrs: DropoutAttrs): Tensor =>
  graph.apply(dropoutOp, { x }, attrs).y;

function layer(graph: Graph, x: Tensor, rate: number, per: DropoutAttrs['per']): Tensor {
  if (rate === 0) return x;
  const stream = graph.nodes.filter(({ op }) => op.name === dropoutOp.name).length;
  return masked(graph, x, { rate, stream, per });
}

/** x with a share `rate` of its elements dropped and the others scaled up; x itself at rate 0. */
export const dropout = (graph: Graph, x: Tensor, rate: number): Tensor => layer(graph, x, rate, 'element');

/** x [b, l, c] with a share `rate` of its channels dropped for all of time, each batch element's own; x itself at rate 0. */
export const dropout1d = (graph: Graph, x: Tensor, rate: number): Tensor => layer(graph, x, rate, 'channel');
