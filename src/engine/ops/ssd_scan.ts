/** The scan of Mamba-2 (Dao & Gu 2024, arXiv:2405.21060): one decay a head, computed by chunks as matrix products. */
import activation from '../../../shaders/activation.wgsl?raw';
import source from '../../../shaders/ssd_scan.wgsl?raw';
import walkSource from '../../../shaders/ssd_walk.wgsl?raw';
import { bytesOf, type Graph, type Tensor } from '../graph';
import { defineOp, type Dispatch, type Lowering, type Variant } from './definition';
import { kernel, read, write, readWrite } from './kernel';
import { ssdScanBackwardOp } from './ssd_scan_backward';
import {
  CHUNK,
  checkSsd,
  ssdDefines,
  ssdLateSizes,
  ssdReference,
  ssdSizes,
  type SsdAttrs,
  type SsdInputs,
} from './ssd_scan_shared';

/** States that enter the chunks: sums of each chunk alone, then carried from chunk to chunk in place. */
export function stateKernels(
  name: string,
  inputs: SsdInputs<Tensor>,
  attrs: SsdAttrs,
  { steps, states, dy }: { steps: Tensor; states: Tensor; dy?: Tensor },
) {
  const defines = { ...ssdDefines(inputs, attrs), ADJOINT: dy !== undefined };
  const sizes = ssdLateSizes(inputs, attrs);
  const { BATCH, CHUNKS, H, N, P } = defines;
  return [
    kernel({
      name: `${name}.states`,
      source,
      defines: { ...defines, STATES: true },
      sizes,
      bindings: [
        read('xbc', inputs.xbc),
        ...(dy ? [read('dy', dy)] : []),
        read('steps', steps),
        write('states', states),
      ],
      workgroups: BATCH * CHUNKS * H,
    }),
    kernel({
      name: `${name}.carry`,
      source,
      defines: { ...defines, CARRY: true },
      sizes,
      bindings: [read('steps', steps), readWrite('states', states)],
      threads: BATCH * H * N * P,
    }),
  ];
}

const CHUNKS: Variant = { name: 'by chunks', WALK: false };
const WALK: Variant = { name: 'step by step', WALK: true };

/** Chunks fill a GPU. On a CPU-backed adapter a few lanes that walk all steps do with a tenth of the loads. */
export function ssdVariants(
  attrs: SsdAttrs,
  { software, subgroups }: Lowering,
): readonly [Variant, ...Variant[]] {
  const { headdim, dState } = attrs;
  return software && subgroups && headdim % 16 === 0 && dState % 16 === 0 ? [WALK, CHUNKS] : [CHUNKS];
}

/** All steps in turn, forward or (where `dy` is) backward; writes `out`, y or the part of dxbc that is dx, and `states`. */
export function walkKernel(
  name: string,
  inputs: SsdInputs<Tensor>,
  attrs: SsdAttrs,
  { steps, states, dy, out }: { steps: Tensor; states: Tensor; dy?: Tensor; out: Tensor },
): Dispatch {
  const defines = ssdDefines(inputs, attrs);
  const sizes = ssdLateSizes(inputs, attrs);
  const { BATCH, H, P, D, WIDTH } = defines;
  return kernel({
    name,
    source: walkSource,
    defines: { ...defines, ADJOINT: dy !== undefined, P4: P / 4, D4: D / 4, W4: WIDTH / 4 },
    sizes,
    bindings: [
      read('xbc', inputs.xbc, 'vec4f'),
      ...(dy ? [read('dy', dy, 'vec4f')] : []),
      read('A', inputs.A),
      read('D_skip', inputs.D),
      read('steps', steps),
      write(dy ? 'dxbc' : 'y', out, 'vec4f'),
      write('states', states, 'vec4f'),
    ],
    workgroup: 4,
    workgroups: (BATCH * H * P) / 16,
    subgroups: true,
  });
}

/**
 * xbc [b, l, h·p + 2·g·n] holds x, B and C side by side; dt [b, l, h]; A, D, dt_bias [h]. Δ = softplus(dt + dt_bias) →
 * y [b, l, h·p] with h_t = e^{Δ_t A} h_{t−1} + Δ_t B_t x_tᵀ and y_t = C_t h_t + D x_t for each head. For the backward
 * pass: steps [b, h, l, 2], Δ and the sum of Δ A inside the chunk, in the order of the scan; states [b, ⌈l/32⌉, h, n, p],
 * the state that enters each chunk. A must be negative.
 */
export const ssdScanOp = defineOp({
  name: 'ssd_scan',
  inputs: ['xbc', 'dt', 'A', 'D'],
  optional: ['dt_bias'],
  outputs: ['y', 'steps', 'states'],
  half: ['y'],
  shape(inputs, attrs: SsdAttrs) {
    checkSsd(inputs, attrs);
    const { BATCH, L, H, P, N, D, CHUNKS } = ssdSizes(inputs, attrs);
    return {
      y: { shape: [BATCH, L, D], dtype: 'f32' },
      steps: { shape: [BATCH, H, L, 2], dtype: 'f32' },
      states: { shape: [BATCH, CHUNKS, H, N, P], dtype: 'f32' },
    };
  },
  variants: ({ attrs }, lowering) => ssdVariants(attrs, lowering),
  kernels({ inputs, outputs: { y, steps, states }, attrs }, lowering, variant) {
    const defines = ssdDefines(inputs, attrs);
    const sizes = ssdLateSizes(inputs, attrs);
    const { BATCH, CHUNKS, H } = defines;
    const prepared = kernel({
      name: 'ssd_scan.steps',
      source: activation + source,
      defines: { ...defines, STEPS: true },
      sizes,
      bindings: [
        read('dt', inputs.dt),
        read('A', inputs.A),
        ...(inputs.dt_bias ? [read('dt_bias', inputs.dt_bias)] : []),
        write('steps', steps),
      ],
      threads: BATCH * H * CHUNKS,
    });
    if ((variant ?? ssdVariants(attrs, lowering)[0])['WALK'])
      return [prepared, walkKernel('ssd_scan', inputs, attrs, { steps, states, out: y })];
    return [
      prepared,
      ...stateKernels('ssd_scan', inputs, attrs, { steps, states }),
      kernel({
        name: 'ssd_scan',
        source,
        defines: { ...defines, OUTPUT: true },
        sizes,
        bindings: [
          read('xbc', inputs.xbc),
          read('D_skip', inputs.D),
          read('steps', steps),
          read('states', states),
          write('y', y),
        ],
        workgroups: BATCH * CHUNKS * H,
      }),
    ];
  },
  gradient({ graph, inputs, outputs: { steps, states }, attrs, cotangents: { y: dy } }) {
    if (!dy) return {};
    const { dxbc, ddt, dA, dD, ddt_bias } = graph.apply(
      ssdScanBackwardOp,
      { ...inputs, steps, states, dy },
      attrs,
    );
    return { xbc: dxbc, dt: ddt, A: dA, D: dD, dt_bias: ddt_bias };
  },
  reference: (inputs, attrs) => ssdReference(inputs, attrs),
  cost({ inputs, outputs, attrs }) {
    const { BATCH, CHUNKS, H, N, P } = ssdSizes(inputs, attrs);
    const pairs = (CHUNK * CHUNK) / 2;
    return {
      flops: 2 * BATCH * CHUNKS * H * (pairs * (N + P) + 2 * CHUNK * N * P),
      bytes: [...Object.values(inputs), ...Object.values(outputs)].reduce(
        (sum, tensor) => sum + (tensor ? bytesOf(tensor) : 0),
        0,
      ),
    };
  },
});

/** y [b, l, h·p] of the scan; see ssdScanOp. */
export const ssdScan = (
  graph: Graph,
  inputs: { xbc: Tensor; dt: Tensor; A: Tensor; D: Tensor; dtBias?: Tensor | undefined },
  attrs: SsdAttrs,
): Tensor => {
  const { dtBias, ...others } = inputs;
  return graph.apply(ssdScanOp, { ...others, dt_bias: dtBias }, attrs).y;
};
