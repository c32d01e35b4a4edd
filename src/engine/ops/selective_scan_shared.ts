/** What the scan's forward and backward ops share: sizes, shape rules, the division of the work, small kernels. */
import activation from '../../../shaders/activation.wgsl?raw';
import deltaSource from '../../../shaders/selective_scan_delta.wgsl?raw';
import holdSource from '../../../shaders/selective_scan_hold.wgsl?raw';
import prepareSource from '../../../shaders/selective_scan_prepare.wgsl?raw';
import { elements, formatShape, GraphError, type Shape, type Tensor } from '../graph';
import type { Binding, Dispatch, Lowering, OpInputs, Variant } from './definition';
import { kernel } from './kernel';

export interface ScanAttrs {
  /** Δ = softplus(delta + bias) instead of delta + bias. */
  readonly deltaSoftplus: boolean;
  /** What a token writes is (e^(ΔA) − 1)/A · B·u, which is exact where the input is held, instead of Mamba's Δ·B·u. */
  readonly zeroOrderHold?: boolean;
  /** Steps from one stored state to the next, a multiple of 16: 128 if left out. */
  readonly interval?: number;
}

/** The WGSL of a kernel that computes states, with what a zero-order hold needs of it; `type` is that of a lane's states. */
export const withHold = (
  source: string,
  { zeroOrderHold = false }: ScanAttrs,
  type: 'f32' | 'vec2f' = 'f32',
): { source: string; defines: { HOLD: boolean; STATES_TYPE: string } } => ({
  source: zeroOrderHold ? holdSource + source : source,
  defines: { HOLD: zeroOrderHold, STATES_TYPE: type },
});

export interface ScanSizes {
  readonly batch: number;
  readonly length: number;
  readonly channels: number;
  readonly states: number;
  /** Steps from one stored state to the next; a multiple of 16. */
  readonly interval: number;
  readonly intervals: number;
}

/** A stored state every 128 steps leaves room for the backward pass's partial sums within [b, ⌈l/32⌉, d, n]. */
const INTERVAL = 128;

/** Beyond this the states of a channel no longer fit a thread's registers. */
const MAX_STATES = 64;

/** Sizes by name from the shapes of u [b, l, d] and A [d, n]. */
export function scanSizes(
  u: Shape,
  a: Shape,
  { interval: wanted = INTERVAL }: Partial<ScanAttrs> = {},
): ScanSizes {
  const [batch, length, channels] = u as [number, number, number];
  const interval = Math.min(wanted, Math.ceil(length / 16) * 16);
  return {
    batch,
    length,
    channels,
    states: a[1] as number,
    interval,
    intervals: Math.ceil(length / interval),
  };
}

/** Inputs that every scan has, and those that it may have. */
export const SCAN_INPUTS = ['u', 'delta', 'A', 'B', 'C'] as const;
export const SCAN_OPTIONAL = ['D', 'z', 'deltaBias'] as const;
export type ScanInputs = OpInputs<(typeof SCAN_INPUTS)[number], (typeof SCAN_OPTIONAL)[number]>;

/** The shapes all inputs must have, given u and A. Throws GraphError naming the first that differs. */
export function checkScanShapes(inputs: ScanInputs, attrs: ScanAttrs): ScanSizes {
  const { u, A } = inputs;
  if (u.shape.length !== 3)
    throw new GraphError(`u must be [batch, length, channels], it is ${formatShape(u.shape)}`);
  if (A.shape.length !== 2)
    throw new GraphError(`A must be [channels, states], it is ${formatShape(A.shape)}`);
  const { interval = INTERVAL } = attrs;
  if (!(interval > 0 && interval % 16 === 0))
    throw new GraphError(`the interval must be a multiple of 16 steps, it is ${interval}`);
  const sizes = scanSizes(u.shape, A.shape, attrs);
  const { batch: b, length: l, channels: d, states: n } = sizes;
  if (n > MAX_STATES)
    throw new GraphError(`A has ${n} states a channel, the kernels hold at most ${MAX_STATES}`);
  const expected = {
    delta: [b, l, d],
    A: [d, n],
    B: [b, l, n],
    C: [b, l, n],
    D: [d],
    z: [b, l, d],
    deltaBias: [d],
  } as const;
  for (const [name, shape] of Object.entries(expected)) {
    const tensor = inputs[name as keyof typeof expected];
    if (tensor && formatShape(tensor.shape) !== formatShape(shape))
      throw new GraphError(`${name} must be ${formatShape(shape)}, it is ${formatShape(tensor.shape)}`);
  }
  return sizes;
}

/** WGSL's fold of a per-element kernel that runs before or after the scan; see shaders/selective_scan_prepare.wgsl. */
export function prepareKernel(
  name: string,
  stages: {
    readonly delta?: boolean;
    readonly gate?: boolean;
    readonly finish?: boolean;
    readonly keepAt?: number | undefined;
  },
  inputs: { readonly [name in 'D' | 'z' | 'deltaBias']?: Tensor | undefined },
  attrs: ScanAttrs,
  bindings: readonly Binding[],
  shape: Shape,
): Dispatch {
  return kernel({
    name,
    source: activation + deltaSource + prepareSource,
    defines: {
      TYPE: 'f32',
      DELTA: stages.delta ?? false,
      GATE: stages.gate ?? false,
      FINISH: stages.finish ?? false,
      KEEP_D: stages.keepAt !== undefined,
      SKIP: stages.keepAt ?? 0,
      SOFTPLUS: attrs.deltaSoftplus,
      BIAS: inputs.deltaBias !== undefined,
      HAS_D: inputs.D !== undefined,
      HAS_Z: inputs.z !== undefined && (stages.gate ?? stages.finish ?? false),
      D: shape.at(-1) as number,
    },
    bindings,
    threads: elements(shape),
  });
}

/** A lane of a GPU holds so many states of a channel in registers, or parts of so many: with more, Intel's spill. */
const GPU_STATES = { whole: 16, part: 8 } as const;

/** Lanes that share a channel, and the states of each; those beyond the last are 0. */
export function statesALane(
  states: number,
  quad: boolean,
  { software }: Pick<Lowering, 'software'>,
): { TEAM: number; OWN: number } {
  if (software || states <= GPU_STATES.whole) return { TEAM: 1, OWN: states };
  const TEAM = 2 ** Math.ceil(Math.log2(states / GPU_STATES.part));
  // Quads share loads by fours.
  const unit = quad ? 4 : 1;
  return { TEAM, OWN: Math.ceil(states / TEAM / unit) * unit };
}

/** Below this many workgroups time is also tried in chunks. */
const FEW_WORKGROUPS = { software: 4, gpu: 512 } as const;

/** Divisions of the work: lanes a workgroup, channels a thread, steps a tile; each also chunked where that may pay. */
export function scanVariants(
  sizes: ScanSizes,
  { subgroups, software }: Pick<Lowering, 'subgroups' | 'software'>,
  shapes: readonly (readonly [lanes: number, channels: number, tile: number])[],
  workgroups: number,
): readonly [Variant, ...Variant[]] {
  const quad = subgroups && sizes.states % 4 === 0;
  const chunks = sizes.intervals > 1 && workgroups < FEW_WORKGROUPS[software ? 'software' : 'gpu'];
  // A GPU with so few workgroups would be idle for most of the time.
  const idle = !software && workgroups < FEW_WORKGROUPS.gpu / 4;
  const variants: Variant[] = [];
  for (const CHUNKED of chunks ? [idle, !idle] : [false])
    for (const [LANES, CHANNELS, TILE] of shapes)
      variants.push({
        name: `lanes ${LANES} channels ${CHANNELS} tile ${TILE}${quad ? ' quad' : ''}${CHUNKED ? ' chunked' : ''}`,
        LANES,
        CHANNELS,
        TILE,
        CHUNKED,
        QUAD: quad,
      });
  return variants as [Variant, ...Variant[]];
}
