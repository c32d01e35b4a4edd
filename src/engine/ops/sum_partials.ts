/** The second stage of a two-stage sum; a kernel that several ops end with. */
import source from '../../../shaders/sum_partials.wgsl?raw';
import { elements, type Tensor } from '../graph';
import type { Dispatch, Lowering } from './definition';
import { kernel, read, write } from './kernel';
import { dividedSums, sumInOrder } from './sum_in_order';

/** y[i] = Σ_s partial[s, i], plus bias[i mod its length] where given. `partial` is [split, …y's shape]. */
export function sumPartials(
  partial: Tensor,
  y: Tensor,
  split: number,
  { software }: Pick<Lowering, 'software'>,
  bias?: Tensor,
): Dispatch {
  const { defines, sizes, ...work } = dividedSums(elements(y.shape), split, software);
  return kernel({
    name: 'sum_partials',
    source: sumInOrder + source,
    defines: { ...defines, BIAS: bias !== undefined },
    sizes: { ...sizes, BIAS_LENGTH: bias ? elements(bias.shape) : 0 },
    bindings: [read('partial', partial), ...(bias ? [read('bias', bias)] : []), write('y', y)],
    ...work,
  });
}
