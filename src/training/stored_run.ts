/** A run in the store of checkpoints: what the trainer keeps in it, and what is shown of it. */
import type { Run, Slot } from '../checkpoints/run';
import type { TrainingState } from '../checkpoints/state';
import type { StoreWorker } from '../checkpoints/store_worker';
import { adapterName } from '../engine/adapter';
import type { Checkpoints } from './checkpoints';
import { toFailure } from '../run/failure';
import type { CheckpointName, DamagedCheckpoint, EegEvent } from './protocol';
import { holdRun } from './run_lock';
import { readSummary, RunRecord, type RunSummary } from './run_record';
import { runName } from './settings';

type Store = StoreWorker['store'];

export class StoredRun implements Checkpoints {
  damaged: string | null = null;
  #id: string | undefined;
  /** What the run is made with, as soon as the store takes it. */
  #about: Pick<Run, 'name' | 'config' | 'device'> | undefined;
  #record: RunRecord | undefined;
  /** Gives the run to other tabs. */
  #release: (() => void) | undefined;
  /** The newest state that the store did not take. */
  #unstored: TrainingState | undefined;
  /** Why the copy could not be written last. */
  #copyProblem: string | null = null;
  /** Writes of the record, one after the other. */
  #queue: Promise<void> = Promise.resolve();

  /** `data`: what is trained on. */
  constructor(
    private readonly store: Store,
    private readonly data: RunSummary['data'],
  ) {}

  /** Of the run in the store; undefined before it is there. */
  get id(): string | undefined {
    return this.#id;
  }

  /**
   * Goes on with a run that is there, from one of its states. Throws with a sentence when it has no settings, or another tab
   * trains it.
   */
  async reopen(id: string, state: TrainingState): Promise<void> {
    this.#release = await holdRun(id);
    const run = await this.store.run(id);
    this.#about = { name: run.name, config: run.config, device: run.device };
    const summary = readSummary(run.summary);
    if (!summary)
      throw new Error(`The run “${run.name}” has no settings to resume with: only its weights can be used.`);
    this.#id = id;
    this.#record = new RunRecord(summary);
    this.#record.backTo(state.progress.step);
  }

  /** The run was not started, or has ended: others may have it. */
  close(): void {
    this.#release?.();
    this.#release = undefined;
  }

  /** Takes notice of what happens; resolves when what has to be written is: with a sentence where the store did not take the end. */
  async observe(event: EegEvent): Promise<string | null> {
    if (event.type === 'planned' && !this.#record) {
      const { settings, plan, device, adapterKey } = event;
      const { parameters, steps, memory, windows } = plan;
      this.#record = new RunRecord({
        kind: 'eeg',
        settings,
        plan: { parameters, steps, memory, windows },
        data: this.data,
        adapterKey,
        losses: [],
        validations: [],
        seconds: 0,
        outcome: null,
      });
      this.#about = {
        name: runName(settings),
        config: JSON.stringify(settings),
        device: adapterName(device),
      };
      this.#write();
    } else {
      this.#record?.add(event);
      if (event.type === 'finished' || event.type === 'failed')
        return this.storeEnd().then(
          () => null,
          (error: unknown) => toFailure(error).message,
        );
    }
    // What the store rejects is reported where a checkpoint is saved.
    await this.#written().catch(() => undefined);
    return null;
  }

  /** Stores how the run ended, with its last state where that is in memory alone. Throws with a sentence. Others may have it then. */
  async storeEnd(): Promise<void> {
    try {
      if (this.#id !== undefined) this.#release ??= await holdRun(this.#id);
      if (this.#unstored) await this.save(['last'], this.#unstored);
      // A run that has ended is not resumed, so its last state comes before.
      this.#write(true);
      await this.#written();
      await this.#copy();
    } finally {
      this.close();
    }
  }

  /** A run whose record is gone, as where the data of this page was deleted, is made anew. */
  async save(slots: readonly Slot[], state: TrainingState): Promise<string | void> {
    this.#unstored = state;
    try {
      await this.#save(slots, state);
      return await this.#copy();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'MissingRunError' || !this.#about) throw error;
      this.close();
      this.#id = undefined;
      await this.#save([...new Set<Slot>(['last', ...slots])], state);
      await this.#copy();
      return `The stored data of this run was deleted. It is stored anew from step ${state.progress.step}; older checkpoints are gone.`;
    }
  }

  async #save(slots: readonly Slot[], state: TrainingState): Promise<void> {
    // Before the checkpoint, so that the curves are at least as long: the rest is cut off.
    this.#write();
    await this.#written();
    if (this.#id === undefined) throw new Error('The run was not planned, so it cannot be kept.');
    for (const slot of slots) await this.store.save(this.#id, slot, state);
    this.#unstored = undefined;
  }

  /** Why the copy in the person's folder is old: a sentence, once for each reason. */
  async #copy(): Promise<string | undefined> {
    const problem = this.#id === undefined ? null : await this.store.copyRun(this.#id);
    const isNew = problem !== this.#copyProblem;
    this.#copyProblem = problem;
    return isNew ? (problem ?? undefined) : undefined;
  }

  async latest(): Promise<TrainingState | undefined> {
    this.damaged = null;
    if (this.#unstored) return this.#unstored;
    if (this.#id === undefined) return undefined;
    const { state, problems } = await firstWhole(
      this.store,
      this.#id,
      namesOf(await this.store.run(this.#id)),
    );
    this.damaged = problems[0] ?? null;
    return state;
  }

  /** Rejects where the store did not take the last write. */
  async #written(): Promise<void> {
    const written = this.#queue;
    this.#queue = written.catch(() => undefined);
    await written;
  }

  /** Queues a write of the record, with how the run ended where that is `known`. A run that there was no room for is made then. */
  #write(known = false): void {
    const summary = this.#record?.toJson(known);
    this.#queue = this.#queue.then(async () => {
      if (summary === undefined) return;
      if (this.#id === undefined && this.#about) {
        this.#id = (await this.store.createRun({ ...this.#about, summary })).id;
        this.#release = await holdRun(this.#id);
      } else if (this.#id !== undefined) await this.store.updateRun(this.#id, { summary });
    });
  }
}

/** The newest first; of one step the last state before the best. */
const namesOf = ({ last, best }: Pick<Run, 'last' | 'best'>): CheckpointName[] =>
  [
    ...last.map(({ number, step }) => ({ slot: 'last' as const, number, step })),
    ...best.map(({ number, step }) => ({ slot: 'best' as const, number, step })),
  ].sort((a, b) => b.step - a.step);

/** The first state that is whole, and what is wrong with those before it. */
async function firstWhole(store: Store, id: string, names: readonly CheckpointName[]) {
  const problems: string[] = [];
  for (const name of names)
    try {
      const { state } = await store.load(id, name.slot, name.number);
      return { name, state, problems };
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'CorruptedCheckpointError') throw error;
      problems.push(error.message);
    }
  return { name: null, state: undefined, problems };
}

/**
 * A checkpoint of a run: the one that is named, else the newest of `last`. Where it is damaged, what is wrong and which
 * other is whole. Throws with a sentence where there is none.
 */
export async function openCheckpoint(
  store: Store,
  id: string,
  which?: CheckpointName,
): Promise<{ readonly state: TrainingState } | DamagedCheckpoint> {
  const names = namesOf(await store.run(id));
  const wanted = which ?? names.find(({ slot }) => slot === 'last');
  if (!wanted) return { state: (await store.load(id, 'last')).state };
  const isWanted = ({ slot, number }: CheckpointName): boolean =>
    slot === wanted.slot && number === wanted.number;
  const { name, state, problems } = await firstWhole(store, id, [
    wanted,
    ...names.filter((other) => !isWanted(other)),
  ]);
  if (problems.length === 0 && state) return { state };
  return {
    damaged: (name ? problems.slice(0, 1) : problems).join(' '),
    instead: name,
  };
}
