/** Fields that a person moves, with their ranges and how their values are written. */
import { MIXERS } from '../../../models/bimamba';
import type { Setup } from './setup';

interface NumberField {
  readonly kind: 'number';
  readonly field: 'batch' | 'layers' | 'workers' | 'prefetch' | 'epochs' | 'microBatches';
  readonly label: string;
  readonly least: number;
  readonly most: number;
  /** Where the slider ends; the number beside it goes on to `most`. */
  readonly slider: number;
  readonly about: string;
}

interface ChoiceField {
  readonly kind: 'choice';
  readonly field: 'precision' | 'mixer';
  readonly label: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
  readonly about: string;
}

interface FlagField {
  readonly kind: 'flag';
  readonly field: 'checkpointing' | 'pinMemory' | 'persistentWorkers';
  readonly label: string;
  readonly about: string;
}

export type Field = NumberField | ChoiceField | FlagField;

const MIXER_LABELS = { mamba2: 'Mamba-2', conv: 'convolution' } as const;

export const FIELDS: readonly Field[] = [
  {
    kind: 'number',
    field: 'batch',
    label: 'Batch',
    least: 1,
    most: 256,
    slider: 128,
    about: 'windows of an update',
  },
  {
    kind: 'number',
    field: 'layers',
    label: 'Mamba layers',
    least: 1,
    most: 12,
    slider: 12,
    about: 'n_layers',
  },
  {
    kind: 'number',
    field: 'microBatches',
    label: 'Micro-batches',
    least: 1,
    most: 64,
    slider: 16,
    about: 'parts of a batch; no key of production’s',
  },
  {
    kind: 'choice',
    field: 'precision',
    label: 'Precision',
    options: [
      { value: 'fp16', label: 'mixed (fp16)' },
      { value: 'bf16', label: 'mixed (bf16)' },
      { value: 'fp32', label: 'fp32' },
    ],
    about: 'mixed_precision; the trainer’s autocast is fp16',
  },
  {
    kind: 'choice',
    field: 'mixer',
    label: 'Mixer',
    options: MIXERS.map((value) => ({ value, label: MIXER_LABELS[value] })),
    about: 'follows the installation; Modal’s launcher forces the convolution, the fallback',
  },
  { kind: 'flag', field: 'checkpointing', label: 'Gradient checkpointing', about: 'no key of production’s' },
  {
    kind: 'number',
    field: 'workers',
    label: 'Workers',
    least: 0,
    most: 32,
    slider: 16,
    about: 'num_workers',
  },
  {
    kind: 'number',
    field: 'prefetch',
    label: 'Prefetch',
    least: 2,
    most: 16,
    slider: 8,
    about: 'batches each worker reads ahead',
  },
  { kind: 'flag', field: 'pinMemory', label: 'Pinned memory', about: 'pin_memory' },
  {
    kind: 'flag',
    field: 'persistentWorkers',
    label: 'Persistent workers',
    about: 'those of validation stay too',
  },
  {
    kind: 'number',
    field: 'epochs',
    label: 'Epochs',
    least: 1,
    most: 200,
    slider: 200,
    about: 'at most; early stopping may end it before',
  },
];

export const labelOf = (field: keyof Setup): string =>
  FIELDS.find((one) => one.field === field)?.label ?? field;

/** A field's value as people read it. */
export function shownValue(setup: Setup, field: Field['field']): string {
  const value = setup[field];
  const found = FIELDS.find((one) => one.field === field);
  if (found?.kind === 'choice')
    return found.options.find((one) => one.value === value)?.label ?? String(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** A batch is cut into equal parts: the largest number of them that is not above the wish. */
export function fittingParts(batch: number, wished: number): number {
  let parts = Math.min(batch, wished);
  while (batch % parts !== 0) parts--;
  return parts;
}

/** A setup with changes, in which everything goes together. */
export function withChanges(base: Setup, changes: Partial<Setup>): Setup {
  const changed = { ...base, ...changes };
  return { ...changed, microBatches: fittingParts(changed.batch, changed.microBatches) };
}
