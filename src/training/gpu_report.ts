/** What a GPU reaches with the detector's own step: measured limits, whether it computes right, the time of each kind of op. */
import { several } from '../base/text';
import { adapterName } from '../engine/adapter';
import type { Device } from '../engine/device';
import type { Node } from '../engine/graph';
import { kernelsVersion } from '../engine/kernels_version';
import { Parameters } from '../engine/packs';
import { planProgram, type ChooseVariant } from '../engine/plan';
import { profileDevice, type DeviceProfile } from '../engine/profile';
import { Program, type Command } from '../engine/program';
import { checkOnce, NoRightKernelError, type WrongKernel } from '../engine/self_check';
import { clockResolution, COARSEST_MS, lastingMs, timeRuns } from '../engine/timing';
import { choiceFor, type TuneMemory } from '../engine/tune';
import { initialise } from '../models/initialise';
import { choosing, type Preparation } from '../run/protocol';
import { stepGraph } from './graphs';
import { detectorConfigOf, SMOKE_RUN } from './settings';
import type { DispatchTime } from './step_events';
import { chooseWidth } from './width';

/** One kind of op in a step. */
export interface OpTime {
  readonly op: string;
  readonly nodes: number;
  /** The variants of its kernel that were chosen, where there is a choice: the one of most nodes first. */
  readonly variants: readonly { readonly name: string; readonly nodes: number }[];
  /** Milliseconds of all of them. */
  readonly ms: number;
  readonly flopsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Which limit binds it: the one that it is nearer to. */
  readonly bound: 'arithmetic' | 'memory';
  /** Of that limit, 0..1. */
  readonly share: number;
}

export interface GpuReport {
  /** Their version. */
  readonly kernels: string;
  readonly gpu: string;
  readonly features: readonly string[];
  /** Bytes read and written, float32 operations (a multiply-add is two): the highest that was measured, by any kernel. */
  readonly limits: { readonly bytesPerSecond: number; readonly flopsPerSecond: number };
  readonly check: {
    readonly cases: number;
    readonly wrong: readonly WrongKernel[];
    readonly broken: readonly string[];
  };
  /** null where the report was stopped before it was timed. */
  readonly step: {
    readonly width: number;
    readonly milliseconds: number;
    readonly flops: number;
    readonly dispatches: number;
    /** Of the time that the arithmetic alone would take at the limit, 0..1. */
    readonly share: number;
  } | null;
  readonly ops: readonly OpTime[];
  /** What is to be known of the choice of kernels; null where nothing is. */
  readonly remark: string | null;
}

export interface ReportOptions {
  /** Channels of the first stage; the widest that this GPU trains at a bearable speed where it is left out. */
  readonly width?: number | undefined;
  /** Where the choice of kernels is kept. */
  readonly tuning?: TuneMemory | Promise<TuneMemory> | undefined;
  readonly progress?: (preparation: Preparation) => void;
  /** Gets the time of each dispatch that was timed, in the step's order. */
  readonly dispatched?: (times: readonly DispatchTime[]) => void;
  /** Once it is true, the report ends with what is measured. */
  readonly stopped?: () => boolean;
}

/** Steps that are timed; the fastest counts. */
const STEPS = 3;
/** That a measurement lasts; browsers round timestamps to 0.1 ms. */
const MINIMUM_MS = 10;

/** Takes about a minute on a GPU. Throws EngineError where the device fails or computes wrongly. */
export async function reportGpu(
  device: Device,
  {
    width,
    tuning,
    progress: tell = () => undefined,
    dispatched = () => undefined,
    stopped = () => false,
  }: ReportOptions = {},
): Promise<GpuReport> {
  tell({ label: 'measuring bandwidth and arithmetic', done: 0, total: 0 });
  const measured = await profileDevice(device);
  const check = await checkOnce(device, (done, total) =>
    tell({ label: 'checking what this GPU computes', done, total }),
  );
  // Where an op has no kernel that is right, no step is worth a time, and the report is what says so.
  const timed =
    stopped() || check.broken.length > 0
      ? undefined
      : await timeStep(device, { width, tuning, dispatched, stopped, measured }, tell).catch(untimed);
  const { step, ops, remark } = timed ?? { step: null, ops: [], remark: undefined };
  const limits = {
    bytesPerSecond: Math.max(measured.bandwidthBytesPerSecond, ...ops.map((op) => op.bytesPerSecond)),
    flopsPerSecond: Math.max(measured.flopsPerSecond, ...ops.map((op) => op.flopsPerSecond)),
  };
  return {
    kernels: kernelsVersion,
    gpu: adapterName(device.adapter),
    features: [...device.features].sort(),
    limits,
    check: { cases: check.cases.length, wrong: check.wrong, broken: check.broken },
    step: step && {
      ...step,
      share: (1000 * step.flops) / step.milliseconds / limits.flopsPerSecond,
    },
    ops: ops.map((op) => ({ ...op, ...boundOf(op, limits) })),
    remark: remark ?? null,
  };
}

/** The report says of a step that this GPU cannot compute why. */
function untimed(error: unknown): TimedStep {
  if (!(error instanceof NoRightKernelError)) throw error;
  return { step: null, ops: [], remark: error.message };
}

interface TimedStep {
  readonly step: Omit<NonNullable<GpuReport['step']>, 'share'> | null;
  readonly ops: readonly Timed[];
  readonly remark: string | undefined;
}

/** A step of the detector as a whole, and the ops of it alone. */
async function timeStep(
  device: Device,
  {
    width,
    tuning,
    dispatched,
    stopped,
    measured,
  }: Pick<ReportOptions, 'width' | 'tuning'> & {
    readonly dispatched: (times: readonly DispatchTime[]) => void;
    readonly stopped: () => boolean;
    readonly measured: DeviceProfile;
  },
  tell: (preparation: Preparation) => void,
): Promise<TimedStep> {
  const baseChannels = width ?? (await chooseWidth(device, SMOKE_RUN, measured)).baseChannels;
  const settings = { ...SMOKE_RUN, batch: 1, microBatches: 1 };
  const view = stepGraph(settings, detectorConfigOf(settings.model, baseChannels), 2);
  const { choose, remark } = await choiceFor(device, [view.graph], tuning, {
    onProgress: (progress) => tell(choosing(progress)),
    stopped,
  });
  tell({ label: 'compiling the kernels of a training step', done: 0, total: 0 });
  const outputs = [view.loss, view.norm];
  const variantOf = new Map<Node, string>();
  const noted: ChooseVariant = (node, variants) => {
    const chosen = choose(node, variants);
    if (variants.length > 1) variantOf.set(node, chosen.name);
    return chosen;
  };
  const parameters = await Parameters.create(device, view.graph, { training: true });
  let program: Program | undefined;
  try {
    const plan = planProgram(view.graph, device.capabilities, { outputs, choose: noted });
    program = await Program.compile(device, view.graph, { outputs, parameters, plan });
    for (const [name, values] of initialise(view.declared, 1)) parameters.write(name, values);
    const resolution = await clockResolution(device);
    const milliseconds = await stepTime(program, lastingMs(resolution, MINIMUM_MS), { tell, stopped });
    const { cost, dispatches } = plan;
    const timed =
      resolution > COARSEST_MS
        ? { ops: [], untold: `ops are not timed: the clock here ticks every ${resolution.toFixed(0)} ms` }
        : await timesOf(device, program, lastingMs(resolution, MINIMUM_MS), {
            tell,
            dispatched,
            stopped,
            variantOf,
          });
    return {
      step: Number.isFinite(milliseconds)
        ? { width: baseChannels, milliseconds, flops: cost.flops, dispatches: dispatches.length }
        : null,
      ops: timed.ops,
      remark: [remark, timed.untold].filter((text) => text !== undefined).join('; ') || undefined,
    };
  } finally {
    program?.destroy();
    parameters.destroy();
  }
}

/**
 * Milliseconds of a training step, by the wall clock: the fastest of three measurements of `lasting` milliseconds or more, each of as
 * many steps as that takes. Infinite where it was stopped before.
 */
async function stepTime(
  program: Program,
  lasting: number,
  { tell, stopped }: { readonly tell: (preparation: Preparation) => void; readonly stopped: () => boolean },
): Promise<number> {
  let fastest = Infinity;
  let step = 0;
  let steps = 1;
  // The first step, which may still compile, does not count.
  for (let done = 0; done <= STEPS && !stopped();) {
    tell({ label: 'timing a training step', done, total: STEPS + 1 });
    const started = performance.now();
    for (let i = 0; i < steps; i++) program.run({ step: ++step, seed: 1, learningRate: 0 });
    await program.finish();
    const ms = performance.now() - started;
    if (done > 0 && ms >= lasting) fastest = Math.min(fastest, ms / steps);
    if (done === 0 || ms >= lasting) done++;
    else steps = Math.ceil((1.5 * steps * lasting) / Math.max(ms, lasting / 16));
  }
  return fastest;
}

type Timed = Omit<OpTime, 'bound' | 'share'>;

function boundOf(
  { flopsPerSecond, bytesPerSecond }: Timed,
  limits: GpuReport['limits'],
): Pick<OpTime, 'bound' | 'share'> {
  const [arithmetic, memory] = [
    flopsPerSecond / limits.flopsPerSecond,
    bytesPerSecond / limits.bytesPerSecond,
  ];
  return arithmetic >= memory
    ? { bound: 'arithmetic', share: arithmetic }
    : { bound: 'memory', share: memory };
}

interface Sum {
  readonly nodes: number;
  /** How many nodes have each. */
  readonly variants: Readonly<Record<string, number>>;
  readonly ms: number;
  readonly flops: number;
  readonly bytes: number;
}

const countedIn = (counts: Sum['variants'], name: string): Sum['variants'] => ({
  ...counts,
  [name]: (counts[name] ?? 0) + 1,
});

/** Every dispatch of the program timed alone for `lasting` milliseconds, summed by op, the dearest first; which the clock cannot tell. */
async function timesOf(
  device: Device,
  program: Program,
  lasting: number,
  {
    tell,
    dispatched,
    stopped,
    variantOf,
  }: {
    readonly tell: (preparation: Preparation) => void;
    readonly dispatched: (times: readonly DispatchTime[]) => void;
    readonly stopped: () => boolean;
    readonly variantOf: ReadonlyMap<Node, string>;
  },
): Promise<{ readonly ops: readonly Timed[]; readonly untold: string | undefined }> {
  const nodes = new Map<Node, Command[]>();
  for (const command of program.commands) {
    const { node } = command.dispatch;
    nodes.set(node, [...(nodes.get(node) ?? []), command]);
  }
  const sums = new Map<string, Sum>();
  const times = new Map<Command, number>();
  let done = 0;
  let untold = 0;
  for (const [node, commands] of nodes) {
    if (stopped()) break;
    tell({ label: 'timing the ops of a step', done: done++, total: nodes.size });
    let ms: number | undefined = 0;
    for (const command of commands) {
      const own = await timeRuns(device, [command], lasting);
      if (own !== undefined) times.set(command, own);
      ms = own === undefined || ms === undefined ? undefined : ms + own;
    }
    if (ms === undefined) {
      untold++;
      continue;
    }
    const { flops, bytes } = node.op.cost(node);
    const sum = sums.get(node.op.name) ?? { nodes: 0, variants: {}, ms: 0, flops: 0, bytes: 0 };
    const variant = variantOf.get(node);
    sums.set(node.op.name, {
      nodes: sum.nodes + 1,
      variants: variant === undefined ? sum.variants : countedIn(sum.variants, variant),
      ms: sum.ms + ms,
      flops: sum.flops + flops,
      bytes: sum.bytes + bytes,
    });
  }
  dispatched(
    program.commands.flatMap((command) => {
      const ms = times.get(command);
      const { kernel, workgroups, node } = command.dispatch;
      return ms === undefined ? [] : [{ kernel, op: node.op.name, node: node.label, workgroups, ms }];
    }),
  );
  const ops = [...sums]
    .map(([op, { nodes: count, variants, ms, flops, bytes }]) => ({
      op,
      nodes: count,
      variants: Object.entries(variants)
        .map(([name, nodes]) => ({ name, nodes }))
        .sort((a, b) => b.nodes - a.nodes),
      ms,
      flopsPerSecond: (1000 * flops) / ms,
      bytesPerSecond: (1000 * bytes) / ms,
    }))
    .sort((a, b) => b.ms - a.ms);
  return {
    ops,
    untold:
      untold > 0
        ? `${untold} of ${several(nodes.size, 'node')} of the step are too short for the clock here and left out`
        : undefined,
  };
}
