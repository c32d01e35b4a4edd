/** A run that a person measured, in a few words. */
import type { VramRun } from '../../../estimate/vram/options';

export const shownRun = ({ batch, microBatches, mixer, precision, layers }: VramRun): string =>
  [
    `batch ${batch}`,
    ...(microBatches > 1 ? [`${microBatches} micro-batches`] : []),
    precision,
    mixer,
    `${layers} layers`,
  ].join(', ');
