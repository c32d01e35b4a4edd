/** What a run will do and take, before it does. */
import type { Dataset } from '../eeg/windows/dataset';
import { SAMPLE_RATE } from '../eeg/signal/preprocess';
import { windowStarts, type WindowSet } from '../eeg/windows/windows';
import { Parameters } from '../engine/packs';
import type { BufferRole, Plan } from '../engine/plan';
import { countParameters } from '../models/initialise';
import type { StepGraph } from './graphs';
import type { EegPlan, RunSplit } from './protocol';
import type { EegSettings } from './settings';

const USES = {
  values: 'activations and their gradients',
  input: 'windows and labels',
  constant: 'windows and labels',
  step: 'windows and labels',
  staging: 'reading results',
} as const satisfies Readonly<Record<BufferRole, string>>;

/** Steps of a run over that many windows, and of each of its epochs. */
export function stepsOf(
  { batch, epochs, stepsPerEpoch: max, maxSteps }: EegSettings,
  windows: number,
): { readonly steps: number; readonly stepsPerEpoch: number } {
  const stepsPerEpoch = Math.min(Math.floor(windows / batch), max ?? Infinity);
  return { steps: Math.min(epochs * stepsPerEpoch, maxSteps ?? Infinity), stepsPerEpoch };
}

/** Steps, sizes and bytes; the bytes are all that the run will ask the device for. */
export function describe(
  { dataset, settings }: { readonly dataset: Dataset; readonly settings: EegSettings },
  made: {
    view: StepGraph;
    set: WindowSet;
    split: RunSplit;
    plans: { step: Plan; optimizer: Plan | null; evaluation: Plan };
    packs: { training: boolean; accumulating: boolean };
    baseChannels: number;
    reason: string | null;
    kernels: string | null;
  },
): EegPlan {
  const { view, set, split, plans, packs, baseChannels, reason, kernels } = made;
  const { microBatches, validationStride } = settings;
  const bytes = new Map<string, number>();
  const add = (use: string, more: number): void => void bytes.set(use, (bytes.get(use) ?? 0) + more);
  const weights = Parameters.bytes(view.graph, { training: false });
  add('weights', weights);
  add('gradients and moments of AdamW', Parameters.bytes(view.graph, packs) - weights);
  for (const buffer of [...plans.step.buffers, ...(plans.optimizer?.buffers ?? [])])
    add(USES[buffer.role], buffer.bytes);
  add('validation', plans.evaluation.bytes);
  const validation = split.validation.reduce((sum, recording) => {
    const info = dataset.folder.recordings[recording];
    return sum + (info ? windowStarts(info, validationStride * SAMPLE_RATE).length : 0);
  }, 0);
  return {
    parameters: countParameters(view.declared),
    baseChannels,
    reason,
    kernels,
    ...stepsOf(settings, set.windows.length),
    windows: { training: set.windows.length, validation },
    recordings: split,
    posWeight: set.posWeight,
    memory: [...bytes].map(([use, bytes]) => ({ use, bytes })),
    dispatchesPerStep:
      microBatches * plans.step.dispatches.length + (plans.optimizer?.dispatches.length ?? 0),
    flopsPerStep: microBatches * plans.step.cost.flops + (plans.optimizer?.cost.flops ?? 0),
  };
}
