/** The second stage of a two-stage sum; a kernel that several ops end with. */
import source from '../../../shaders/sum_partials.wgsl?raw';
import inOrder from '../../../shaders/sum_in_order.wgsl?raw';
import { elements, type Tensor } from '../graph';
import type { Dispatch } from './definition';
import { kernel, read, write } from './kernel';

/** y[i] = Σ_s partial[s, i] in ascending s, plus bias[i mod its length] where given. `partial` is [split, …y's shape]. */
export function sumPartials(partial: Tensor, y: Tensor, split: number, bias?: Tensor): Dispatch {
  return kernel({
    name: 'sum_partials',
    source: inOrder + source,
    defines: { BIAS: bias !== undefined, SUMMED: 'partial' },
    sizes: { SPLIT: split, BIAS_LENGTH: bias ? elements(bias.shape) : 0 },
    bindings: [read('partial', partial), ...(bias ? [read('bias', bias)] : []), write('y', y)],
    threads: elements(y.shape),
  });
}
