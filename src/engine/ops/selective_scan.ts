/** Mamba-1's selective scan (Gu & Dao 2023, §3.3), forward; the formulas stand in shaders/selective_scan.wgsl. */
import activation from '../../../shaders/activation.wgsl?raw';
import scan from '../../../shaders/selective_scan.wgsl?raw';
import deltaSource from '../../../shaders/selective_scan_delta.wgsl?raw';
import { bytesOf, type Graph, type Tensor } from '../graph';
import { defineOp, type Dispatch, type Lowering, type Variant } from './definition';
import { kernel, read, readWrite, write } from './kernel';
import { selectiveScanBackwardOp } from './selective_scan_backward';
import { scanForward } from './selective_scan_reference';
import {
  checkScanShapes,
  prepareKernel,
  SCAN_INPUTS,
  SCAN_OPTIONAL,
  scanSizes,
  statesALane,
  scanVariants,
  withHold,
  type ScanAttrs,
  type ScanInputs,
} from './selective_scan_shared';

/** Lanes, channels a thread and unrolled steps worth timing; without quads a CPU's compiler takes minutes to unroll. */
const SHAPES = {
  gpu: [
    [64, 1, 1],
    [64, 1, 4],
  ],
  softwareQuad: [
    [16, 2, 4],
    [8, 4, 4],
  ],
  software: [[16, 1, 1]],
} as const;

function variantsOf(
  { u, A }: ScanInputs,
  attrs: ScanAttrs,
  lowering: Lowering,
): readonly [Variant, ...Variant[]] {
  const sizes = scanSizes(u.shape, A.shape, attrs);
  const quad = lowering.subgroups && sizes.states % 4 === 0;
  const shapes = SHAPES[lowering.software ? (quad ? 'softwareQuad' : 'software') : 'gpu'];
  return scanVariants(sizes, lowering, shapes, sizes.batch * Math.ceil(sizes.channels / 32));
}

function forwardKernels(
  inputs: ScanInputs,
  outputs: { y: Tensor; states: Tensor },
  attrs: ScanAttrs,
  lowering: Lowering,
  variant: Variant,
): Dispatch[] {
  const { u, delta, A, B, C, D, z, deltaBias } = inputs;
  const { y, states } = outputs;
  const { batch, length, channels, states: n, interval, intervals } = scanSizes(u.shape, A.shape, attrs);
  const { LANES, CHANNELS, TILE, CHUNKED, QUAD } = variant as Variant &
    Record<'LANES' | 'CHANNELS' | 'TILE', number>;
  const { TEAM, OWN } = statesALane(n, Boolean(QUAD), lowering);
  const storesStates = Boolean(CHUNKED) || lowering.isUsed(states);
  const blocks = Math.ceil(channels / ((LANES / TEAM) * CHANNELS));
  const optional = [D, z, deltaBias, storesStates ? states : undefined].filter(
    (tensor) => tensor !== undefined,
  );
  const prepared = 6 + optional.length > lowering.limits.maxStorageBuffersPerShaderStage;
  const dispatches: Dispatch[] = [];
  if (prepared)
    dispatches.push(
      prepareKernel(
        'selective_scan.delta',
        { delta: true },
        { deltaBias },
        attrs,
        [read('delta', delta), ...(deltaBias ? [read('bias', deltaBias)] : []), write('out', y)],
        u.shape,
      ),
    );
  const { source, defines: hold } = withHold(activation + deltaSource + scan, attrs);
  const defines = {
    ...hold,
    TYPE: 'f32',
    BATCH: batch,
    L: length,
    D: channels,
    N: n,
    INTERVAL: interval,
    INTERVALS: intervals,
    CHUNKS: CHUNKED ? intervals : 1,
    BLOCKS: blocks,
    LANES,
    CHANNELS,
    TILE,
    TAIL: length % TILE !== 0,
    RAGGED: channels % ((LANES / TEAM) * CHANNELS) !== 0,
    TEAM,
    OWN,
    QUAD: QUAD ?? false,
    SOFTPLUS: attrs.deltaSoftplus,
    BIAS: deltaBias !== undefined,
    HAS_D: D !== undefined,
    HAS_Z: z !== undefined,
    STATES: storesStates,
    PREPARED: prepared,
    LOCAL: false,
    CARRY: false,
  };
  const deltaBindings = prepared
    ? []
    : [read('delta', delta), ...(deltaBias ? [read('bias', deltaBias)] : [])];
  if (CHUNKED) {
    const sums = lowering.scratch('sums', [batch, intervals, channels]);
    dispatches.push(
      kernel({
        name: 'selective_scan.local',
        source,
        defines: { ...defines, LOCAL: true },
        bindings: [
          read('u', u),
          ...(prepared ? [read('y', y)] : deltaBindings),
          read('a', A),
          read('b', B),
          write('states', states),
          write('sums', sums),
        ],
        workgroup: LANES,
        workgroups: batch * intervals * blocks,
        subgroups: Boolean(QUAD),
      }),
      kernel({
        name: 'selective_scan.carry',
        source,
        defines: { ...defines, CARRY: true },
        bindings: [read('a', A), read('sums', sums), readWrite('states', states)],
        threads: batch * channels * n,
      }),
    );
  }
  dispatches.push(
    kernel({
      name: 'selective_scan',
      source,
      defines,
      bindings: [
        read('u', u),
        ...deltaBindings,
        read('a', A),
        read('b', B),
        read('c', C),
        ...(D ? [read('d_skip', D)] : []),
        ...(z ? [read('z', z)] : []),
        prepared ? readWrite('y', y) : write('y', y),
        ...(CHUNKED ? [read('states', states)] : storesStates ? [write('states', states)] : []),
      ],
      workgroup: LANES,
      workgroups: batch * (CHUNKED ? intervals : 1) * blocks,
      subgroups: Boolean(QUAD),
    }),
  );
  return dispatches;
}

/**
 * u, delta, z [b, l, d]; A [d, n]; B, C [b, l, n]; D, deltaBias [d] → y [b, l, d] and states [b, ⌈l/128⌉, d, n], the
 * state at the start of each interval of 128 steps or as `interval` says (slot 0 of batch 0 carries A), which the backward pass starts from.
 */
export const selectiveScanOp = defineOp({
  name: 'selective_scan',
  inputs: SCAN_INPUTS,
  optional: SCAN_OPTIONAL,
  outputs: ['y', 'states'],
  shape(inputs, attrs: ScanAttrs) {
    const { batch, intervals, channels, states } = checkScanShapes(inputs, attrs);
    return {
      y: { shape: inputs.u.shape, dtype: 'f32' },
      states: { shape: [batch, intervals, channels, states], dtype: 'f32' },
    };
  },
  variants: ({ inputs, attrs }, lowering) => variantsOf(inputs, attrs, lowering),
  kernels: ({ inputs, outputs, attrs }, lowering, variant) =>
    forwardKernels(inputs, outputs, attrs, lowering, variant ?? variantsOf(inputs, attrs, lowering)[0]),
  gradient({ graph, inputs, outputs, attrs, cotangents: { y: dy } }) {
    if (!dy) return {};
    const { du, ddelta, dA, dB, dC, dD, dz, dDeltaBias } = graph.apply(
      selectiveScanBackwardOp,
      { ...inputs, dy, states: outputs.states },
      attrs,
    );
    return { u: du, delta: ddelta, A: dA, B: dB, C: dC, D: dD, z: dz, deltaBias: dDeltaBias };
  },
  reference: scanForward,
  cost({ inputs: { u, A, ...others }, outputs: { y }, attrs: { zeroOrderHold } }) {
    const { batch, length, channels, states } = scanSizes(u.shape, A.shape);
    const tensors = [u, A, y, ...Object.values(others).filter((tensor) => tensor !== undefined)];
    return {
      flops: batch * length * channels * ((zeroOrderHold ? 22 : 7) * states + 12),
      bytes: tensors.reduce((sum, tensor) => sum + bytesOf(tensor), 0),
    };
  },
});

/** y of the scan; see selectiveScanOp for the shapes. */
export const selectiveScan = (graph: Graph, inputs: ScanInputs, attrs: ScanAttrs): Tensor =>
  graph.apply(selectiveScanOp, inputs, attrs).y;
