/** The kernels that both directions of the Mamba-2 scan have, and the choice between them. */
import activation from '../../../shaders/activation.wgsl?raw';
import rows from '../../../shaders/ssd_rows.wgsl?raw';
import scanSource from '../../../shaders/ssd_scan.wgsl?raw';
import walkSource from '../../../shaders/ssd_walk.wgsl?raw';
import type { Tensor } from '../graph';
import type { Dispatch, Lowering, Variant } from './definition';
import { kernel, read, readWrite, write } from './kernel';
import {
  fourAccessors,
  ssdByFours,
  ssdDefines,
  ssdDynamicSizes,
  type SsdAttrs,
  type SsdInputs,
} from './ssd_scan_shared';

const source = rows + scanSource;

/** What Δ and its sums within a chunk are made of. */
const stepsInputs = ({ dt, A, dt_bias }: SsdInputs<Tensor>) => [
  read('dt', dt),
  read('A', A),
  ...(dt_bias ? [read('dt_bias', dt_bias)] : []),
];

/** `steps` alone. */
export function stepsKernel(
  name: string,
  inputs: SsdInputs<Tensor>,
  attrs: SsdAttrs,
  steps: Tensor,
): Dispatch {
  const defines = ssdDefines(inputs, attrs);
  const { BATCH, CHUNKS, H } = defines;
  return kernel({
    name,
    source: activation + source,
    defines: { ...defines, STEPS: true },
    sizes: ssdDynamicSizes(inputs, attrs),
    bindings: [...stepsInputs(inputs), write('steps', steps)],
    threads: BATCH * H * CHUNKS,
  });
}

/** States that enter the chunks: sums of each chunk alone, then carried from chunk to chunk in place. Forward they write `steps`, too. */
export function stateKernels(
  name: string,
  inputs: SsdInputs<Tensor>,
  attrs: SsdAttrs,
  { steps, states, dy }: { steps: Tensor; states: Tensor; dy?: Tensor },
) {
  const defines = { ...ssdDefines(inputs, attrs), ADJOINT: dy !== undefined };
  const sizes = ssdDynamicSizes(inputs, attrs);
  const { BATCH, CHUNKS, H, N, P } = defines;
  const fours = ssdByFours(attrs);
  const type = fours ? 'vec4f' : 'f32';
  return [
    kernel({
      name: `${name}.states`,
      source: activation + fourAccessors(dy ? ['xbc', 'dy'] : ['xbc'], 'states', fours) + source,
      defines: { ...defines, STATES: true, STEPS: !dy },
      sizes,
      bindings: [
        read('xbc', inputs.xbc, type),
        ...(dy
          ? [read('dy', dy, type), read('steps', steps)]
          : [...stepsInputs(inputs), write('steps', steps)]),
        write('states', states, type),
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
  const sizes = ssdDynamicSizes(inputs, attrs);
  const { BATCH, H, P, D, WIDTH } = defines;
  return kernel({
    name,
    source: rows + walkSource,
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
