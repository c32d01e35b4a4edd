/** What a prediction of GPU memory is asked about. */
import { MAX_PIECES } from '../../engine/ops/channels';
import { MIXERS, type Mixer } from '../../models/bimamba';
import type { ByUse } from './replay';
import type { Float } from './tape';

/** What decides which allocations there are; the batch only decides how large they are. */
export interface VramModel {
  /** Gradient accumulation: number of equal parts in which a batch passes through the GPU. */
  readonly microBatches: number;
  /** torch.utils.checkpoint around each stage, residual block and Mamba layer. */
  readonly checkpointing: boolean;
  /** model.mamba.n_layers */
  readonly layers: number;
  readonly mixer: Mixer;
  /** `fp16` is what torch.cuda.amp.autocast() takes by default; fp32 is mixed_precision: false. */
  readonly precision: Float;
  /** model.rescnn.kernel_sizes */
  readonly kernelSizes: readonly number[];
  /** model.mamba.conv_kernel */
  readonly convKernel: number;
  readonly loss: 'bce' | 'focal';
}

export interface VramRun extends VramModel {
  /** training.batch_size, in windows. */
  readonly batch: number;
}

/** What torch.cuda reported after some steps of a real run, in bytes; at least one of the two. */
export interface Measurement {
  readonly run: VramRun;
  /** torch.cuda.max_memory_allocated() */
  readonly allocated?: number | undefined;
  /** torch.cuda.max_memory_reserved() */
  readonly reserved?: number | undefined;
  /** What a memory snapshot shows besides. */
  readonly atPeak?: MeasuredPeak | undefined;
}

/** Bytes at the peak of a step, as they were asked for. */
export interface MeasuredPeak {
  /** Of allocations that predicted ones stand for, and of those at the predicted peak. */
  readonly uses: ByUse;
  readonly predicted: ByUse;
  readonly unexplained: number;
}

export interface VramOptions extends VramRun {
  readonly measurement?: Measurement | undefined;
}

/** Windows of a micro-batch, which are what passes through the GPU at once. */
export const windowsOf = ({ batch, microBatches }: VramRun): number => batch / microBatches;

/** Throws RangeError with a sentence for an impossible run. */
export function checkRun({ batch, microBatches, layers, mixer, kernelSizes, convKernel }: VramRun): void {
  const whole = (name: string, value: number, max: number): void => {
    if (!Number.isInteger(value) || value < 1 || value > max)
      throw new RangeError(`${name} is a whole number from 1 to ${max}, it is ${value}`);
  };
  whole('the batch size', batch, 65_536);
  whole('the number of micro-batches', microBatches, batch);
  if (batch % microBatches !== 0)
    throw new RangeError(`a batch of ${batch} windows cannot be divided into ${microBatches} equal parts`);
  whole('the number of layers', layers, 96);
  if (!MIXERS.includes(mixer)) throw new RangeError(`the mixer is mamba2 or conv, it is ${String(mixer)}`);
  if (kernelSizes.length === 0 || kernelSizes.some((size) => !(size >= 1 && size % 2 === 1)))
    throw new RangeError(
      `kernel sizes are odd whole numbers, they are [${kernelSizes.slice(0, 20).join(', ')}]`,
    );
  if (kernelSizes.length > MAX_PIECES)
    throw new RangeError(
      `there are ${kernelSizes.length} kernel sizes, and models of at most ${MAX_PIECES} are predicted`,
    );
  whole('conv_kernel', convKernel, 64);
  if (mixer === 'conv' && convKernel % 2 === 0)
    throw new RangeError(`conv_kernel ${convKernel} breaks the convolution mixer, where it must be odd`);
}
