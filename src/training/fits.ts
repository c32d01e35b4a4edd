/** Whether a run fits the device, from its plan alone, and what would. */
import { GIB } from '../base/units';
import { Parameters } from '../engine/packs';
import { planProgram, type Capabilities, type Plan } from '../engine/plan';
import { SettingsError } from '../run/failure';
import { evaluationGraph } from '../detection/evaluation';
import { countParameters } from '../models/initialise';
import { stepGraph } from './graphs';
import { detectorConfigOf, type EegSettings } from './settings';

/** A change of the settings with which a run takes less memory. */
export interface Suggestion {
  /** Such as “gradient checkpointing”. */
  readonly label: string;
  readonly settings: EegSettings;
  /** What it would ask the GPU for. */
  readonly bytes: number;
}

const gibibytes = (bytes: number): string => `${(bytes / GIB).toPrecision(3)} GiB`;

/** What a run with these settings takes; their width is a number. */
export interface RunCost {
  /** That the device is asked for, to the byte where kernels are not chosen by timing. */
  readonly bytes: number;
  /** Of one step: all micro-batches and the optimizer step. */
  readonly step: { readonly flops: number; readonly bytes: number; readonly dispatches: number };
}

/**
 * Plans the programs of a run, step, optimizer and validation, without a device. Throws RangeError while the width is to be
 * chosen by measurement.
 */
export function costOf(settings: EegSettings, capabilities: Capabilities): RunCost {
  const { model, batch, microBatches, precision } = settings;
  const config = detectorConfigOf(model, numericWidth(model));
  const { graph, loss, norm, optimizerGraph } = stepGraph(settings, config, 1);
  const evaluation = evaluationGraph(config, batch / microBatches, precision);
  const step = planProgram(graph, capabilities, { outputs: optimizerGraph ? [loss] : [loss, norm] });
  const optimizer = optimizerGraph && planProgram(optimizerGraph, capabilities, { outputs: [norm] });
  const validation = planProgram(evaluation.graph, capabilities, { outputs: [evaluation.probabilities] });
  const perStep = (read: (plan: Plan) => number): number =>
    microBatches * read(step) + (optimizer ? read(optimizer) : 0);
  return {
    bytes:
      Parameters.bytes(graph, { training: true, accumulating: optimizerGraph !== null }) +
      step.bytes +
      (optimizer?.bytes ?? 0) +
      validation.bytes,
    step: {
      flops: perStep(({ cost }) => cost.flops),
      bytes: perStep(({ cost }) => cost.bytes),
      dispatches: perStep(({ dispatches }) => dispatches.length),
    },
  };
}

/** Parameters of the network; its width is a number. */
export function parametersOf({ model }: Pick<EegSettings, 'model'>): number {
  const config = detectorConfigOf(model, numericWidth(model));
  return countParameters(evaluationGraph(config, 1).declared);
}

function numericWidth({ baseChannels }: EegSettings['model']): number {
  if (baseChannels === 'auto') throw new RangeError('the width is not chosen yet');
  return baseChannels;
}

/** Bytes that a run with these settings asks the device for; their width is a number. Exported for its tests. */
export const bytesOf = (settings: EegSettings, capabilities: Capabilities): number =>
  costOf(settings, capabilities).bytes;

/**
 * Settings that fit into `limit` bytes, what changes the run least first: the gradient in parts, checkpointing, both,
 * float16 where the device has it, a smaller batch, a narrower model.
 */
export function suggest(settings: EegSettings, capabilities: Capabilities, limit: number): Suggestion[] {
  const found: Suggestion[] = [];
  const fits = (label: string, changed: EegSettings): boolean => {
    const bytes = bytesOf(changed, capabilities);
    if (bytes <= limit) found.push({ label, settings: changed, bytes });
    return bytes <= limit;
  };
  const { batch, microBatches, checkpointing, precision, model } = settings;
  const divisors = Array.from({ length: batch }, (_, i) => i + 1).filter(
    (parts) => parts > microBatches && batch % parts === 0,
  );
  divisors.some((parts) => fits(`${parts} micro-batches`, { ...settings, microBatches: parts }));
  if (!checkpointing && !fits('gradient checkpointing', { ...settings, checkpointing: true }))
    divisors.some((parts) =>
      fits(`gradient checkpointing and ${parts} micro-batches`, {
        ...settings,
        checkpointing: true,
        microBatches: parts,
      }),
    );
  if (capabilities.half && precision === 'float32')
    fits('activations in float16', { ...settings, precision: 'float16' });
  for (let smaller = batch >> 1; smaller >= 1; smaller >>= 1)
    if (fits(`a batch of ${smaller}`, { ...settings, batch: smaller, microBatches: 1 })) break;
  for (let width = Number(model.baseChannels) >> 1; width >= 2; width >>= 1)
    if (
      width % 2 === 0 &&
      fits(`a base width of ${width}`, { ...settings, model: { ...model, baseChannels: width } })
    )
      break;
  return found;
}

/** Throws SettingsError where the run, or one of its buffers, is larger than the person or the device allows. */
export function rejectTooLarge(
  bytes: number,
  plans: readonly Plan[],
  memoryLimit: number | null,
  { maxBufferSize }: Pick<GPUSupportedLimits, 'maxBufferSize'>,
  whatFits: (limit: number) => readonly Suggestion[],
): void {
  const largest = Math.max(...plans.flatMap(({ buffers }) => buffers.map((buffer) => buffer.bytes)));
  const reject = (problem: string, limit: number): never => {
    const choices = whatFits(limit).map((choice) => `${choice.label} (${gibibytes(choice.bytes)})`);
    throw new SettingsError(
      `${problem}, so it did not start; ${choices.length > 0 ? `what would fit: ${choices.join(', ')}` : 'nothing of this kind would fit'}`,
    );
  };
  if (memoryLimit !== null && bytes > memoryLimit)
    reject(
      `this run asks the GPU for ${gibibytes(bytes)}, and may have ${gibibytes(memoryLimit)}`,
      memoryLimit,
    );
  if (largest > maxBufferSize)
    reject(
      `this run needs a buffer of ${gibibytes(largest)}, and this device gives ${gibibytes(maxBufferSize)} at once`,
      Math.floor((bytes * maxBufferSize) / largest),
    );
}
