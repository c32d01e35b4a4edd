/** The second stage of the gradients of per-channel weights: convolutions and norms end with it. */
import source from '../../../shaders/channel_sums.wgsl?raw';
import inOrder from '../../../shaders/sum_in_order.wgsl?raw';
import { elements, type Tensor } from '../graph';
import type { Dispatch } from './definition';
import { kernel, read, write } from './kernel';

/**
 * weight [c, taps] (or [c], one tap) and bias [c] as sums of `partial` [split, taps + 1, c] in ascending s. Without a
 * bias `partial` is [split, taps, c].
 */
export function channelSums(partial: Tensor, split: number, weight: Tensor, bias?: Tensor): Dispatch {
  const channels = weight.shape[0] as number;
  const taps = elements(weight.shape) / channels;
  return kernel({
    name: 'channel_sums',
    source: inOrder + source,
    defines: { BIAS: bias !== undefined, SUMMED: 'partial' },
    sizes: { SPLIT: split, CHANNELS: channels, TAPS: taps },
    bindings: [read('partial', partial), write('weight', weight), ...(bias ? [write('bias', bias)] : [])],
    threads: channels * (bias ? taps + 1 : taps),
  });
}
