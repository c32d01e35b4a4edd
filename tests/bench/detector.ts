/** A training step of the trainer's detector on this machine: time, arithmetic, memory, and where the time goes. */
import { parseArgs } from 'node:util';
import { WINDOW } from '../../src/eeg/windows/windows';
import { Device } from '../../src/engine/device';
import { Graph, type Node, type Tensor } from '../../src/engine/graph';
import { binaryLoss } from '../../src/engine/ops/binary_loss';
import { trainingStep } from '../../src/engine/optimizer';
import { Parameters } from '../../src/engine/packs';
import { frozenChoice } from '../../src/engine/plan';
import { profileDevice } from '../../src/engine/profile';
import { Program, type Command } from '../../src/engine/program';
import { timeRuns } from '../../src/engine/timing';
import { tune } from '../../src/engine/tune';
import { MIXERS, type Mixer } from '../../src/models/bimamba';
import { detectorModel, segmentOf } from '../../src/models/detector';
import { countParameters, initialise } from '../../src/models/initialise';
import { Random } from '../../src/base/random';
import { detectorConfigOf, PRODUCTION_RUN } from '../../src/training/settings';
import { requestNodeGpu } from '../../src/cli/node_gpu';
import { timeSteps, type StepTimes } from './step_times';

const USAGE = `Usage: npm run bench:detector -- [--width N…] [--mixer mamba2|conv] [--steps N] [--checkpointing] [--half] [--tune] [--kernels] [--ahead N]

A training step of the detector, batch 1, a window of ${WINDOW} samples, in Node.
  --width N         channels of the first stage, several times for several widths (8 and 64)
  --mixer M         mamba2, or conv for the trainer's fallback (mamba2)
  --steps N         steps that are timed, after one that is not (3)
  --checkpointing   compute again what the backward pass needs
  --half            activations in float16
  --tune            time the kernels' variants first
  --kernels         a table of all kernels instead of the ten dearest ops
  --ahead N         N steps submitted before the results of the step before are read, beside N after them, with the share
                    of the time for which the GPU waits, where it has timestamps`;

interface Options {
  readonly widths: readonly number[];
  readonly mixer: Mixer;
  readonly steps: number;
  readonly checkpointing: boolean;
  readonly half: boolean;
  readonly tune: boolean;
  readonly kernels: boolean;
  readonly ahead: number;
}

/** Returns 1 when a loss was not finite or the device was asked for other bytes than planned, 2 for wrong arguments. */
export async function main(args: string[]): Promise<number> {
  const options = readArguments(args);
  if (!options) {
    console.error(USAGE);
    return 2;
  }
  const device = await Device.request(await requestNodeGpu());
  const { flopsPerSecond, bandwidthBytesPerSecond } = await profileDevice(device);
  console.log(
    `adapter ${device.adapter.description}: ${giga(flopsPerSecond)} GFLOP/s, ${giga(bandwidthBytesPerSecond)} GB/s measured`,
  );
  let failed = false;
  for (const width of options.widths)
    failed = !(await benchWidth(device, width, options, flopsPerSecond)) || failed;
  device.destroy();
  return failed ? 1 : 0;
}

async function benchWidth(
  device: Device,
  width: number,
  { mixer, steps, checkpointing, half, tune: tuned, kernels, ahead }: Options,
  flopsPerSecond: number,
): Promise<boolean> {
  const config = detectorConfigOf({ ...PRODUCTION_RUN.model, mixer }, width);
  const graph = new Graph();
  const x = graph.input('eeg', [1, WINDOW, config.electrodes]);
  const target = graph.input('labels', [1, WINDOW, 1]);
  const model = detectorModel(graph, x, config, { training: true });
  const loss = binaryLoss(graph, model.logits, target, { posWeight: 2 });
  const scaling = half
    ? { lossScale: graph.input('loss scale', [1]), unscale: graph.input('inverse', [1]) }
    : {};
  const update = { ...scaling, weightDecay: 0.05, clip: 1, segmentOf: checkpointing ? segmentOf : undefined };
  const norm = trainingStep(graph, loss, update);
  const outputs = [loss, norm];
  const choose = tuned ? (await tune(device, [graph], new Map<string, string>())).choose : frozenChoice;

  const before = device.allocatedBytes;
  const parameters = await Parameters.create(device, graph, { training: true });
  const started = performance.now();
  const program = await Program.compile(device, graph, { outputs, parameters, choose });
  const compiled = performance.now() - started;
  const { plan } = program;
  const planned = plan.bytes + Parameters.bytes(graph, { training: true });
  const allocated = device.allocatedBytes - before;
  for (const [name, values] of initialise(model.declared, 1)) parameters.write(name, values);
  const random = new Random(1);
  program.write(
    x,
    Float32Array.from({ length: WINDOW * config.electrodes }, () => random.normal()),
  );
  program.write(
    target,
    Float32Array.from({ length: WINDOW }, (_, i) => (i > 5000 && i < 9000 ? 1 : 0)),
  );

  if (scaling.lossScale) {
    program.write(scaling.lossScale, Float32Array.of(65536));
    program.write(scaling.unscale, Float32Array.of(1 / 65536));
  }

  const times: number[] = [];
  let last = NaN;
  for (let step = 1; step <= steps + 1; step++) {
    const begun = performance.now();
    program.run({ step, seed: 1, learningRate: 3e-4 });
    last = valueOf(await program.read(), loss);
    if (step > 1) times.push(performance.now() - begun);
  }
  const ms = times.sort((a, b) => a - b)[times.length >> 1] ?? NaN;
  const rate = (1000 * plan.cost.flops) / ms;
  console.log(
    [
      `\nwidth ${width}, ${mixer}${checkpointing ? ', checkpointing' : ''}${half ? ', float16' : ''}: ${countParameters(model.declared).toLocaleString('en')} parameters`,
      `step ${ms.toFixed(0)} ms (median of ${times.length}), ${giga(plan.cost.flops)} GFLOP, ${giga(rate)} GFLOP/s = ${((100 * rate) / flopsPerSecond).toFixed(0)} % of the measured limit`,
      `${plan.dispatches.length} dispatches, compiled in ${(compiled / 1000).toFixed(1)} s; loss after ${steps + 1} steps ${last.toFixed(4)}`,
      `${mib(planned)} MiB planned, ${mib(allocated)} MiB allocated; ${mib(plan.bytes)} of them beside the parameters, ${mib(plan.unsharedBytes)} without sharing`,
    ].join('\n'),
  );
  if (ahead > 0) {
    const rounds: { after: StepTimes; ahead: StepTimes }[] = [];
    for (let round = 0; round < ROUNDS; round++)
      rounds.push({ after: await timeSteps(program, ahead, 1), ahead: await timeSteps(program, ahead, 2) });
    const best = (which: 'after' | 'ahead'): StepTimes =>
      rounds.map((round) => round[which]).reduce((a, b) => (b.ms < a.ms ? b : a));
    const [after, submittedAhead] = [best('after'), best('ahead')];
    console.log(
      `${ahead} steps, best of ${ROUNDS}: ${described(after)} after the results of the one before, ${described(submittedAhead)} submitted ahead of them (${(after.ms / submittedAhead.ms).toFixed(3)} times as fast)`,
    );
  }
  await (kernels ? byKernel(device, program) : dearest(device, program));
  program.destroy();
  parameters.destroy();
  return Number.isFinite(last) && planned === allocated;
}

const ROUNDS = 5;

const described = ({ ms, idle }: StepTimes): string =>
  `${ms.toFixed(2)} ms each${idle === undefined ? '' : `, between two of which the GPU is idle for ${(100 * idle).toFixed(1)} % of the time,`}`;

/** Each node's dispatches timed on their own, the ten dearest ops by their sum. */
async function dearest(device: Device, program: Program): Promise<void> {
  const byOp = new Map<string, { ms: number; nodes: number; flops: number }>();
  const nodes = new Map<Node, Command[]>();
  for (const command of program.commands) {
    const { node } = command.dispatch;
    nodes.set(node, [...(nodes.get(node) ?? []), command]);
  }
  for (const [node, commands] of nodes) {
    // A second update on the same gradient would do no harm, but its time is that of the first.
    const ms = (await timeRuns(device, commands, 0)) ?? NaN;
    const sum = byOp.get(node.op.name) ?? { ms: 0, nodes: 0, flops: 0 };
    byOp.set(node.op.name, {
      ms: sum.ms + ms,
      nodes: sum.nodes + 1,
      flops: sum.flops + node.op.cost(node).flops,
    });
  }
  const total = [...byOp.values()].reduce((sum, { ms }) => sum + ms, 0);
  console.log(`${'op'.padEnd(28)} nodes       ms  share  GFLOP/s`);
  for (const [name, { ms, nodes, flops }] of [...byOp].sort(([, a], [, b]) => b.ms - a.ms).slice(0, 10))
    console.log(
      `${name.padEnd(28)} ${String(nodes).padStart(5)} ${ms.toFixed(1).padStart(8)} ${((100 * ms) / total).toFixed(0).padStart(4)} % ${giga((1000 * flops) / ms).padStart(8)}`,
    );
}

/** Each dispatch timed on its own, by kernel: what a pass over memory would save if another kernel did its work. */
async function byKernel(device: Device, program: Program): Promise<void> {
  const kernels = new Map<string, { ms: number; dispatches: number }>();
  for (const command of program.commands) {
    const sum = kernels.get(command.dispatch.kernel) ?? { ms: 0, dispatches: 0 };
    const ms = (await timeRuns(device, [command], 0)) ?? NaN;
    kernels.set(command.dispatch.kernel, { ms: sum.ms + ms, dispatches: sum.dispatches + 1 });
  }
  const total = [...kernels.values()].reduce((sum, { ms }) => sum + ms, 0);
  console.log(`${'kernel'.padEnd(34)} dispatches       ms    share`);
  for (const [name, { ms, dispatches }] of [...kernels].sort(([, a], [, b]) => b.ms - a.ms))
    console.log(
      `${name.padEnd(34)} ${String(dispatches).padStart(10)} ${ms.toFixed(1).padStart(8)} ${((100 * ms) / total).toFixed(1).padStart(6)} %`,
    );
}

const giga = (value: number): string => (value / 1e9).toPrecision(3);
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const valueOf = (values: ReadonlyMap<Tensor, Float32Array | Uint32Array>, tensor: Tensor): number =>
  values.get(tensor)?.[0] ?? NaN;

function readArguments(args: string[]): Options | undefined {
  try {
    const { values } = parseArgs({
      args,
      options: {
        width: { type: 'string', multiple: true, default: ['8', '64'] },
        mixer: { type: 'string', default: 'mamba2' },
        steps: { type: 'string', default: '3' },
        checkpointing: { type: 'boolean', default: false },
        half: { type: 'boolean', default: false },
        tune: { type: 'boolean', default: false },
        kernels: { type: 'boolean', default: false },
        ahead: { type: 'string', default: '0' },
      },
    });
    const mixer = MIXERS.find((known) => known === values.mixer);
    const widths = values.width.map(Number);
    const steps = Number(values.steps);
    const ahead = Number(values.ahead);
    const whole = [...widths, steps, ahead].every((value) => Number.isInteger(value) && value >= 0);
    if (!mixer || !whole || steps === 0 || widths.some((width) => width === 0 || width % 2 !== 0))
      return undefined;
    const { checkpointing, half, tune, kernels } = values;
    return { widths, mixer, steps, checkpointing, half, tune, kernels, ahead };
  } catch {
    return undefined;
  }
}
