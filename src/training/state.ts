/** From a training on EEG to a state that can be kept, and back. */
import { sha256 } from '../base/sha256';
import type { FloatTensor, Json, TrainingState } from '../checkpoints/state';
import type { RecordingInfo } from '../eeg/files/recording';
import type { Parameters } from '../engine/packs';
import { inTorchOrder } from '../models/torch_order';
import type { Declared } from '../models/initialise';
import { restoreWeights, writeTensor } from '../detection/restore';
import { SettingsError } from '../run/failure';
import { FIRST_SCALE, readLossScale, type LossScale } from './loss_scale';
import type { EegSettings } from './settings';

/** How far a run is, between two steps. */
export interface RunProgress {
  /** Completed epochs, validation included. */
  epoch: number;
  /** Steps since. */
  inEpoch: number;
  /** Steps in all. */
  step: number;
  /** The best value of the early-stopping metric, and epochs since it was reached. */
  best: number | null;
  without: number;
  /** Of the next step; null where activations are float32. */
  lossScale: LossScale | null;
}

/** Before the first step; activations in float16 start with PyTorch's first loss scale. */
export const atStart = ({ precision }: Pick<EegSettings, 'precision'>): RunProgress => ({
  epoch: 0,
  inEpoch: 0,
  step: 0,
  best: null,
  without: 0,
  lossScale: precision === 'float16' ? FIRST_SCALE : null,
});

/** The model whose state it is. */
export interface StateOf {
  readonly parameters: Parameters;
  readonly declared: readonly Declared[];
  /** Parameters of the published model that are not trained, with their values. */
  readonly unused: ReadonlyMap<string, FloatTensor>;
}

/** The data that a state can be resumed with. */
export interface DataIdentity {
  readonly windows: number;
  readonly recordings: string;
}

/** SHA-256 over names, lengths and labels of the recordings. */
export async function identify(recordings: readonly RecordingInfo[], windows: number): Promise<DataIdentity> {
  // Recordings that the detector cannot take are none of a run's data.
  const known = recordings
    .filter(({ unusable }) => unusable === null)
    .map(({ path, samples, seizures }) => [path, samples, seizures]);
  const bytes = new TextEncoder().encode(JSON.stringify(known));
  return { windows, recordings: await sha256(bytes) };
}

/**
 * What the training is made of now; later steps do not change it. Resolves when the GPU's copies are queued, so that
 * training goes on while they are read. `settings`: with the width as a number.
 */
export async function capture(
  { parameters, declared, unused }: StateOf,
  { epoch, inEpoch, step, best, without, lossScale }: Readonly<RunProgress>,
  settings: EegSettings,
  steps: number,
  data: DataIdentity,
): Promise<() => Promise<TrainingState>> {
  const reads = await Promise.all(
    (['value', 'first_moment', 'second_moment', 'buffer'] as const).map((pack) => parameters.snapshot(pack)),
  );
  const updated = step > (lossScale?.skipped ?? 0);
  return async () => {
    const [values, first, second, buffers] = await Promise.all(reads.map((read) => read()));
    const shapes = new Map(declared.map((one) => [one.parameter.name, one.publishedShape]));
    const order = inTorchOrder([...shapes.keys(), ...unused.keys()]);
    const group = (from: ReadonlyMap<string, Float32Array<ArrayBuffer>> | undefined) => {
      const tensors: [string, FloatTensor][] = [];
      for (const name of order) {
        const [shape, values] = [shapes.get(name), from?.get(name)];
        if (shape && values) tensors.push([name, { shape, data: values }]);
      }
      return new Map(tensors);
    };
    const trained = group(values);
    const running = [...(buffers ?? [])].map(
      ([name, data]) => [name, { shape: [data.length], data }] as const,
    );
    return {
      parameters: new Map(
        order.map((name) => [name, (trained.get(name) ?? unused.get(name)) as FloatTensor] as const),
      ),
      // AdamW has none before its first step.
      firstMoments: updated ? group(first) : new Map(),
      secondMoments: updated ? group(second) : new Map(),
      buffers: new Map(running),
      progress: {
        epoch,
        step,
        batches: step * settings.microBatches,
        bestScore: best,
        config: JSON.stringify(settings),
        schedule: { steps },
        lossScale: lossScale && { ...lossScale },
        rng: { seed: settings.seed },
        sampler: { position: inEpoch * settings.batch, updates: inEpoch, ...data },
        earlyStopping: { without },
      },
    };
  };
}

/** Writes all tensors of a state. Throws SettingsError when it is that of another model. */
export function restore(model: StateOf, state: TrainingState): void {
  restoreWeights(model, state);
  for (const [name, tensor] of state.firstMoments)
    writeTensor(model.parameters, name, tensor, 'first_moment');
  for (const [name, tensor] of state.secondMoments)
    writeTensor(model.parameters, name, tensor, 'second_moment');
}

/** The progress of a state. Throws SettingsError when data or schedule are not its own. */
export function progressOf(
  { progress }: TrainingState,
  steps: number,
  data: DataIdentity,
  { precision }: Pick<EegSettings, 'precision'>,
): RunProgress {
  const { sampler, schedule, earlyStopping, epoch, step, bestScore } = progress;
  const field = (json: Json, name: string): Json | undefined =>
    typeof json === 'object' && json !== null ? (json as Record<string, Json>)[name] : undefined;
  if (field(sampler, 'recordings') !== data.recordings || field(sampler, 'windows') !== data.windows)
    throw new SettingsError(
      'the recordings that are open are not those of this run, so it cannot resume from its checkpoint; open the same folder with the same limit',
    );
  if (field(schedule, 'steps') !== steps)
    throw new SettingsError(
      `the run had ${JSON.stringify(field(schedule, 'steps'))} steps to do, with these settings it is ${steps}: the learning rates would differ`,
    );
  const [inEpoch, without] = [field(sampler, 'updates'), field(earlyStopping, 'without')];
  if (typeof inEpoch !== 'number' || typeof without !== 'number')
    throw new SettingsError('the checkpoint does not say where the run stood');
  const lossScale = precision === 'float16' ? readLossScale(progress.lossScale) : null;
  return { epoch, inEpoch, step, best: bestScore, without, lossScale };
}
