/**
 * Whether a GPU computes what it should: the detector's ops on small inputs, forward and backward, beside float64. Drivers have
 * been seen to compute single shapes wrongly without an error.
 */
import { Random } from '../base/random';
import { EngineError, type Device } from './device';
import { differentiate } from './gradient';
import { describeNode, elements, Graph, type Node, type Shape, type Tensor } from './graph';
import { interpret } from './interpret';
import { batchNorm } from './ops/batch_norm';
import { binaryLoss } from './ops/binary_loss';
import { conv1d } from './ops/conv1d';
import { convTranspose1d } from './ops/conv_transpose1d';
import { causalConv1d } from './ops/causal_conv1d';
import type { Variant } from './ops/definition';
import { globalNorm } from './ops/global_norm';
import { layerNorm } from './ops/layer_norm';
import { linear } from './ops/linear';
import { rmsNorm } from './ops/rms_norm';
import { selectiveScan } from './ops/selective_scan';
import { ssdScan } from './ops/ssd_scan';
import { planProgram, type ChooseVariant } from './plan';
import { Program } from './program';

/** Of ‖got − want‖ / ‖want‖: what the tests of the ops allow gradients. */
const TOLERANCE = 1e-4;

interface Input {
  readonly shape: Shape;
  /** Values are uniform between these; −2 to 2 where left out. */
  readonly range?: readonly [number, number];
  readonly differentiable?: boolean;
}

/** An op on small inputs. */
export interface SelfCheckCase {
  readonly inputs: Readonly<Record<string, Input>>;
  readonly build: (graph: Graph, tensor: (name: string) => Tensor) => Tensor;
  /** False where only the forward pass exists. */
  readonly backward?: boolean;
}

const NEGATIVE = [-2, -0.2] as const;
const STEPS = [-3, 1] as const;

/**
 * Sizes that end in the middle of workgroups and tiles; products are so large that every GPU is offered several tilings.
 * Exported for its tests.
 */
export const CASES: Readonly<Record<string, SelfCheckCase>> = {
  'matrix product': {
    inputs: { x: { shape: [120, 124] }, weight: { shape: [116, 124] }, bias: { shape: [116] } },
    build: (graph, t) => linear(graph, t('x'), t('weight'), t('bias')),
  },
  convolution: {
    inputs: { x: { shape: [1, 120, 60] }, weight: { shape: [116, 60, 5] }, bias: { shape: [116] } },
    build: (graph, t) => conv1d(graph, t('x'), t('weight'), t('bias'), { padding: 2 }),
  },
  'convolution of 19 electrodes': {
    inputs: { x: { shape: [2, 37, 19] }, weight: { shape: [8, 19, 7] }, bias: { shape: [8] } },
    build: (graph, t) => conv1d(graph, t('x'), t('weight'), t('bias'), { padding: 3 }),
  },
  'depthwise convolution': {
    inputs: { x: { shape: [2, 67, 8] }, weight: { shape: [8, 1, 5] }, bias: { shape: [8] } },
    build: (graph, t) => conv1d(graph, t('x'), t('weight'), t('bias'), { padding: 2, groups: 8 }),
  },
  'transposed convolution': {
    inputs: { x: { shape: [1, 19, 12] }, weight: { shape: [12, 8, 2] }, bias: { shape: [8] } },
    build: (graph, t) => convTranspose1d(graph, t('x'), t('weight'), t('bias'), { stride: 2 }),
  },
  'causal convolution': {
    inputs: { x: { shape: [1, 67, 8] }, weight: { shape: [8, 4] }, bias: { shape: [8] } },
    build: (graph, t) => causalConv1d(graph, t('x'), t('weight'), t('bias'), 'silu'),
  },
  BatchNorm: {
    inputs: { x: { shape: [1, 601, 8] }, weight: { shape: [8] }, bias: { shape: [8] } },
    build: (graph, t) =>
      batchNorm(
        graph,
        t('x'),
        { weight: t('weight'), bias: t('bias'), runningMean: undefined, runningVar: undefined },
        { training: true },
      ),
  },
  LayerNorm: {
    inputs: { x: { shape: [5, 512] }, weight: { shape: [512] }, bias: { shape: [512] } },
    build: (graph, t) => layerNorm(graph, t('x'), t('weight'), t('bias'), 1e-5),
  },
  RMSNorm: {
    inputs: { x: { shape: [5, 256] }, weight: { shape: [256] } },
    build: (graph, t) => rmsNorm(graph, t('x'), t('weight'), 1e-5),
  },
  'SSD scan (Mamba-2)': {
    inputs: {
      xbc: { shape: [2, 45, 4 * 16 + 2 * 2 * 16] },
      dt: { shape: [2, 45, 4], range: STEPS },
      A: { shape: [4], range: NEGATIVE },
      D: { shape: [4] },
    },
    build: (graph, t) =>
      ssdScan(
        graph,
        { xbc: t('xbc'), dt: t('dt'), A: t('A'), D: t('D') },
        { headdim: 16, groups: 2, dState: 16, reverse: true },
      ),
  },
  'selective scan (Mamba-1)': {
    inputs: {
      u: { shape: [2, 37, 6] },
      delta: { shape: [2, 37, 6], range: STEPS },
      A: { shape: [6, 8], range: NEGATIVE },
      B: { shape: [2, 37, 8] },
      C: { shape: [2, 37, 8] },
      z: { shape: [2, 37, 6] },
    },
    build: (graph, t) =>
      selectiveScan(
        graph,
        { u: t('u'), delta: t('delta'), A: t('A'), B: t('B'), C: t('C'), z: t('z') },
        { deltaSoftplus: true },
      ),
  },
  'focal loss': {
    inputs: {
      logits: { shape: [1, 129, 1] },
      target: { shape: [1, 129, 1], range: [0, 1], differentiable: false },
    },
    build: (graph, t) =>
      binaryLoss(graph, t('logits'), t('target'), { posWeight: 2, focal: { alpha: 0.5, gamma: 2 } }),
  },
  'norm of the gradient': {
    inputs: { gradient: { shape: [9_000] } },
    build: (graph, t) => globalNorm(graph, t('gradient')),
    backward: false,
  },
};

/** A kernel that computes something else than float64 does, or does not compile. */
export interface WrongKernel {
  readonly case: string;
  readonly op: string;
  /** Undefined where the op has one kernel. */
  readonly variant: string | undefined;
  /** Relative error; NaN where values are not finite or there are none. */
  readonly error: number;
  /** What the driver says of a kernel that does not compile. */
  readonly message?: string;
}

export interface SelfCheck {
  /** Names of the cases. */
  readonly cases: readonly string[];
  /** What is wrong, in the order found; variants of these are not to be used. */
  readonly wrong: readonly WrongKernel[];
  /** Ops that no kernel computes right: nothing can be trained. */
  readonly broken: readonly string[];
}

type Variants = readonly [Variant, ...Variant[]];

/** A kernel without the number of parts into which it cuts its sums: its text, and so what is wrong with it, is the same. */
const kernelOf = (variant: string | undefined): string | undefined => variant?.replace(/ split \d+$/, '');

/** All kernels that a node of these shapes can have were found wrong, on other shapes. */
export class NoRightKernelError extends EngineError {
  override name = 'NoRightKernelError';

  constructor(node: Node, variants: Variants) {
    super(
      'internal',
      describeNode(node),
      `this GPU computes it wrongly by every kernel for these sizes (${variants.map(({ name }) => name).join(', ')}), so nothing is trained; update its driver, or try another browser`,
    );
  }
}

/** Those of a node's variants that were not found wrong. Throws NoRightKernelError where none is left. */
export function rightOnes(node: Node, variants: Variants, wrong: readonly WrongKernel[]): Variants {
  const [first, ...others] = variants.filter(({ name }) => !isWrong(node.op.name, name, wrong));
  if (!first) throw new NoRightKernelError(node, variants);
  return [first, ...others];
}

const isWrong = (op: string, variant: string, wrong: readonly WrongKernel[]): boolean =>
  wrong.some((one) => one.op === op && kernelOf(one.variant) === kernelOf(variant));

/** The choice, without the kernels that the check found wrong. It throws NoRightKernelError where none is left. */
export const withoutWrong =
  (choose: ChooseVariant, wrong: readonly WrongKernel[]): ChooseVariant =>
  (node, variants) =>
    choose(node, rightOnes(node, variants, wrong));

const checked = new WeakMap<Device, Promise<SelfCheck>>();

/** The check of a device, which is made when it is asked for first. */
export function checkOnce(
  device: Device,
  progress?: (done: number, total: number) => void,
): Promise<SelfCheck> {
  const check = checked.get(device) ?? selfCheck(device, progress);
  checked.set(device, check);
  return check;
}

/**
 * Checks the device. `progress` is called before each case. Throws EngineError where the device fails.
 * Exported for its tests.
 */
export async function selfCheck(
  device: Device,
  progress: (done: number, total: number) => void = () => undefined,
  of: Readonly<Record<string, SelfCheckCase>> = CASES,
): Promise<SelfCheck> {
  const wrong: WrongKernel[] = [];
  const broken = new Set<string>();
  const cases = Object.entries(of);
  for (const [done, [name, tried]] of cases.entries()) {
    progress(done, cases.length);
    // Each round leaves out what was wrong in the one before.
    for (;;) {
      const found = await wrongIn(device, name, tried, wrong);
      wrong.push(...found.wrong);
      for (const op of found.broken) broken.add(op);
      if (found.wrong.length === 0 || found.broken.length > 0) break;
    }
  }
  return { cases: cases.map(([name]) => name), wrong, broken: [...broken] };
}

/** The graph of a case, what its inputs hold, and what it computes. Exported for its tests. */
export function caseGraph(
  name: string,
  { inputs, build, backward = true }: SelfCheckCase,
): {
  readonly graph: Graph;
  readonly feed: ReadonlyMap<Tensor, Float32Array>;
  readonly outputs: readonly Tensor[];
} {
  const graph = new Graph();
  const random = new Random(1);
  const feed = new Map<Tensor, Float32Array>();
  const declare = (label: string, { shape, range: [from, to] = [-2, 2] }: Input): Tensor => {
    const tensor = graph.input(label, shape);
    const stream = random.stream(label);
    feed.set(
      tensor,
      Float32Array.from({ length: elements(shape) }, () => stream.uniform(from, to)),
    );
    return tensor;
  };
  const tensors = new Map(Object.entries(inputs).map(([label, input]) => [label, declare(label, input)]));
  const y = build(graph, (label) => {
    const tensor = tensors.get(label);
    if (!tensor) throw new EngineError('internal', name, `it has no input ${label}`);
    return tensor;
  });
  const outputs = [y];
  if (backward) {
    const cotangent = declare('cotangent', { shape: y.shape, range: [-1, 1] });
    const wrt = [...tensors].flatMap(([label, tensor]) =>
      inputs[label]?.differentiable === false ? [] : [tensor],
    );
    outputs.push(...differentiate(graph, [{ of: y, cotangent }], wrt).values());
  }
  return { graph, feed, outputs };
}

async function wrongIn(
  device: Device,
  name: string,
  tried: SelfCheckCase,
  known: readonly WrongKernel[],
): Promise<Pick<SelfCheck, 'wrong' | 'broken'>> {
  const { graph, feed, outputs } = caseGraph(name, tried);
  const used = new Map<Node, { variant: string; others: number }>();
  const choose: ChooseVariant = (node, variants) => {
    // Where all were wrong before, the first shows it again, and its op is broken.
    const variant = variants.find((one) => !isWrong(node.op.name, one.name, known)) ?? variants[0];
    const tried = [...known, { case: name, op: node.op.name, variant: variant.name, error: NaN }];
    const others = variants.filter((other) => !isWrong(node.op.name, other.name, tried)).length;
    used.set(node, { variant: variant.name, others });
    return variant;
  };
  const wrong: WrongKernel[] = [];
  const broken: string[] = [];
  const add = (node: Node, found: Pick<WrongKernel, 'error' | 'message'>): void => {
    const { op } = node;
    const choice = used.get(node);
    wrong.push({ case: name, op: op.name, variant: choice?.variant, ...found });
    if (!choice || choice.others === 0) broken.push(op.name);
  };
  const plan = planProgram(graph, device.capabilities, { outputs, choose });
  let program: Program;
  try {
    program = await Program.compile(device, graph, { outputs, plan });
  } catch (error) {
    device.check();
    if (!(error instanceof EngineError) || error.kind === 'out-of-memory') throw error;
    const failed = plan.dispatches.find(({ kernel, where }) => error.where === `${kernel} of ${where}`);
    if (!failed) throw error;
    add(failed.node, { error: NaN, message: error.detail });
    return { wrong, broken };
  }
  try {
    for (const [tensor, values] of feed) program.write(tensor, values);
    program.run();
    const [got, want] = [await program.read(), interpret(graph, feed)];
    for (const output of outputs) {
      const error = relativeError(got.get(output) ?? [], want.get(output) ?? []);
      if (error <= TOLERANCE) continue;
      // Of what it was computed from the first that is wrong would say more, but only outputs can be read.
      const node = graph.nodes.find(({ outputs: made }) => Object.values(made).includes(output));
      if (!node || wrong.some(({ op }) => op === node.op.name)) continue;
      add(node, { error });
    }
    return { wrong, broken };
  } finally {
    program.destroy();
  }
}

/** ‖got − want‖ / ‖want‖; NaN where a value is not finite or there are too few. */
function relativeError(got: ArrayLike<number>, want: ArrayLike<number>): number {
  if (got.length !== want.length) return NaN;
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < want.length; i++) {
    difference += ((got[i] as number) - (want[i] as number)) ** 2;
    norm += (want[i] as number) ** 2;
  }
  return Math.sqrt(difference) / (Math.sqrt(norm) || 1);
}
