/** Names and colours of the parts of memory. Grey parts do not depend on the batch size, tints of the accent grow with it. */
import type { RamParts } from '../../../estimate/ram_watch';
import type { PartName } from '../../../estimate/vram/predict';

export interface PartLook {
  readonly label: string;
  readonly fill: string;
  /** What it is. */
  readonly about: string;
}

const grey = (share: number): string => `color-mix(in srgb, var(--ghost) ${share}%, var(--surface))`;
const tint = (share: number): string => `color-mix(in srgb, var(--accent) ${share}%, var(--surface))`;

/** From the bottom of the pictures to the top. */
export const VRAM_PARTS: Readonly<Record<PartName, PartLook>> = {
  context: { label: 'CUDA context', fill: grey(95), about: 'memory of the driver, and loaded kernels' },
  parameters: { label: 'Parameters', fill: grey(75), about: 'weights in fp32, of both mixers' },
  moments: { label: 'AdamW moments', fill: grey(55), about: 'two numbers for each trained weight' },
  gradients: { label: 'Gradients', fill: grey(38), about: 'one number for each trained weight' },
  casts: {
    label: 'Cast weights',
    fill: grey(22),
    about: '16-bit copies of the weights for the forward pass',
  },
  inputs: { label: 'Windows', fill: tint(95), about: 'EEG and labels of the batch' },
  saved: {
    label: 'Activations (saved for backward)',
    fill: tint(70),
    about: 'tensors that the backward pass reads',
  },
  temporaries: {
    label: 'Temporaries',
    fill: tint(46),
    about: 'gradients of activations, and workspace of operations',
  },
  workspace: { label: 'cuDNN and cuBLAS', fill: tint(28), about: 'workspace of the libraries' },
  unexplained: {
    label: 'Not explained',
    fill: 'color-mix(in srgb, var(--seizure) 45%, var(--surface))',
    about: 'allocations of the snapshot that no predicted one stands for',
  },
  reserve: { label: 'Allocator reserve', fill: tint(14), about: 'reserved in segments, not allocated' },
};
export const VRAM_ORDER = Object.keys(VRAM_PARTS) as PartName[];

export type RamPart = keyof RamParts;

export const RAM_PARTS: Readonly<Record<RamPart, PartLook>> = {
  other: { label: 'Other programs', fill: grey(80), about: 'the kernel and other processes' },
  main: { label: 'Main process', fill: grey(55), about: 'Python, PyTorch, and CUDA’s part in system RAM' },
  workers: {
    label: 'Worker processes (baseline)',
    fill: grey(30),
    about: 'Python interpreters of the workers',
  },
  files: {
    label: 'Decompressed recordings',
    fill: tint(72),
    about: 'arrays of cached recordings, whole files at a time',
  },
  inFlight: {
    label: 'Prefetched batches (/dev/shm)',
    fill: tint(48),
    about: 'finished batches that wait for the GPU',
  },
  pinned: {
    label: 'Pinned buffers',
    fill: tint(30),
    about: 'page-locked copies of batches for the transfer to the GPU',
  },
  lists: {
    label: 'Validation outputs (kept for AUROC)',
    fill: 'color-mix(in srgb, var(--seizure) 70%, var(--surface))',
    about: 'every probability and label, concatenated and sorted',
  },
};
export const RAM_ORDER = Object.keys(RAM_PARTS) as RamPart[];
