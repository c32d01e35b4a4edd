/** Graphics cards by their makers' data sheets, and the machines that they sit in. */
import { quantity, type Quantity } from '../base/quantity';
import type { DeviceRates } from './time_per_step';

export const GPU_IDS = [
  't4',
  'l4',
  'a10g',
  'rtx3090',
  'rtx4090',
  'a100-40',
  'l40s',
  'a100-80',
  'h100',
] as const;
export type GpuId = (typeof GPU_IDS)[number];

export interface Gpu {
  readonly id: GpuId;
  readonly name: string;
  /** What nvidia-smi shows as total; a little less than what is sold where ECC takes a part. */
  readonly memoryBytes: number;
  /** Bytes a second. */
  readonly bandwidth: number;
  /** FLOP a second without tensor cores. */
  readonly fp32: number;
  /** FLOP a second of the tensor cores in half precision that sums in float32, dense. */
  readonly half: number;
  /** Whether bfloat16 is among them. */
  readonly bf16: boolean;
  /** Watts of the board under load. */
  readonly watts: number;
  readonly source: string;
}

const MIB = 2 ** 20;

function gpu(
  id: GpuId,
  name: string,
  mib: number,
  gigabytesPerSecond: number,
  fp32: number,
  half: number,
  watts: number,
  bf16 = true,
): Gpu {
  return {
    id,
    name,
    memoryBytes: mib * MIB,
    bandwidth: gigabytesPerSecond * 1e9,
    fp32: fp32 * 1e12,
    half: half * 1e12,
    bf16,
    watts,
    source: `NVIDIA’s data sheet of the ${name}; memory as nvidia-smi shows it`,
  };
}

/** From the smallest memory to the largest. */
export const GPUS: Readonly<Record<GpuId, Gpu>> = {
  t4: gpu('t4', 'T4', 15_360, 320, 8.1, 65, 70, false),
  l4: gpu('l4', 'L4', 23_034, 300, 30.3, 121, 72),
  a10g: gpu('a10g', 'A10G', 23_028, 600, 31.5, 70, 300),
  rtx3090: gpu('rtx3090', 'RTX 3090', 24_576, 936, 35.6, 71, 350),
  rtx4090: gpu('rtx4090', 'RTX 4090', 24_564, 1008, 82.6, 165, 450),
  'a100-40': gpu('a100-40', 'A100 40 GB', 40_960, 1555, 19.5, 312, 400),
  l40s: gpu('l40s', 'L40S', 46_068, 864, 91.6, 362, 350),
  'a100-80': gpu('a100-80', 'A100 80 GB', 81_920, 2039, 19.5, 312, 400),
  h100: gpu('h100', 'H100 80 GB', 81_559, 3350, 67, 989, 700),
};

export const isGpuId = (name: string): name is GpuId => Object.hasOwn(GPUS, name);

/** Of what a training step asks of a card: FLOPs and bytes, in any common unit. */
export interface Work {
  readonly flops: number;
  readonly bytes: number;
}

/** FLOP a second in float32: PyTorch convolves in TF32 where there are such cores, at half of their half-precision rate. */
const float32 = ({ bf16, half, fp32 }: Gpu): number => (bf16 ? half / 2 : fp32);

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
