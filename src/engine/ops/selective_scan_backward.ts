/** Mamba-1's selective scan, backward; the formulas stand in shaders/selective_scan_backward.wgsl. */
import activation from '../../../shaders/activation.wgsl?raw';
import walk from '../../../shaders/selective_scan_backward.wgsl?raw';
import chunksSource from '../../../shaders/selective_scan_backward_chunks.wgsl?raw';
import slope from '../../../shaders/selective_scan_slope.wgsl?raw';
import sumsSource from '../../../shaders/selective_scan_sums.wgsl?raw';
import teamsSource from '../../../shaders/selective_scan_backward_teams.wgsl?raw';
import { bytesOf, type Tensor } from '../graph';
import { defineOp, type Dispatch, type Lowering, type OpInputs, type Variant } from './definition';
import { kernel, read, readWrite, write } from './kernel';
import {
  prepareKernel,
  scanSizes,
  scanVariants,
  statesALane,
  withHold,
  type ScanAttrs,
} from './selective_scan_shared';
import { scanBackward } from './selective_scan_reference';
import { sumDefines, sumInOrder } from './sum_in_order';

const INPUTS = ['u', 'delta', 'A', 'B', 'C', 'dy', 'states'] as const;
const OPTIONAL = ['D', 'z', 'deltaBias'] as const;
const OUTPUTS = ['du', 'ddelta', 'dA', 'dB', 'dC', 'dD', 'dz', 'dDeltaBias'] as const;
type Inputs = OpInputs<(typeof INPUTS)[number], (typeof OPTIONAL)[number]>;
type Outputs = Readonly<Record<(typeof OUTPUTS)[number], Tensor>>;

/** WGSL allows 8 KiB of variables in a function; the noted tile starts may take three quarters of it. */
const NOTED_BYTES = 6144;

/** Channels a workgroup must own for its partial dB and dC [b, l, 2n] to stay within [b, l/64, d, n] together. */
const CHANNELS_A_PART = 128;

/** Workgroups that share a (batch, chunk), for passes of `perPass` channels. */
function division(channels: number, perPass: number): { parts: number; passes: number } {
  const maxParts = Math.max(1, Math.floor(channels / CHANNELS_A_PART));
  const passes = Math.ceil(channels / perPass / maxParts);
  return { passes, parts: Math.ceil(channels / perPass / passes) };
}

/** Lanes, channels a lane and steps in registers of the kernel in which a lane owns its channels; for CPU-backed adapters. */
const WALKS = {
  quad: [[4, 2, 4]],
  // Without quads one lane alone is better off without barriers, and the compiler takes minutes over many unrolled loads.
  plain: [
    [1, 1, 2],
    [16, 1, 4],
  ],
} as const;

/** Lanes of a workgroup in which teams share channels, at most. */
const TEAM_LANES = 256;

/** Workgroups that GPUs need to be busy. */
const BUSY = 256;

function variantsOf(
  { u, A }: Inputs,
  attrs: ScanAttrs,
  lowering: Lowering,
): readonly [Variant, ...Variant[]] {
  const { software, subgroups, limits } = lowering;
  const sizes = scanSizes(u.shape, A.shape, attrs);
  const { batch, channels, states, interval } = sizes;
  const quad = subgroups && states % 4 === 0;
  const fitting = (software ? WALKS[quad ? 'quad' : 'plain'] : []).filter(
    ([lanes, owned, tile]) =>
      (interval / tile) * owned * states * 4 <= NOTED_BYTES &&
      (quad ? lanes / 4 : lanes) * tile * 2 * states * 4 <= limits.maxComputeWorkgroupStorageSize,
  );
  const [first, ...others] = fitting;
  if (first) {
    const workgroups = batch * division(channels, first[0] * first[1]).parts;
    return scanVariants(sizes, lowering, [first, ...others], workgroups);
  }
  const TEAM = Math.ceil(states / 2);
  const wide = 2 ** Math.floor(Math.log2(Math.min(32, TEAM_LANES / TEAM)));
  const variants = scanVariants(
    sizes,
    { software, subgroups: false },
    [
      [wide * TEAM, wide, 1],
      [wide * TEAM, wide, 2],
    ],
    batch * Math.ceil(channels / wide),
  );
  return variants.map((variant) => ({ ...variant, TEAM })) as unknown as [Variant, ...Variant[]];
}

/**
 * Workgroups that share a (batch, chunk) where teams share channels, `perPass` of them a pass: as few as the partial sums over
 * channels need to stay small, or as many as a GPU needs to be busy.
 */
function teamDivision(
  channels: number,
  perPass: number,
  others: number,
  software: boolean,
): { parts: number; passes: number } {
  const blocks = Math.ceil(channels / perPass);
  const maxPasses = Math.max(1, Math.floor(CHANNELS_A_PART / perPass));
  const passes = software
    ? maxPasses
    : Math.min(maxPasses, Math.max(1, Math.floor((others * blocks) / BUSY)));
  return { passes, parts: Math.ceil(blocks / passes) };
}

function backwardKernels(
  inputs: Inputs,
  outputs: Outputs,
  attrs: ScanAttrs,
  lowering: Lowering,
  variant: Variant,
): Dispatch[] {
  const { u, delta, A, B, C, dy, states, D, z, deltaBias } = inputs;
  const { du, ddelta, dA, dB, dC, dD, dz, dDeltaBias } = outputs;
  const { batch, length, channels, states: n, interval, intervals } = scanSizes(u.shape, A.shape, attrs);
  const { LANES, CHANNELS, TILE, CHUNKED, QUAD, TEAM } = variant as Variant &
    Record<'LANES' | 'CHANNELS' | 'TILE', number> & { readonly TEAM?: number };
  const chunks = CHUNKED ? intervals : 1;
  const { parts, passes } = TEAM
    ? teamDivision(channels, CHANNELS, batch * chunks, lowering.software)
    : division(channels, LANES * CHANNELS);
  const rows = batch * length;
  const carries = parts * rows * 2 * n;
  const sums = carries + batch * chunks * channels * n;
  // dy, z and dz beside the seven that every main kernel binds.
  const direct = 8 + (z ? 2 : 0) <= lowering.limits.maxStorageBuffersPerShaderStage;
  const skip = direct && D ? sums + batch * chunks * 2 * channels : undefined;
  const work = lowering.scratch('work', [
    sums + batch * chunks * 2 * channels + (skip === undefined ? 0 : channels),
  ]);
  const defines = {
    BATCH: batch,
    L: length,
    D: channels,
    N: n,
    INTERVAL: interval,
    INTERVALS: intervals,
    CHUNKS: chunks,
    PARTS: parts,
    PASSES: passes,
    CARRIES: carries,
    SUMS: sums,
    LANES,
    CHANNELS,
    TILE,
    TAIL: length % TILE !== 0,
    RAGGED: channels !== parts * passes * LANES * CHANNELS,
    QUAD: QUAD ?? false,
    // One lane, or one quad, has nobody to share its sums with.
    STAGED: LANES > (QUAD ? 4 : 1),
    SLOTS: QUAD ? LANES / 4 : LANES,
    SOFTPLUS: attrs.deltaSoftplus,
    HAS_D: D !== undefined,
    HAS_Z: z !== undefined,
    DIRECT: direct,
    SKIP: skip ?? 0,
    TYPE: 'f32',
  };
  const cotangent = direct ? [read('dy', dy), ...(z ? [read('z', z)] : [])] : [];
  const dispatches = [
    prepareKernel(
      'selective_scan_backward.prepare',
      { delta: true, gate: !direct, keepAt: skip },
      { z, deltaBias },
      attrs,
      [
        read('delta', delta),
        ...(deltaBias ? [read('bias', deltaBias)] : []),
        write('out', ddelta),
        ...(direct ? [] : [read('dy', dy), ...(z ? [read('z', z)] : []), write('du', du)]),
        ...(D && skip !== undefined ? [read('d_skip', D), write('work', work)] : []),
      ],
      u.shape,
    ),
  ];
  if (CHUNKED) {
    const localLanes = 64;
    const blocks = Math.ceil(channels / localLanes);
    const { TEAM: SHARES, OWN } = statesALane(n, Boolean(QUAD), lowering);
    dispatches.push(
      kernel({
        name: 'selective_scan_backward.local',
        source: activation + chunksSource,
        defines: { ...defines, LOCAL: true, CARRY: false, LANES: localLanes, BLOCKS: blocks, SHARES, OWN },
        bindings: [
          read('ddelta', ddelta),
          ...(direct ? cotangent : [read('du', du)]),
          read('c', C),
          read('states', states),
          write('work', work),
        ],
        workgroup: localLanes,
        workgroups: batch * chunks * blocks * SHARES,
        subgroups: Boolean(QUAD),
      }),
      kernel({
        name: 'selective_scan_backward.carry',
        source: chunksSource,
        defines: { ...defines, LOCAL: false, CARRY: true },
        bindings: [read('states', states), readWrite('work', work)],
        threads: batch * channels * n,
      }),
    );
  }
  // A block of steps is as long as the state at its start has values in each of the tensors that keep it.
  const { source, defines: hold } = withHold(
    activation + slope + (TEAM ? teamsSource : walk),
    attrs,
    TEAM ? 'vec2f' : 'f32',
  );
  const twoNotes = direct && z !== undefined && (TEAM ?? 0) % 2 === 0;
  dispatches.push(
    kernel({
      name: 'selective_scan_backward',
      source,
      defines: TEAM
        ? {
            ...defines,
            ...hold,
            TEAM,
            NP: 2 * TEAM,
            ODD: n % 2 === 1,
            TWO_NOTES: twoNotes,
            BLOCK: twoNotes ? TEAM : 2 * TEAM,
            NOTES: direct ? 'du' : 'dz',
          }
        : { ...defines, ...hold },
      bindings: [
        read('u', u),
        read('b', B),
        read('c', C),
        read('states', states),
        ...cotangent,
        direct && !TEAM ? write('du', du) : readWrite('du', du),
        readWrite('ddelta', ddelta),
        readWrite('work', work),
        ...(z ? [TEAM ? readWrite('dz', dz) : write('dz', dz)] : []),
      ],
      workgroup: LANES,
      workgroups: batch * chunks * parts,
      subgroups: Boolean(QUAD),
    }),
  );
  if (!direct && (D ?? z))
    dispatches.push(
      prepareKernel(
        'selective_scan_backward.finish',
        { finish: true },
        { D, z },
        attrs,
        [
          read('dy', dy),
          ...(D ? [read('d_skip', D), readWrite('du', du)] : []),
          ...(z ? [read('z', z), readWrite('dz', dz)] : []),
          ...(D && z ? [read('u', u)] : []),
        ],
        u.shape,
      ),
    );
  dispatches.push(
    kernel({
      name: 'selective_scan_backward.sums',
      source: sumInOrder + sumsSource,
      defines: {
        ...sumDefines('read_work', lowering.software),
        ROWS: rows,
        D: channels,
        N: n,
        PARTS: parts,
        SPLIT: batch * chunks,
        CARRIES: carries,
        SUMS: sums,
        HAS_D: D !== undefined,
        BIAS: deltaBias !== undefined,
      },
      bindings: [
        read('work', work),
        write('da', dA),
        write('db', dB),
        write('dc', dC),
        ...(D ? [write('dd', dD)] : []),
        ...(deltaBias ? [write('dbias', dDeltaBias)] : []),
      ],
      threads: 2 * rows * n + channels * n + channels,
    }),
  );
  return dispatches;
}

/**
 * Gradients of the scan's inputs from dy [b, l, d] and the forward pass's states. dD, dz and dDeltaBias are written
 * only when D, z and deltaBias are there.
 */
export const selectiveScanBackwardOp = defineOp({
  name: 'selective_scan_backward',
  inputs: INPUTS,
  optional: OPTIONAL,
  outputs: OUTPUTS,
  shape({ u, A, B, C }, _: ScanAttrs) {
    const channels = { shape: [A.shape[0] as number], dtype: 'f32' } as const;
    return { du: u, ddelta: u, dz: u, dA: A, dB: B, dC: C, dD: channels, dDeltaBias: channels };
  },
  variants: ({ inputs, attrs }, lowering) => variantsOf(inputs, attrs, lowering),
  kernels: ({ inputs, outputs, attrs }, lowering, variant) =>
    backwardKernels(inputs, outputs, attrs, lowering, variant ?? variantsOf(inputs, attrs, lowering)[0]),
  gradient: null,
  reference: ({ dy, states: _, ...inputs }, attrs) => scanBackward(inputs, dy.data, attrs),
  cost({ inputs: { u, A, ...others }, outputs, attrs: { zeroOrderHold } }) {
    const { batch, length, channels, states } = scanSizes(u.shape, A.shape);
    const { dD: _d, dz: _z, dDeltaBias: _b, ...always } = outputs;
    const tensors = [u, A, ...Object.values(others), ...Object.values(always)].filter(
      (tensor) => tensor !== undefined,
    );
    return {
      flops: batch * length * channels * ((zeroOrderHold ? 90 : 30) * states + 20),
      bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
    };
  },
});
