/** What a run leaves in its folder beside its states: weights, checkpoints for the trainer, scores, detected events. */
import { stemOf } from '../base/text';
import { write } from '../checkpoints/safetensors';
import { writeCsvBi } from '../eeg/files/csv_bi';
import { outputNames } from '../eeg/events/output_names';
import type { RecordingInfo } from '../eeg/files/recording';
import type { Parameters } from '../engine/packs';
import type { EegEvent } from '../training/protocol';
import { trainerCheckpoint } from '../training/export';
import { detectorConfigOf, type EegSettings } from '../training/settings';
import { STATE_FILES, type FileCheckpoints } from './file_checkpoints';
import type { OutputFolder } from './output_files';
import { LOG_FILES } from './run_log';

const [WEIGHTS, LAST, BEST, SCORES] = ['weights.safetensors', 'last.pt', 'best.pt', 'scores.json'] as const;

/** All files that a run on these recordings may write. */
export const resultNames = (recordings: readonly RecordingInfo[]): string[] => [
  ...STATE_FILES,
  WEIGHTS,
  LAST,
  BEST,
  SCORES,
  ...LOG_FILES,
  ...outputNames(recordings.map(({ path }) => path)).map(({ csvBi }) => csvBi),
];

/** Bytes a parameter: three states and one that is being written, two checkpoints, each with two moments; weights. */
const BYTES_PER_PARAMETER = 4 * (3 * (STATE_FILES.length + 1 + 2) + 1);

export class RunResults {
  #settings: EegSettings;
  #parameters = 0;
  #weights: Uint8Array | undefined;
  #validated: Extract<EegEvent, { type: 'validated' }> | undefined;

  constructor(
    settings: EegSettings,
    private readonly recordings: readonly RecordingInfo[],
  ) {
    this.#settings = settings;
  }

  /** Those of the run, once it is planned with the width as a number. */
  get settings(): EegSettings {
    return this.#settings;
  }

  /** What all files take, once the run is planned; scores and events not counted. */
  get bytes(): number {
    return BYTES_PER_PARAMETER * this.#parameters;
  }

  observe(event: EegEvent): void {
    if (event.type === 'planned') {
      this.#settings = event.settings;
      this.#parameters = event.plan.parameters;
    }
    if (event.type === 'validated') this.#validated = event;
  }

  /** Reads parameters and running statistics. */
  async keep(parameters: Parameters): Promise<void> {
    const slices = [...parameters.layout.slices, ...parameters.bufferLayout.slices];
    const values = new Map([...(await parameters.read('value')), ...(await parameters.read('buffer'))]);
    const tensors = new Map(
      slices.map(([name, { shape }]) => [
        name,
        { dtype: 'F32' as const, shape, data: values.get(name) as Float32Array<ArrayBuffer> },
      ]),
    );
    const { model } = this.#settings;
    const config = detectorConfigOf(model, Number(model.baseChannels));
    this.#weights = write(tensors, { format: 'smokescan', config: JSON.stringify(config) });
  }

  /** Writes what there is. Throws, with a sentence that names the file, where one cannot be written. */
  async write(out: OutputFolder, checkpoints: FileCheckpoints): Promise<void> {
    if (this.#weights) await out.write(WEIGHTS, [this.#weights]);
    const states = { [LAST]: await checkpoints.latest(), [BEST]: await checkpoints.best() };
    for (const [name, state] of Object.entries(states))
      if (state) await out.write(name, trainerCheckpoint(state, this.#settings));
    if (!this.#validated) return;
    const { results, ...scores } = this.#validated;
    await out.write(SCORES, [`${JSON.stringify(scores, null, 2)}\n`]);
    const names = outputNames(this.recordings.map(({ path }) => path));
    for (const { recording, predicted } of results) {
      const [info, name] = [this.recordings[recording], names[recording]];
      if (info && name)
        await out.write(name.csvBi, [writeCsvBi(stemOf(info.path), info.duration, predicted)]);
    }
  }
}
