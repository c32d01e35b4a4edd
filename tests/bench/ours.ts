/**
 * The engine as a contender. The variants of its kernels are chosen on the device while a case is prepared, as before
 * a training; what that took is reported apart.
 *
 * matmul: the product that gives a linear layer's input gradient, dx = dy W, as it takes w as it is, [k, n].
 *
 * Selective scan: y and its gradients by all inputs are the program's outputs. Convolution, LayerNorm and AdamW:
 * ours-layers.ts.
 *
 * Mamba-1 step: the model's own block. The loss is computed, as the others do, and differentiated by the cotangent.
 */

import { Device } from '../../src/engine/device';
import { differentiate } from '../../src/engine/gradient';
import { Graph, type PackName, type Tensor } from '../../src/engine/graph';
import { adamw as update } from '../../src/engine/ops/adamw';
import { globalNorm } from '../../src/engine/ops/global_norm';
import { columnSumOp, linear, linearInputGradientOp } from '../../src/engine/ops/linear';
import { multiply } from '../../src/engine/ops/multiply';
import { selectiveScan } from '../../src/engine/ops/selective_scan';
import { parameterGradients } from '../../src/engine/optimizer';
import { packLayout, Parameters } from '../../src/engine/packs';
import { mambaBlock } from '../../src/lessons/mamba';
import { ourLayers } from './ours-layers';
import { compile, prepare, type OurBenchCase } from './ours-program';
import {
  adamw,
  blockName,
  blockParameters,
  matmulName,
  scanInputShapes,
  scanName,
  tensor,
  type BlockParameter,
  type BlockShape,
  type Contender,
  type ConvShape,
  type MatmulShape,
  type NormShape,
  type Results,
  type ScanInput,
  type ScanShape,
  type UpdateShape,
} from './rivals/types';

export interface Ours extends Contender {
  readonly engine: Device;
  matmul(shape: MatmulShape): OurBenchCase;
  selectiveScan(shape: ScanShape): OurBenchCase;
  mambaStep(shape: BlockShape): OurBenchCase;
  conv1d(shape: ConvShape): OurBenchCase;
  layerNorm(shape: NormShape): OurBenchCase;
  adamw(shape: UpdateShape): OurBenchCase;
}

export async function createOurs(gpu: GPU | undefined): Promise<Ours> {
  const { engine, device } = await requestDevice(gpu);
  return {
    name: 'Smokescan',
    engine,
    device,
    matmul: (shape) => matmul(engine, shape),
    selectiveScan: (shape) => scan(engine, shape),
    mambaStep: (shape) => mambaStep(engine, shape),
    ...ourLayers(engine),
  };
}

/** The engine keeps the browser's device to itself, but the meter counts by it. */
async function requestDevice(gpu: GPU | undefined): Promise<{ engine: Device; device: GPUDevice }> {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called on its own object
  const original = GPUAdapter.prototype.requestDevice;
  let device: GPUDevice | undefined;
  GPUAdapter.prototype.requestDevice = async function (descriptor) {
    return (device = await original.call(this, descriptor));
  };
  try {
    const engine = await Device.request(gpu);
    if (!device) throw new Error('the engine requested no device');
    return { engine, device };
  } finally {
    GPUAdapter.prototype.requestDevice = original;
  }
}

function matmul(device: Device, shape: MatmulShape): OurBenchCase {
  const { m, k, n } = shape;
  return {
    name: matmulName(shape),
    prepare: (inputs) => {
      const graph = new Graph();
      const x = graph.input('x', [m, k]);
      const w = graph.input('w', [k, n]);
      const y = graph.apply(linearInputGradientOp, { dy: x, weight: w }, {}).dx;
      const feed = new Map([
        [x, tensor(inputs, 'x')],
        [w, tensor(inputs, 'w')],
      ]);
      return prepare(device, graph, { y }, feed);
    },
  };
}

function scan(device: Device, shape: ScanShape): OurBenchCase {
  return {
    name: scanName(shape),
    prepare: (inputs) => {
      const graph = new Graph();
      const shapes = scanInputShapes(shape);
      const feed = new Map<Tensor, Float32Array>();
      const input = (name: ScanInput): Tensor => {
        const created = graph.input(name, shapes[name]);
        feed.set(created, tensor(inputs, name));
        return created;
      };
      const primals = {
        u: input('u'),
        delta: input('delta'),
        A: input('A'),
        B: input('B'),
        C: input('C'),
        D: input('D'),
        z: input('z'),
        delta_bias: input('delta_bias'),
      };
      const { delta_bias: deltaBias, ...others } = primals;
      const y = selectiveScan(graph, { ...others, deltaBias }, { deltaSoftplus: true });
      const gradients = differentiate(graph, [{ of: y, cotangent: input('dy') }], Object.values(primals));
      const outputs: Record<string, Tensor> = { y };
      for (const [name, primal] of Object.entries(primals))
        outputs[`d${name}`] = gradients.get(primal) as Tensor;
      return prepare(device, graph, outputs, feed);
    },
  };
}

const PARAMETER_NAMES: Readonly<Record<BlockParameter, string>> = {
  in_proj: 'in_proj.weight',
  conv_weight: 'conv1d.weight',
  conv_bias: 'conv1d.bias',
  x_proj: 'x_proj.weight',
  dt_proj: 'dt_proj.weight',
  dt_bias: 'dt_proj.bias',
  A_log: 'A_log',
  D: 'D',
  out_proj: 'out_proj.weight',
};

const RESULT_PREFIXES: Readonly<Record<Exclude<PackName, 'gradient' | 'accumulated'>, string>> = {
  value: '',
  first_moment: 'm.',
  second_moment: 'v.',
};

function mambaStep(device: Device, shape: BlockShape): OurBenchCase {
  return {
    name: blockName(shape),
    prepare: async (inputs) => {
      const { graph, x, cotangent, loss, norm } = stepGraph(shape);
      const parameters = await Parameters.create(device, graph, { training: true });
      const { program, report } = await compile(device, graph, [loss, norm], parameters);
      for (const name of blockParameters) parameters.write(PARAMETER_NAMES[name], tensor(inputs, name));
      program.write(x, tensor(inputs, 'x'));
      program.write(cotangent, tensor(inputs, 'cotangent'));
      let step = 0;
      return {
        report,
        run: () => {
          program.run({ step: ++step, seed: 0, learningRate: adamw.learningRate });
          return program.finish();
        },
        read: async () => {
          const scalars = await program.read();
          const results: Results = {
            loss: scalars.get(loss) as Float32Array,
            grad_norm: scalars.get(norm) as Float32Array,
          };
          for (const pack of ['value', 'first_moment', 'second_moment'] as const) {
            const values = await parameters.read(pack);
            for (const name of blockParameters)
              results[RESULT_PREFIXES[pack] + name] = values.get(PARAMETER_NAMES[name]) as Float32Array;
          }
          return results;
        },
        dispose: () => {
          program.destroy();
          parameters.destroy();
        },
      };
    },
  };
}

/** As `trainingStep` completes a graph, but from a cotangent instead of a loss, and with every parameter decayed. */
function stepGraph(
  shape: BlockShape,
): Record<'x' | 'cotangent' | 'loss' | 'norm', Tensor> & { graph: Graph } {
  const { batch, length, d_model: dModel, d_state: dState, d_conv: dConv, expand, dt_rank: dtRank } = shape;
  const graph = new Graph();
  const x = graph.input('x', [batch, length, dModel]);
  const { y } = mambaBlock(graph, x, { dModel, dState, dConv, expand, dtRank }, '');
  const cotangent = graph.input('cotangent', y.shape);
  // Σ y · cotangent: over rows, then over channels as a product with ones.
  const products = graph.apply(columnSumOp, { x: multiply(graph, y, cotangent) }, {}).y;
  const loss = linear(graph, products, graph.constant('ones', [1, dModel], new Float32Array(dModel).fill(1)));
  parameterGradients(graph, [{ of: y, cotangent }]);
  const { length: packed } = packLayout(graph.parameters);
  const gradient = graph.pack('gradient', packed);
  const norm = globalNorm(graph, gradient);
  update(
    graph,
    {
      value: graph.pack('value', packed),
      gradient,
      first_moment: graph.pack('first_moment', packed),
      second_moment: graph.pack('second_moment', packed),
      norm,
    },
    { weightDecay: adamw.weightDecay, clip: adamw.maxNorm, decayed: packed },
  );
  return { graph, x, cotangent, loss, norm };
}
