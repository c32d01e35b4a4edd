/** GPUs by their maker’s data sheets. */
import { MIB } from '../base/units';

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
  /** The total that nvidia-smi shows; a little less than what is sold where ECC takes a part. */
  readonly memoryBytes: number;
  /** Bytes per second. */
  readonly bandwidth: number;
  /** FLOP per second without tensor cores. */
  readonly fp32: number;
  /** FLOP per second of the tensor cores in half precision that accumulates in float32, dense. */
  readonly half: number;
  /** Whether the tensor cores compute products of float32 in TF32. */
  readonly tf32: boolean;
  /** Watts of the board under load. */
  readonly watts: number;
  /** Whether Modal rents it (its documentation lists T4, L4, A10, L40S, A100, H100 and later ones). */
  readonly onModal: boolean;
  readonly source: string;
}

function gpu(
  id: GpuId,
  name: string,
  mib: number,
  gigabytesPerSecond: number,
  fp32: number,
  half: number,
  watts: number,
  tf32 = true,
): Gpu {
  return {
    id,
    name,
    memoryBytes: mib * MIB,
    bandwidth: gigabytesPerSecond * 1e9,
    fp32: fp32 * 1e12,
    half: half * 1e12,
    tf32,
    watts,
    onModal: !id.startsWith('rtx'),
    source: `NVIDIA’s data sheet of the ${name}; memory as nvidia-smi shows it`,
  };
}

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

/** Whether `name` is the id of a GPU of `GPUS`. */
export const isGpuId = (name: string): name is GpuId => Object.hasOwn(GPUS, name);
