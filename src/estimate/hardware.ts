/** How fast GPUs are for a training step, by their data sheets. */
import type { Gpu } from '../config/gpus';
import { quantity, type Quantity } from '../base/quantity';
import type { DeviceRates } from './time_per_step';

/** Of what a training step asks of a card: FLOPs and bytes, in any common unit. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** FLOP a second in float32: PyTorch convolves in TF32 where there is such a mode, at half of the half-precision rate. */
const float32 = ({ tf32, half, fp32 }: Gpu): number => (tf32 ? half / 2 : fp32);

/** What the data sheet says that a card reaches in a run's precision. */
export const ratesOf = (gpu: Gpu, mixedPrecision: boolean): DeviceRates => ({
  flopsPerSecond: mixedPrecision ? gpu.half : float32(gpu),
  bandwidthBytesPerSecond: gpu.bandwidth,
});

/** How many times as long a card takes as another: by bandwidth, by FLOP rate, and between them. */
export function slowdown(from: Gpu, to: Gpu, mixedPrecision: boolean): Quantity {
  const rate = (gpu: Gpu): number => ratesOf(gpu, mixedPrecision).flopsPerSecond;
  const [low = 1, high = 1] = [from.bandwidth / to.bandwidth, rate(from) / rate(to)].sort((a, b) => a - b);
  return quantity(
    [low, Math.sqrt(low * high), high],
    'derived',
    `published bandwidth and ${mixedPrecision ? 'half-precision' : 'TF32'} rates of ${from.name} and ${to.name}; between them, because a step is bound by both`,
  );
}
