/** What the passes of BatchNorm have in common: how they divide x. */
import source from '../../../shaders/batch_norm.wgsl?raw';
import { elements, type Shape, type Tensor } from '../graph';
import type { Defines } from '../wgsl';
import type { Binding, Dispatch, Lowering } from './definition';
import { kernel } from './kernel';

export interface Activated {
  readonly activation: 'relu' | 'none';
}

/** Rows a thread walks; with more runs than `maxRuns` they grow longer, since each run is a partial sum. FLIGHT: rows that are loaded at a time. */
const RUNS = {
  software: { shortest: 32, maxRuns: 512, FLIGHT: 1 },
  gpu: { shortest: 16, maxRuns: 2048, FLIGHT: 8 },
} as const;

/** The size of the last axis. */
export const width = (shape: Shape): number => shape.at(-1) as number;
/** The number of rows: the product of all axes but the last. */
export const rowsOf = (shape: Shape): number => elements(shape) / width(shape);

const STAGES: Defines = { MOMENTS: false, MERGE: false, FIXED: false, APPLY: false, SUMS: false, DX: false };

/** How the kernels of a node divide x; `stage` makes one of them, by default with a thread for each column of each run. */
export function divide(
  x: Tensor,
  { activation }: Activated,
  { software }: Pick<Lowering, 'software'>,
  byFours = true,
) {
  const size = width(x.shape);
  const rows = rowsOf(x.shape);
  const type: 'vec4f' | 'f32' = byFours && size % 4 === 0 ? 'vec4f' : 'f32';
  const d = type === 'vec4f' ? size / 4 : size;
  const { shortest, maxRuns, FLIGHT } = RUNS[software ? 'software' : 'gpu'];
  const run = Math.max(shortest, Math.ceil(rows / maxRuns));
  const runs = Math.ceil(rows / run);
  return {
    type,
    size,
    d,
    runs,
    stage: (
      name: string,
      flags: Defines,
      bindings: readonly Binding[],
      work: { readonly workgroup: number; readonly workgroups: number } | { readonly threads: number } = {
        threads: runs * d,
      },
    ): Dispatch =>
      kernel({
        name,
        source,
        defines: {
          ...STAGES,
          RELU: activation === 'relu',
          CONSTANT: false,
          FLIGHT,
          TYPE: type,
          ...flags,
        },
        sizes: { ROWS: rows, D: d, RUN: run, SPANS: runs },
        bindings,
        ...work,
      }),
  };
}
