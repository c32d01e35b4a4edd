/** The scan of Mamba-2 (Dao & Gu 2024, arXiv:2405.21060): one decay a head, computed by chunks as matrix products. */
import products from '../../../shaders/ssd_products.wgsl?raw';
import rows from '../../../shaders/ssd_rows.wgsl?raw';
import scanSource from '../../../shaders/ssd_scan.wgsl?raw';
import { bytesOf, type Graph, type Tensor } from '../graph';
import { defineOp } from './definition';
import { kernel, read, write } from './kernel';
import { ssdScanBackwardOp } from './ssd_scan_backward';
import { ssdVariants, stateKernels, stepsKernel, walkKernel } from './ssd_scan_kernels';
import {
  CHUNK,
  checkSsd,
  fourAccessors,
  ssdByFours,
  ssdDefines,
  ssdDynamicSizes,
  ssdReference,
  ssdSizes,
  type SsdAttrs,
} from './ssd_scan_shared';

/**
 * xbc [b, l, h·p + 2·g·n] holds x, B and C side by side (see SsdAttrs.reverse for halves); dt [b, l, h]; A, D, dt_bias [h]. Δ = softplus(dt + dt_bias) →
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
    const sizes = ssdDynamicSizes(inputs, attrs);
    const { BATCH, CHUNKS, H } = defines;
    const fours = ssdByFours(attrs);
    const type = fours ? 'vec4f' : 'f32';
    if ((variant ?? ssdVariants(attrs, lowering)[0])['WALK'])
      return [
        stepsKernel('ssd_scan.steps', inputs, attrs, steps),
        walkKernel('ssd_scan', inputs, attrs, { steps, states, out: y }),
      ];
    return [
      ...stateKernels('ssd_scan', inputs, attrs, { steps, states }),
      kernel({
        name: 'ssd_scan',
        source: fourAccessors(['xbc', 'states'], 'y', fours) + rows + products + scanSource,
        defines: { ...defines, OUTPUT: true },
        sizes,
        bindings: [
          read('xbc', inputs.xbc, type),
          read('D_skip', inputs.D),
          read('steps', steps),
          read('states', states, type),
          write('y', y, type),
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
