/** What the passes of BatchNorm have in common: how they divide x. */
import source from '../../../shaders/batch_norm.wgsl?raw';
import { elements, type Shape, type Tensor } from '../graph';
import type { Defines } from '../wgsl';
import type { Binding, Dispatch } from './definition';
import { kernel } from './kernel';

export interface Activated {
  readonly activation: 'relu' | 'none';
}

/** Rows a thread walks; with more than MAX_RUNS runs they grow longer, since sums over runs are sequential. */
const SHORTEST_RUN = 32;
const MAX_RUNS = 512;

/** The size of the last axis. */
export const width = (shape: Shape): number => shape.at(-1) as number;
/** The number of rows: the product of all axes but the last. */
export const rowsOf = (shape: Shape): number => elements(shape) / width(shape);

const STAGES: Defines = { MOMENTS: false, MERGE: false, FIXED: false, APPLY: false, SUMS: false, DX: false };

/** How the kernels of a node divide x; `stage` makes one of them for `runs` runs of rows. */
export function divide(x: Tensor, { activation }: Activated) {
  const size = width(x.shape);
  const rows = rowsOf(x.shape);
  const type: 'vec4f' | 'f32' = size % 4 === 0 ? 'vec4f' : 'f32';
  const d = type === 'vec4f' ? size / 4 : size;
  const run = Math.max(SHORTEST_RUN, Math.ceil(rows / MAX_RUNS));
  return {
    type,
    size,
    run,
    runs: Math.ceil(rows / run),
    stage: (
      name: string,
      runs: number,
      flags: Defines,
      bindings: readonly Binding[],
      sizes: Readonly<Record<string, number>> = {},
    ): Dispatch =>
      kernel({
        name,
        source,
        defines: {
          ...STAGES,
          RELU: activation === 'relu',
          CONSTANT: false,
          TYPE: type,
          ...flags,
        },
        sizes: { ROWS: rows, D: d, RUN: run, ...sizes },
        bindings,
        threads: runs * d,
      }),
  };
}
