/** A run in the store of checkpoints: what the trainer keeps in it, and what is shown of it. */
import type { Slot } from '../../checkpoints/store';
import type { TrainingState } from '../../checkpoints/state';
import type { StoreWorker } from '../../checkpoints/store_worker';
import type { Checkpoints } from './checkpoints';
import type { EegEvent } from './protocol';
import { readSummary, RunRecord, type RunSummary } from './run_record';

type Store = StoreWorker['store'];

export class StoredRun implements Checkpoints {
  #id: string | undefined;
  #record: RunRecord | undefined;
  /** The newest state that the store did not take. */
  #unstored: TrainingState | undefined;
  /** Writes of the record, one after the other. */
  #queue: Promise<void> = Promise.resolve();

  /** `data`: what is trained on. */
  constructor(
    private readonly store: Store,
    private readonly data: RunSummary['data'],
  ) {}

  /** Goes on with a run that is there. Throws with a sentence when it or its checkpoints cannot be read. */
  async reopen(id: string): Promise<TrainingState> {
    const run = await this.store.run(id);
    const summary = readSummary(run.summary);
    if (!summary)
      throw new Error(`The run “${run.name}” has no settings to go on with: its weights can be used alone.`);
    const state = await this.#load(id);
    this.#id = id;
    this.#record = new RunRecord(summary);
    this.#record.backTo(state.progress.step);
    return state;
  }

  /** Takes notice of what happens; resolves when what has to be written is. Never rejects. */
  async observe(event: EegEvent): Promise<void> {
    if (event.type === 'planned' && !this.#record) {
      const { settings, plan, device } = event;
      const { parameters, steps, memory, windows } = plan;
      this.#record = new RunRecord({
        kind: 'eeg',
        settings,
        plan: { parameters, steps, memory, windows },
        data: this.data,
        losses: [],
        validations: [],
        seconds: 0,
        outcome: null,
      });
      const about = {
        name: `Width ${settings.model.baseChannels}, ${settings.model.mixer === 'mamba2' ? 'Mamba-2' : 'convolution'}, ${settings.model.layers} ${settings.model.layers === 1 ? 'layer' : 'layers'}`,
        config: JSON.stringify(settings),
        device: device.description || `${device.vendor} ${device.architecture}`.trim() || 'a GPU',
      };
      const summary = this.#record.toJson();
      this.#queue = this.#queue.then(async () => {
        this.#id = (await this.store.createRun(about)).id;
        await this.store.updateRun(this.#id, { summary });
      });
    } else {
      this.#record?.add(event);
      if (event.type === 'finished' || event.type === 'failed') this.#write();
    }
    // What the store refuses is told where a checkpoint is saved.
    this.#queue = this.#queue.catch(() => undefined);
    await this.#queue;
  }

  async save(slots: readonly Slot[], state: TrainingState): Promise<void> {
    this.#unstored = state;
    await this.#queue;
    // Where the run could not be created, the store says why once more.
    const id = this.#id ?? '';
    if (this.#record) {
      // Before the checkpoint, so that the curves reach at least as far: what is too much is cut off.
      await this.store.updateRun(id, { summary: this.#record.toJson() });
    }
    for (const slot of slots) await this.store.save(id, slot, state);
    this.#unstored = undefined;
  }

  async latest(): Promise<TrainingState | undefined> {
    if (this.#unstored) return this.#unstored;
    return this.#id === undefined ? undefined : this.#load(this.#id).catch(() => undefined);
  }

  #write(): void {
    const summary = this.#record?.toJson();
    this.#queue = this.#queue.then(async () => {
      if (this.#id !== undefined && summary !== undefined) await this.store.updateRun(this.#id, { summary });
    });
  }

  /** The newest checkpoint, or the one before where that is damaged. */
  async #load(id: string): Promise<TrainingState> {
    const { last } = await this.store.run(id);
    for (const { number } of last.slice(0, -1)) {
      try {
        return (await this.store.load(id, 'last', number)).state;
      } catch (error) {
        // An older one may be whole.
        if (!(error instanceof Error) || error.name !== 'CorruptedCheckpointError') throw error;
      }
    }
    return (await this.store.load(id, 'last', last.at(-1)?.number)).state;
  }
}
