/** The second stage of the gradients of per-channel weights: convolutions and norms end with it. */
import source from '../../../shaders/channel_sums.wgsl?raw';
import { elements, type Tensor } from '../graph';
import type { Dispatch, Lowering } from './definition';
import { kernel, read, write } from './kernel';
import { dividedSums, sumInOrder } from './sum_in_order';

/**
 * weight [c, taps] (or [c], one tap) and bias [c] as sums of `partial` [split, taps + 1, c] over s. Without a bias
 * `partial` is [split, taps, c].
 */
export function channelSums(
  partial: Tensor,
  split: number,
  { software }: Pick<Lowering, 'software'>,
  weight: Tensor,
  bias?: Tensor,
): Dispatch {
  const channels = weight.shape[0] as number;
  const taps = elements(weight.shape) / channels;
  const { defines, sizes, ...work } = dividedSums(channels * (bias ? taps + 1 : taps), split, software);
  return kernel({
    name: 'channel_sums',
    source: sumInOrder + source,
    defines: { ...defines, BIAS: bias !== undefined },
    sizes: { ...sizes, CHANNELS: channels, TAPS: taps },
    bindings: [read('partial', partial), write('weight', weight), ...(bias ? [write('bias', bias)] : [])],
    ...work,
  });
}
