/** Where a configuration is going to run: the machines that rules and estimates assume. People may change their numbers. */
import { GIB } from '../base/units';
import type { Quantity } from '../base/quantity';
import { MODAL } from './facts';
import { GPUS, type Gpu } from './gpus';
import { firstOn } from './incidents';

/** Where the trainer runs. */
export const PLATFORMS = ['local', 'wsl2', 'modal'] as const;
export type Platform = (typeof PLATFORMS)[number];

export type TargetName = Platform | 'browser';

interface Base {
  /** As on a button. */
  readonly title: string;
  /** Which kind of machine it is, and what that means for a run; a sentence. */
  readonly environment: string;
  /** System RAM, GiB; under WSL2 that of WSL2, on Modal what the app asks for. */
  readonly ramGiB: number;
  readonly cores: number;
}

/** A machine on which the trainer runs. */
export interface Machine extends Base {
  readonly name: Platform;
  readonly gpu: Gpu;
  /** Whether nobody said which GPU it is. */
  readonly gpuAssumed?: boolean;
  /** Hours of an epoch of the run, as measured on this machine; left out, they are estimated. */
  readonly hoursPerEpoch?: Quantity | undefined;
}

/** This tab: the detector is trained here, and the trainer takes no part. */
export interface BrowserTarget extends Base {
  readonly name: 'browser';
  readonly gpu: Pick<Gpu, 'name' | 'memoryBytes'>;
}

export type Target = Machine | BrowserTarget;

export const MACHINES: Readonly<Record<Platform, Machine>> = {
  local: {
    name: 'local',
    title: 'Linux',
    environment:
      'A Linux machine of one’s own: all of its memory, workers that fork or spawn freely, no time limit.',
    gpu: GPUS.rtx4090,
    gpuAssumed: true,
    ramGiB: 64,
    cores: 16,
  },
  wsl2: {
    name: 'wsl2',
    title: 'WSL2',
    environment:
      'Linux inside Windows: half of the host’s memory unless .wslconfig says otherwise, and little of it can be pinned.',
    gpu: GPUS.rtx4090,
    gpuAssumed: true,
    // What is known of one such machine.
    ramGiB: firstOn('wsl2').machine.ramGiB,
    cores: 16,
  },
  modal: {
    name: 'modal',
    title: 'Modal A100',
    environment: `A container on Modal with an A100 of 80 GB; the app asks for ${MODAL.cores} cores and ${MODAL.ramGiB} GiB, and a job ends after ${MODAL.jobHours} hours.`,
    gpu: GPUS['a100-80'],
    ramGiB: MODAL.ramGiB,
    cores: MODAL.cores,
  },
};

export const TARGETS: Readonly<Record<Platform, Machine>> & { readonly browser: BrowserTarget } = {
  ...MACHINES,
  browser: {
    name: 'browser',
    title: 'This browser',
    environment:
      'This tab, with WebGPU: the detector is trained here, in float32, and neither the trainer nor its launcher takes part.',
    gpu: { name: 'WebGPU', memoryBytes: 4 * GIB },
    ramGiB: 8,
    cores: 8,
  },
};

/** Of the numbers of a machine that people give: above 0, and no more than there may be of it. */
export const MACHINE_BOUNDS = {
  ramGiB: { max: 65_536 },
  vramGiB: { max: 1024 },
  cores: { max: 4096 },
  hoursPerEpoch: { min: 0.01, max: 1000 },
} as const satisfies Readonly<Record<string, { readonly min?: number; readonly max: number }>>;

export const TARGET_NAMES = Object.keys(TARGETS) as TargetName[];

/** Whether the trainer runs there: a target's name other than `browser`. */
export const isPlatform = (name: string): name is Platform => Object.hasOwn(MACHINES, name);

/**
 * A file's path as the launcher has it, below the trainer's folder: from the last folder called configs on. Of a path from the
 * root of a disk without one, the file's name; any other is taken to be below the trainer's folder.
 */
function belowRoot(path: string): string {
  const parts = path.split(/[\\/]/);
  const configs = parts.lastIndexOf('configs', parts.length - 2);
  if (configs >= 0) return parts.slice(configs).join('/');
  return /^([\\/]|[a-z]:)/i.test(path) ? (parts.at(-1) ?? path) : path;
}

/** The target that the path of a file names: `configs/modal/train_a100.yaml` runs on Modal. */
export function targetOf(path: string): Platform {
  const below = belowRoot(path);
  if (/modal|a100/i.test(below)) return 'modal';
  return /wsl/i.test(below) ? 'wsl2' : 'local';
}

/** Whether a configuration is of a smoke run: the launcher looks for the word in any case of letters. */
export const isSmokeRun = (path: string): boolean => /smoke/i.test(belowRoot(path));

/** What is said of a run on a device without the machine's GPU; undefined for one that uses it. */
export const withoutGpu = (device: unknown): string | undefined =>
  device === 'cpu' || device === 'mps'
    ? `device ${device} uses no NVIDIA GPU, and neither memory nor time of such a run is predicted`
    : undefined;

/** GPU memory in GiB, to three digits. */
export const vramGiB = ({ gpu }: Target): number => Number((gpu.memoryBytes / GIB).toPrecision(3));
