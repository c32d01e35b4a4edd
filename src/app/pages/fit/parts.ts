/**
 * How the parts of memory are called and painted. Greys are there whatever the batch is, the accent's tints grow with it:
 * the pictures need no other colours.
 */
import type { HostParts } from '../../../estimate/host_watch';
import type { PartName } from '../../../estimate/vram/predict';

export interface PartLook {
  readonly label: string;
  readonly fill: string;
  /** What it is, for people who do not know it. */
  readonly about: string;
}

const grey = (share: number): string => `color-mix(in srgb, var(--ghost) ${share}%, var(--surface))`;
const tint = (share: number): string => `color-mix(in srgb, var(--accent) ${share}%, var(--surface))`;

/** In the order in which they lie on each other. */
export const VRAM_PARTS: Readonly<Record<PartName, PartLook>> = {
  context: { label: 'CUDA context', fill: grey(95), about: 'the driver’s own memory and loaded kernels' },
  parameters: { label: 'Parameters', fill: grey(75), about: 'weights in fp32, both mixers’' },
  moments: { label: 'AdamW’s moments', fill: grey(55), about: 'two numbers for each trained weight' },
  gradients: { label: 'Gradients', fill: grey(38), about: 'one number for each trained weight' },
  casts: {
    label: 'Cast weights',
    fill: grey(22),
    about: 'weights once more in 16 bits, for the forward pass',
  },
  inputs: { label: 'Windows', fill: tint(95), about: 'EEG and labels of the batch' },
  saved: { label: 'Saved for backward', fill: tint(70), about: 'what the backward pass will read' },
  temporaries: {
    label: 'Temporaries',
    fill: tint(46),
    about: 'gradients of activations, work space of operations',
  },
  workspace: { label: 'cuDNN and cuBLAS', fill: tint(28), about: 'what libraries take for themselves' },
  reserve: { label: 'Allocator’s reserve', fill: tint(14), about: 'held in segments, in use by nothing' },
};
export const VRAM_ORDER = Object.keys(VRAM_PARTS) as PartName[];

export type HostPart = keyof HostParts;

export const HOST_PARTS: Readonly<Record<HostPart, PartLook>> = {
  other: { label: 'Other programs', fill: grey(80), about: 'the kernel and whatever else runs there' },
  main: { label: 'Main process', fill: grey(55), about: 'Python, PyTorch, CUDA’s part in the host’s memory' },
  workers: { label: 'Workers’ own', fill: grey(30), about: 'interpreters of the worker processes' },
  files: {
    label: 'Inflated recordings',
    fill: tint(72),
    about: 'arrays of cached recordings, whole files at a time',
  },
  inFlight: { label: 'Batches in flight', fill: tint(48), about: 'finished batches that wait in /dev/shm' },
  pinned: { label: 'Pinned buffers', fill: tint(30), about: 'page-locked copies on the way to the GPU' },
  lists: {
    label: 'Validation’s lists',
    fill: 'color-mix(in srgb, var(--seizure) 70%, var(--surface))',
    about: 'every probability and label, joined and sorted for AUROC',
  },
};
export const HOST_ORDER = Object.keys(HOST_PARTS) as HostPart[];
