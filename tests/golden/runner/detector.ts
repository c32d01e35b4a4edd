/** The golden format's detector, its layers, and a training run of it. */
import type { Device } from '../../../src/engine/device';
import { Graph, type Tensor } from '../../../src/engine/graph';
import { binaryLoss } from '../../../src/engine/ops/binary_loss';
import { trainingStep } from '../../../src/engine/optimizer';
import { Parameters } from '../../../src/engine/packs';
import { Program } from '../../../src/engine/program';
import { MIXERS } from '../../../src/models/bimamba';
import { detectorModel, PRODUCTION, type DetectorConfig } from '../../../src/models/detector';
import { afterStep, FIRST_SCALE } from '../../../src/training/loss_scale';
import { learningRateAt } from '../../../src/training/schedule';
import { CaseError, CHANNELS_FIRST, permute, tensorOf, type Attrs, type GoldenCase } from './case';
import { BOUNDS, relativeError, type Measurement } from './compare';

export function detectorConfig(attrs: Attrs): DetectorConfig {
  return {
    electrodes: attrs.number('in_channels'),
    baseChannels: attrs.number('base_channels'),
    depth: attrs.number('encoder_depth'),
    rescnnBlocks: attrs.number('rescnn_blocks'),
    kernelSizes: attrs.numbersOr('kernel_sizes', PRODUCTION.kernelSizes),
    layers: attrs.number('mamba_layers'),
    ...mixerConfig(attrs),
  };
}

export const mixerConfig = (attrs: Attrs) => ({
  mixer: attrs.choice('mixer', MIXERS, 'mamba2'),
  dState: attrs.number('d_state'),
  expand: attrs.numberOr('expand', PRODUCTION.expand),
  headdim: attrs.number('headdim'),
  convKernel: attrs.numberOr('conv_kernel', attrs.numberOr('d_conv', PRODUCTION.convKernel)),
  dropout: attrs.numberOr('dropout', 0),
});

const fromZero = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** The graph of a training run: one step of it, whose loss and norm are read back. With `half` activations are float16. */
export function trainingRun(golden: GoldenCase, half: boolean) {
  const { attrs } = golden;
  const steps = attrs.number('steps');
  const config = detectorConfig(attrs);
  attrs.choice('optimizer', ['adamw'], 'adamw');
  attrs.choice('scheduler', ['cosine'], 'cosine');
  const [batch, , length] = tensorOf(golden, 'batch.0.x').shape as [number, number, number];

  const graph = new Graph();
  const x = graph.input('x', [batch, length, config.electrodes]);
  const target = graph.input('y', [batch, length, 1]);
  const model = detectorModel(graph, x, config, { training: true });
  const loss = binaryLoss(graph, model.logits, target, lossOptions(attrs));
  const scaling = half
    ? { lossScale: graph.input('loss scale', [1]), unscale: graph.input('inverse loss scale', [1]) }
    : undefined;
  const norm = trainingStep(graph, loss, {
    lossScale: scaling?.lossScale,
    unscale: scaling?.unscale,
    weightDecay: attrs.number('weight_decay'),
    clip: attrs.number('gradient_clip'),
  });
  const schedule = {
    peak: attrs.number('learning_rate'),
    steps,
    warmupRatio: attrs.number('warmup_ratio'),
    firstStepFullRate: attrs.flag('first_step_full_rate'),
  };
  rejectUnknown(
    golden,
    graph,
    model.unused.map(({ parameter }) => parameter.name),
    steps,
  );
  return { graph, x, target, loss, norm, outputs: [loss, norm], inputs: scaling, schedule };
}

/**
 * Trains from `param.*` on the batches in order; measures every step's loss and norm, and what the weights became. In
 * float16 the losses alone are measured.
 */
export async function measureTraining(
  device: Device,
  golden: GoldenCase,
  { graph, x, target, loss, norm, outputs, inputs, schedule }: ReturnType<typeof trainingRun>,
): Promise<Measurement[]> {
  const parameters = await Parameters.create(device, graph, { training: true });
  let program: Program | undefined;
  try {
    program = await Program.compile(device, graph, { outputs, parameters });
    const trained = [...graph.parameters, ...graph.buffers];
    for (const { name } of trained) parameters.write(name, tensorOf(golden, `param.${name}`).data);
    const losses: number[] = [];
    const norms: number[] = [];
    let scaling = FIRST_SCALE;
    for (const step of fromZero(schedule.steps)) {
      program.write(x, permute(tensorOf(golden, `batch.${step}.x`), CHANNELS_FIRST).data);
      program.write(target, tensorOf(golden, `batch.${step}.y`).data);
      if (inputs) {
        program.write(inputs.lossScale, Float32Array.of(scaling.scale));
        program.write(inputs.unscale, Float32Array.of(1 / scaling.scale));
      }
      const optimizerStep = step + 1 - scaling.skipped;
      program.run({ step: step + 1, optimizerStep, seed: 0, learningRate: learningRateAt(schedule, step) });
      const values = await program.read();
      const valueOf = (tensor: Tensor): number => values.get(tensor)?.[0] ?? NaN;
      losses.push(valueOf(loss));
      norms.push(valueOf(norm));
      if (!inputs) continue;
      const next = afterStep(scaling, !Number.isFinite(valueOf(norm)));
      if (!next)
        throw new CaseError(`in step ${step} the gradient overflowed with a loss scale of ${scaling.scale}`);
      scaling = next;
    }
    const final = new Map([...(await parameters.read('value')), ...(await parameters.read('buffer'))]);
    device.check();
    if (inputs) return eachStep(golden, 'loss', losses, BOUNDS.half);
    return [
      ...eachStep(golden, 'loss', losses),
      ...eachStep(golden, 'grad_norm', norms),
      moved(golden, 'final parameters', graph.parameters, final),
      moved(golden, 'final running statistics', graph.buffers, final),
    ];
  } finally {
    program?.destroy();
    parameters.destroy();
  }
}

function lossOptions(attrs: Attrs) {
  const posWeight = attrs.numberOr('pos_weight', 1);
  if (attrs.choice('loss', ['bce', 'focal'], 'bce') === 'bce') return { posWeight };
  return { posWeight, focal: { alpha: attrs.number('focal_alpha'), gamma: attrs.number('focal_gamma') } };
}

function eachStep(
  golden: GoldenCase,
  name: 'loss' | 'grad_norm',
  got: readonly number[],
  bound: number = BOUNDS.step,
): Measurement[] {
  const want = tensorOf(golden, `out.${name}`).data;
  if (want.length !== got.length)
    throw new CaseError(`out.${name} has ${want.length} values for ${got.length} steps`);
  return got.map((value, step) => ({
    tensor: `out.${name} of step ${step}`,
    error: relativeError([value], [want[step] as number]),
    bound,
  }));
}

/**
 * ‖final − want‖ / ‖want − start‖ over all of them together: taken alone, a bias that BatchNorm undoes does not move, and
 * its share would be a quotient of rounding errors.
 */
function moved(
  golden: GoldenCase,
  what: string,
  tensors: readonly Pick<Tensor, 'name'>[],
  final: ReadonlyMap<string, Float32Array>,
): Measurement {
  let difference = 0;
  let way = 0;
  for (const { name } of tensors) {
    const want = tensorOf(golden, `final.param.${name}`).data;
    const start = tensorOf(golden, `param.${name}`).data;
    final.get(name)?.forEach((value, i) => {
      difference += (value - (want[i] as number)) ** 2;
      way += ((want[i] as number) - (start[i] as number)) ** 2;
    });
  }
  return { tensor: what, error: Math.sqrt(difference / way), bound: BOUNDS.final };
}

function rejectUnknown(golden: GoldenCase, graph: Graph, unused: readonly string[], steps: number): void {
  const names = [...graph.parameters, ...graph.buffers].map(({ name }) => name).concat(unused);
  const known = new Set([
    ...names.flatMap((name) => [`param.${name}`, `final.param.${name}`]),
    ...fromZero(steps).flatMap((step) => [`batch.${step}.x`, `batch.${step}.y`]),
    'out.loss',
    'out.grad_norm',
  ]);
  for (const name of golden.tensors.keys())
    if (!known.has(name)) throw new CaseError(`${name} is nothing that ${golden.op} has`);
}
