/** The gradient of BatchNorm, its ReLU included; shaders/batch_norm.wgsl. */
import { bytesOf, elements, type Tensor } from '../graph';
import { divide, type Activated } from './batch_norm_shared';
import { channelSums } from './channel_sums';
import { defineOp } from './definition';
import { read, write } from './kernel';

interface Attrs extends Activated {
  /** Whether the statistics were given, so that nothing flows through them. */
  readonly fixed: boolean;
}

/**
 * x and dy [..., c], weight and bias [c], stats [2, c] of the forward pass → dx, dweight, dbias. With N rows and
 * g = dy (where y > 0, if there is a ReLU): dweight = Σ g x̂, dbias = Σ g, dx = weight r (g − dbias / N − x̂ dweight / N).
 */
export const batchNormBackwardOp = defineOp({
  name: 'batch_norm_backward',
  inputs: ['x', 'weight', 'bias', 'stats', 'dy'],
  optional: [],
  outputs: ['dx', 'dweight', 'dbias'],
  half: ['dx'],
  shape: ({ x, weight, bias }, _: Attrs) => ({
    dx: { shape: x.shape, dtype: 'f32' },
    dweight: { shape: weight.shape, dtype: 'f32' },
    dbias: { shape: bias.shape, dtype: 'f32' },
  }),
  kernels({ inputs: { x, weight, bias, stats, dy }, outputs: { dx, dweight, dbias }, attrs }, lowering) {
    const { type, size, runs, stage } = divide(x, attrs, lowering);
    const masked = attrs.activation === 'relu';
    const DX = lowering.isUsed(dx);
    const given = (by: typeof type) => [read('x', x, by), read('stats', stats, by), read('dy', dy, by)];
    const dispatches = [];
    if (!attrs.fixed || lowering.isUsed(dweight) || lowering.isUsed(dbias)) {
      // By fours its eight rows under way spill on Intel.
      const sums = divide(x, attrs, lowering, lowering.software);
      const partial = lowering.scratch('partial', [runs, 2, size]);
      dispatches.push(
        sums.stage('batch_norm.sums', { SUMS: true }, [
          ...given(sums.type),
          ...(masked ? [read('weight', weight, sums.type), read('bias', bias, sums.type)] : []),
          write('partial', partial, sums.type),
        ]),
        channelSums(partial, runs, lowering, dweight, dbias),
      );
    }
    if (DX)
      dispatches.push(
        stage('batch_norm.dx', { DX: true, CONSTANT: attrs.fixed }, [
          ...given(type),
          read('weight', weight, type),
          ...(masked ? [read('bias', bias, type)] : []),
          ...(attrs.fixed ? [] : [read('dweight', dweight, type), read('dbias', dbias, type)]),
          write('dx', dx, type),
        ]),
      );
    return dispatches;
  },
  gradient: null,
  reference({ x, weight, bias, stats, dy }, { activation, fixed }) {
    const size = weight.data.length;
    const rows = x.data.length / size;
    const dweight = new Float64Array(size);
    const dbias = new Float64Array(size);
    const normal = x.data.map((value, i) => {
      const c = i % size;
      return (value - at(x.data, c) - at(stats.data, c)) * at(stats.data, size + c);
    });
    const g = dy.data.map((value, i) => {
      const y = at(normal, i) * at(weight.data, i % size) + at(bias.data, i % size);
      return activation === 'relu' && y <= 0 ? 0 : value;
    });
    g.forEach((value, i) => {
      const c = i % size;
      dweight[c] = at(dweight, c) + value * at(normal, i);
      dbias[c] = at(dbias, c) + value;
    });
    const dx = g.map((value, i) => {
      const c = i % size;
      const through = fixed ? 0 : (at(dbias, c) + at(normal, i) * at(dweight, c)) / rows;
      return at(weight.data, c) * at(stats.data, size + c) * (value - through);
    });
    return { dx, dweight, dbias };
  },
  cost: ({ inputs, outputs: { dx } }) => ({
    flops: 16 * elements(inputs.x.shape),
    bytes: [inputs.x, inputs.dy, ...Object.values<Tensor>(inputs), dx].reduce(
      (sum, tensor) => sum + bytesOf(tensor),
      0,
    ),
  }),
});

const at = (data: Float64Array, i: number): number => data[i] as number;
