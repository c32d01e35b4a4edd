/** Backward pass of the Mamba-2 scan; shaders/ssd_scan_backward.wgsl has the formulas. */
import activation from '../../../shaders/activation.wgsl?raw';
import partsSource from '../../../shaders/ssd_parts.wgsl?raw';
import products from '../../../shaders/ssd_products.wgsl?raw';
import rows from '../../../shaders/ssd_rows.wgsl?raw';
import backwardSource from '../../../shaders/ssd_scan_backward.wgsl?raw';
import { bytesOf } from '../graph';
import { defineOp } from './definition';
import { kernel, read, write } from './kernel';
import { sumDefines, sumInOrder } from './sum_in_order';
import { ssdVariants, stateKernels, walkKernel } from './ssd_scan_kernels';
import {
  CHUNK,
  fourAccessors,
  ssdBackwardReference,
  ssdByFours,
  ssdDefines,
  ssdDynamicSizes,
  ssdSizes,
  type SsdAttrs,
} from './ssd_scan_shared';

const source = rows + backwardSource;

/** From dy [b, l, h·p] and what the forward pass saved to the cotangents of its inputs, in their shapes. */
export const ssdScanBackwardOp = defineOp({
  name: 'ssd_scan_backward',
  inputs: ['xbc', 'dt', 'A', 'D', 'steps', 'states', 'dy'],
  optional: ['dt_bias'],
  outputs: ['dxbc', 'ddt', 'dA', 'dD', 'ddt_bias'],
  half: ['dxbc'],
  shape({ xbc, dt, A, D }, _: SsdAttrs) {
    return {
      dxbc: { shape: xbc.shape, dtype: 'f32' },
      ddt: { shape: dt.shape, dtype: 'f32' },
      dA: { shape: A.shape, dtype: 'f32' },
      dD: { shape: D.shape, dtype: 'f32' },
      ddt_bias: { shape: A.shape, dtype: 'f32' },
    };
  },
  variants: ({ attrs }, lowering) => ssdVariants(attrs, lowering),
  kernels({ inputs, outputs, attrs }, lowering, variant) {
    const { xbc, dt, A, D, dt_bias, steps, states, dy } = inputs;
    const { dxbc, ddt, dA, dD, ddt_bias } = outputs;
    const defines = ssdDefines(inputs, attrs);
    const sizes = ssdDynamicSizes(inputs, attrs);
    const { BATCH, L, CHUNKS, H, G, N, P, D: channels, WIDTH } = defines;
    const dstates = lowering.scratch('dstates', states.shape);
    const parts = lowering.scratch('parts', [BATCH, L, H, 2 * N + 3]);
    const bias = dt_bias ? [read('dt_bias', dt_bias)] : [];
    const walks = Boolean((variant ?? ssdVariants(attrs, lowering)[0])['WALK']);
    const fours = ssdByFours(attrs);
    const type = fours ? 'vec4f' : 'f32';
    const scanned = walks
      ? [walkKernel('ssd_scan_backward.input', inputs, attrs, { steps, states: dstates, dy, out: dxbc })]
      : [
          ...stateKernels('ssd_scan_backward', inputs, attrs, { steps, states: dstates, dy }),
          kernel({
            name: 'ssd_scan_backward.input',
            source: fourAccessors(['xbc', 'dy', 'dstates'], 'dxbc', fours) + rows + products + backwardSource,
            defines: { ...defines, INPUT: true },
            sizes,
            bindings: [
              read('xbc', xbc, type),
              read('dy', dy, type),
              read('D_skip', D),
              read('steps', steps),
              read('dstates', dstates, type),
              write('dxbc', dxbc, type),
            ],
            workgroups: BATCH * CHUNKS * H,
          }),
        ];
    return [
      ...scanned,
      kernel({
        name: 'ssd_scan_backward.parts',
        source: walks
          ? rows + partsSource
          : fourAccessors(['xbc', 'dy', 'states', 'dstates'], undefined, fours) +
            rows +
            products +
            backwardSource,
        defines: { ...defines, PARTS: true, P4: P / 4, D4: channels / 4, W4: WIDTH / 4 },
        sizes,
        bindings: [
          read('xbc', xbc, type),
          read('dy', dy, type),
          read('steps', steps),
          read('states', states, type),
          read('dstates', dstates, type),
          write('parts', parts),
        ],
        workgroup: walks ? CHUNK : 64,
        workgroups: BATCH * CHUNKS * H,
        subgroups: walks,
      }),
      kernel({
        name: 'ssd_scan_backward.rows',
        source: sumInOrder + activation + source,
        defines: { ...defines, ROWS: true, ...sumDefines('read_parts', lowering.software) },
        sizes,
        bindings: [
          read('dt', dt),
          ...bias,
          read('A', A),
          read('parts', parts),
          write('dxbc', dxbc),
          write('ddt', ddt),
        ],
        threads: BATCH * L * (2 * G * N + H),
      }),
      kernel({
        name: 'ssd_scan_backward.heads',
        source: activation + source,
        defines: { ...defines, HEADS: true },
        sizes,
        bindings: [
          read('dt', dt),
          ...bias,
          read('ddt', ddt),
          read('parts', parts),
          write('dA', dA),
          write('dD', dD),
          ...(dt_bias ? [write('ddt_bias', ddt_bias)] : []),
        ],
        workgroup: lowering.software ? 64 : 256,
        workgroups: H,
      }),
    ];
  },
  gradient: null,
  reference: ({ dy, ...inputs }, attrs) => ssdBackwardReference(inputs, dy, attrs),
  cost({ inputs, outputs, attrs }) {
    const { BATCH, CHUNKS, H, N, P } = ssdSizes(inputs, attrs);
    const pairs = CHUNK * CHUNK;
    return {
      flops: 2 * BATCH * CHUNKS * H * (pairs * (2 * N + P) + 4 * CHUNK * N * P),
      bytes: [...Object.values(inputs), ...Object.values(outputs)].reduce(
        (sum, tensor) => sum + (tensor ? bytesOf(tensor) : 0),
        0,
      ),
    };
  },
});
