/** y[b, t, d] = x[b, l − 1 − t, d]: time runs backwards. */
import source from '../../../shaders/flip_time.wgsl?raw';
import { elements, formatShape, GraphError, type Shape, type Tensor } from '../graph';
import { type Builder, defineOp } from './definition';
import { elementwiseCost } from './elementwise';
import { kernel, read, write } from './kernel';

const sizes = (shape: Shape) => {
  const [batch, length, channels, ...rest] = shape;
  if (batch === undefined || length === undefined || channels === undefined || rest.length > 0)
    throw new GraphError(`x must be [batch, length, channels], it is ${formatShape(shape)}`);
  return { batch, length, channels };
};

/** x [b, l, d] → y [b, l, d]. Its gradient is itself. */
export const flipTimeOp = defineOp({
  name: 'flip_time',
  inputs: ['x'],
  optional: [],
  outputs: ['y'],
  half: ['y'],
  shape({ x }) {
    sizes(x.shape);
    return { y: { shape: x.shape, dtype: 'f32' } };
  },
  kernels({ inputs: { x }, outputs: { y } }) {
    const { length, channels } = sizes(x.shape);
    const width = channels % 4 === 0 ? 4 : 1;
    const type = width === 4 ? 'vec4f' : 'f32';
    return [
      kernel({
        name: 'flip_time',
        source,
        defines: { L: length, C: channels / width },
        bindings: [read('x', x, type), write('y', y, type)],
        threads: elements(x.shape) / width,
      }),
    ];
  },
  gradient: ({ graph, cotangents: { y: dy } }) => ({ x: dy && flipTime(graph, dy) }),
  reference({ x }) {
    const { batch, length, channels } = sizes(x.shape);
    const y = new Float64Array(x.data.length);
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < length; t++) {
        const from = (b * length + length - 1 - t) * channels;
        y.set(x.data.subarray(from, from + channels), (b * length + t) * channels);
      }
    return { y };
  },
  cost: ({ inputs, outputs }) => elementwiseCost([inputs.x, outputs.y], 0),
});

/** x [b, l, d] with its steps in reverse. */
export const flipTime = (graph: Builder, x: Tensor): Tensor => graph.apply(flipTimeOp, { x }, {}).y;
