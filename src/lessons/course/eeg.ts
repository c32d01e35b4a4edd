/** Synthetic EEG as a detector reads it, and detectors that read it: on the kernels, or in float64. */
import { ELECTRODES } from '../../base/production';
import { prepareByStretches, SAMPLE_RATE } from '../../eeg/signal/preprocess';
import { generate } from '../../eeg/synthetic/generator';
import { Graph } from '../../engine/graph';
import { sigmoid } from '../../engine/ops/sigmoid';
import { detectorModel, type DetectorConfig } from '../../models/detector';
import { inFloat64, type Kernels, type Lab, type Weights } from './lab';

/**
 * Seconds of a patient's recording, and how many of them lie before a seizure at least, and in it.
 * Exported for its tests.
 */
export const RECORDING = { duration: 120, before: 42, seizure: 26 } as const;

/** Seeds of patients on whom nothing was trained and whose only seizure lies as RECORDING says. */
export const PATIENTS = [1003, 1004, 1010, 1015, 1017, 1018] as const;

/** One seizure of a patient. */
export interface Onset {
  /** z-scores over the recording, [samples, 19]. */
  readonly eeg: Float32Array;
  /** Samples at which the seizure starts and stops. */
  readonly start: number;
  readonly stop: number;
}

const made = new Map<number, Promise<Onset>>();

/** The recording of a patient, made once. */
export function onsetOf(seed: number): Promise<Onset> {
  const recording = made.get(seed) ?? makeOnset(seed);
  made.set(seed, recording);
  return recording;
}

async function makeOnset(seed: number): Promise<Onset> {
  const { duration } = RECORDING;
  const { signals, seizures } = generate({
    seed,
    duration,
    seizures: 1,
    onset: 0.45,
    rate: SAMPLE_RATE,
    lineFrequency: 60,
  });
  const [seizure] = seizures;
  if (!seizure) throw new RangeError(`the recording of patient ${seed} has no seizure`);
  const eeg = new Float32Array(duration * SAMPLE_RATE * ELECTRODES);
  const whole = async function* () {
    yield await Promise.resolve({ channels: signals, first: true });
  };
  for await (const channels of prepareByStretches(whole, ELECTRODES))
    for (const [column, values] of channels.entries())
      for (let i = 0; i < values.length; i++) eeg[i * ELECTRODES + column] = values[i] as number;
  return { eeg, start: seizure.start * SAMPLE_RATE, stop: seizure.stop * SAMPLE_RATE };
}

/** The `samples` that end before sample `end`. */
export const windowBefore = ({ eeg }: Onset, end: number, samples: number): Float32Array =>
  eeg.slice((end - samples) * ELECTRODES, end * ELECTRODES);

/** A window whose samples are multiplied by `factor` from sample `from` on. */
export const scaledFrom = (window: Float32Array, factor: number, from: number): Float32Array =>
  window.map((value, i) => (i < from * ELECTRODES ? value : factor * value));

/** A finished detector over windows of `samples`, where asked for with a scan for each direction. */
export function readingGraph(config: DetectorConfig, batch: number, samples: number, apart = false) {
  const graph = new Graph();
  const x = graph.input('eeg', [batch, samples, config.electrodes]);
  const { logits, declared } = detectorModel(graph, x, config, { training: false, apart });
  return { graph, x, probabilities: sigmoid(graph, logits), declared };
}

type ReadingGraph = ReturnType<typeof readingGraph>;

/** P(seizure) of each sample of a window, as the kernels computed it, and in float64 where that was asked for. */
export interface Probabilities {
  readonly got: ArrayLike<number>;
  readonly want: ArrayLike<number> | undefined;
}

interface ReaderOptions {
  readonly config: DetectorConfig;
  readonly weights: Weights;
  /** Of a window. */
  readonly samples: number;
  /** Windows that pass through the kernels together. */
  readonly batch: number;
}

/** A detector that reads windows of one length. */
export class Reader {
  private constructor(
    private readonly options: ReaderOptions,
    private readonly many: ReadingGraph,
    private readonly one: ReadingGraph,
    private readonly kernels: Kernels | undefined,
  ) {}

  static async open(lab: Lab, options: ReaderOptions): Promise<Reader> {
    const { config, weights, samples, batch } = options;
    const many = readingGraph(config, batch, samples);
    const kernels = await lab.kernels(many.graph, weights, [many.probabilities]);
    return new Reader(options, many, readingGraph(config, 1, samples), kernels);
  }

  /**
   * Of all windows. Those that `compared` names have the value in float64 too; without a GPU everything is float64.
   * `progress` gets the share that is done.
   */
  async read(
    windows: readonly Float32Array[],
    compared: (index: number) => boolean = () => true,
    progress: (share: number) => void = () => undefined,
  ): Promise<Probabilities[]> {
    const all: Probabilities[] = [];
    const batch = this.kernels ? this.options.batch : 1;
    for (let first = 0; first < windows.length; first += batch) {
      const part = windows.slice(first, first + batch);
      const got = this.kernels && (await this.#onKernels(this.kernels, part));
      for (const [i, window] of part.entries()) {
        progress((first + i) / windows.length);
        const want = !got || compared(first + i) ? this.#inFloat64(window) : undefined;
        all.push({ got: (got?.[i] ?? want) as ArrayLike<number>, want });
      }
    }
    return all;
  }

  destroy(): void {
    this.kernels?.destroy();
  }

  async #onKernels(kernels: Kernels, windows: readonly Float32Array[]): Promise<Float32Array[]> {
    const { x, probabilities } = this.many;
    const { batch, samples } = this.options;
    const eeg = new Float32Array(batch * samples * ELECTRODES);
    for (const [i, window] of windows.entries()) eeg.set(window, i * samples * ELECTRODES);
    const values = (await kernels.run(new Map([[x, eeg]]))).get(probabilities) as Float32Array;
    return windows.map((_, i) => values.slice(i * samples, (i + 1) * samples));
  }

  #inFloat64(window: Float32Array): Float64Array {
    const { graph, x, probabilities } = this.one;
    return inFloat64(graph, new Map([[x, window]]), this.options.weights).get(probabilities) as Float64Array;
  }
}
