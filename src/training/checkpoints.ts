/** Where a run's states are kept while it trains. */
import type { Slot } from '../checkpoints/run';
import type { TrainingState } from '../checkpoints/state';

export interface Checkpoints {
  /**
   * Keeps a state. Throws with a sentence when it could not; it may still be known to `latest`. What a person should know of
   * it otherwise: a sentence.
   */
  save(slots: readonly Slot[], state: TrainingState): Promise<string | void>;
  /** The newest state that is whole; undefined before there is one. */
  latest(): Promise<TrainingState | undefined>;
  /** What is wrong with a newer one that `latest` had to pass over: a sentence. */
  readonly damaged?: string | null;
}

/** In memory alone: for as long as the process lives. */
export class MemoryCheckpoints implements Checkpoints {
  readonly #kept: Partial<Record<Slot, TrainingState>> = {};

  save(slots: readonly Slot[], state: TrainingState): Promise<void> {
    for (const slot of slots) this.#kept[slot] = state;
    return Promise.resolve();
  }

  latest(): Promise<TrainingState | undefined> {
    return Promise.resolve(this.#kept.last);
  }

  best(): Promise<TrainingState | undefined> {
    return Promise.resolve(this.#kept.best);
  }
}
