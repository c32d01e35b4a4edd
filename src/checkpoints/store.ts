/**
 * Runs and their checkpoints in IndexedDB, through idb-keyval. A checkpoint is one atomic transaction of strict
 * durability: its shards, its manifest, and the run's record, which points to it. A killed process therefore leaves
 * the checkpoint whole or not there. It is then read back and compared by SHA-256, and only after that are older
 * generations deleted: of `last` the one before stays, so that damage on the disk costs one checkpoint and no more.
 */
import { promisifyRequest } from 'idb-keyval';
import { messageOf } from '../base/text';
import { copiedRuns, copyRun, deleteCopy, type CopiedRun } from './copies';
import { openDatabase, type Database } from './database';
import type { Generation, Run, Slot } from './run';
import { sha256 } from '../base/sha256';
import { describeShards, packShards, unpackShards, type Manifest } from './shards';
import { rejectNonJson, type TrainingState } from './state';
import {
  CorruptedCheckpointError,
  explain,
  MissingCheckpointError,
  MissingRunError,
  StoreUnavailableError,
} from './store_errors';

/** How many generations stay once the newest is verified. */
const KEPT: Readonly<Record<Slot, number>> = { last: 2, best: 1 };

export type RunChanges = Partial<Pick<Run, 'name' | 'pinned' | 'note' | 'tags' | 'summary'>>;

export interface SavedCheckpoint {
  readonly generation: Generation;
  readonly state: TrainingState;
}

const runKey = (id: string): string => `run/${id}`;
const manifestKey = (id: string, generation: number): string => `manifest/${id}/${generation}`;
const shardKey = (id: string, generation: number, shard: number): string =>
  `shard/${id}/${generation}/${shard}`;
/** All keys that start with `prefix`. */
const below = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);

/**
 * Asks the browser to keep the origin's data when the disk runs full; undefined where it cannot be asked (in a worker,
 * or without a secure context). A browser may reject: then it may delete everything of this origin, as in a private window.
 */
export const askToPersist = async (): Promise<boolean | undefined> => navigator.storage?.persist?.();

/** A state as it is stored, with its manifest as a text. */
async function pack(state: TrainingState) {
  const shards = packShards(state);
  if (!globalThis.crypto?.subtle)
    throw new StoreUnavailableError('the page is not served over https or from localhost');
  const text = JSON.stringify(await describeShards(state, shards));
  const manifestSha256 = await sha256(new TextEncoder().encode(text));
  return { shards, text, manifestSha256, bytes: shards.reduce((sum, shard) => sum + shard.length, 0) };
}

const problemOf = (work: () => Promise<void>): Promise<string | null> => work().then(() => null, messageOf);

export class CheckpointStore {
  readonly #database: Database;
  /** Saves, one after the other. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(name = 'smokescan-checkpoints') {
    this.#database = openDatabase(name);
  }

  async createRun(
    about: Pick<Run, 'name' | 'config' | 'device'> & Partial<Pick<Run, 'summary'>>,
  ): Promise<Run> {
    const now = Date.now();
    const run: Run = {
      summary: null,
      ...about,
      id: crypto.randomUUID(),
      pinned: false,
      created: now,
      updated: now,
      last: [],
      best: [],
    };
    await this.#write(async (store) => void store.put(run, runKey(run.id)));
    return run;
  }

  /** All runs, the latest first. */
  async runs(): Promise<Run[]> {
    const runs = await this.#read<Run[]>((store) => store.getAll(below('run/')));
    return runs.sort((a, b) => b.updated - a.updated);
  }

  async run(id: string): Promise<Run> {
    const run = await this.#read<Run | undefined>((store) => store.get(runKey(id)));
    if (!run) throw new MissingRunError(id);
    return run;
  }

  async updateRun(id: string, changes: RunChanges): Promise<Run> {
    rejectNonJson(changes, 'the run');
    return this.#changeRun(id, (run) => ({ ...run, ...changes, updated: Date.now() }));
  }

  /** Deletes a run with its checkpoints; a pinned run is rejected. */
  async deleteRun(id: string): Promise<void> {
    await this.#write(async (store) => {
      const run = await this.#get(store, id);
      if (run.pinned) throw new Error(`The run “${run.name}” is pinned: unpin it before you delete it.`);
      store.delete(runKey(id));
      store.delete(below(`manifest/${id}/`));
      store.delete(below(`shard/${id}/`));
    });
  }

  /**
   * Saves a state; `state` must not change until then. Resolves when the checkpoint is on the disk and was read back
   * whole. Throws QuotaError when the disk is full, and nothing has changed then.
   */
  save(id: string, slot: Slot, state: TrainingState): Promise<Generation> {
    const saved = this.#queue.then(() => this.#save(id, slot, state));
    this.#queue = saved.catch(() => undefined);
    return saved;
  }

  /**
   * The newest checkpoint, or the generation with that number. Throws CorruptedCheckpointError, which offers an older
   * generation where there is one, and MissingCheckpointError where nothing was saved.
   */
  async load(id: string, slot: Slot, number?: number): Promise<SavedCheckpoint> {
    const run = await this.run(id);
    const generation = run[slot].find((saved) => number === undefined || saved.number === number);
    if (!generation) throw new MissingCheckpointError(run.name, slot, number);
    const older = this.#olderThan(run, slot, generation);
    const reject = (problem: string): never => {
      throw new CorruptedCheckpointError(run.name, slot, generation, problem, older);
    };
    const manifest = await this.#manifest(id, generation, reject);
    const shards: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i < manifest.shards.length; i++)
      shards.push(await this.#shard(id, generation, manifest, i, reject));
    return { generation, state: unpackShards(manifest, shards) };
  }

  /** Brings the copy of a run in the person's folder up to date, where one was chosen. Why it could not: a sentence. */
  copyRun(id: string): Promise<string | null> {
    return problemOf(async () =>
      copyRun(await this.run(id), async (slot, { number }) => (await this.load(id, slot, number)).state),
    );
  }

  /** Deletes the copy of a run. Why it could not: a sentence. */
  deleteCopy(id: string): Promise<string | null> {
    return problemOf(() => deleteCopy(id));
  }

  /**
   * Puts back the runs of the person's folder that are not here, where one was chosen: their names, and what could not be put back.
   * Throws with a sentence where the folder cannot be used.
   */
  async restoreRuns(): Promise<{
    readonly restored: readonly string[];
    readonly problems: readonly string[];
  }> {
    const known = async () => new Set((await this.runs()).map(({ id }) => id));
    const restored: string[] = [];
    const problems = await copiedRuns(known, async (copied) => {
      const left = await this.#restore(copied);
      restored.push(copied.run.name);
      return left;
    });
    return { restored, problems };
  }

  close(): void {
    this.#database.close();
  }

  /** The record comes last: without it nothing of the run is there. Throws where none of its checkpoints can be read. */
  async #restore({ run, read }: CopiedRun): Promise<string[]> {
    const restored: Record<Slot, Generation[]> = { last: [], best: [] };
    const problems: string[] = [];
    for (const slot of ['last', 'best'] as const)
      for (const generation of run[slot])
        try {
          const { shards, text, bytes, manifestSha256 } = await pack(await read(slot, generation));
          await this.#write(async (store) => {
            shards.forEach((shard, i) => store.put(shard, shardKey(run.id, generation.number, i)));
            store.put(text, manifestKey(run.id, generation.number));
          }, bytes);
          restored[slot].push({ ...generation, bytes, manifestSha256 });
        } catch (error) {
          problems.push(
            `“${slot}” of “${run.name}” at step ${generation.step} is not put back: ${messageOf(error)}`,
          );
        }
    if (problems.length > 0 && restored.last.length + restored.best.length === 0)
      throw new Error(problems.join('; '));
    await this.#write(async (store) => void store.put({ ...run, ...restored }, runKey(run.id)));
    return problems;
  }

  async #save(id: string, slot: Slot, state: TrainingState): Promise<Generation> {
    const { shards, text, bytes, manifestSha256 } = await pack(state);
    const saved = await this.#write(async (store) => {
      const run = await this.#get(store, id);
      const number = Math.max(0, ...[...run.last, ...run.best].map((generation) => generation.number)) + 1;
      const { step } = state.progress;
      const generation: Generation = {
        number,
        step,
        saved: Date.now(),
        bytes,
        verified: false,
        manifestSha256,
      };
      shards.forEach((shard, i) => store.put(shard, shardKey(id, number, i)));
      store.put(text, manifestKey(id, number));
      const updated: Run = { ...run, [slot]: [generation, ...run[slot]], updated: generation.saved };
      store.put(updated, runKey(id));
      return generation;
    }, bytes);
    await this.#verify(id, slot, saved);
    return this.#keep(id, slot, saved);
  }

  /** Reads a generation back, shard by shard. */
  async #verify(id: string, slot: Slot, generation: Generation): Promise<void> {
    const run = await this.run(id);
    const reject = (problem: string): never => {
      throw new CorruptedCheckpointError(
        run.name,
        slot,
        generation,
        problem,
        this.#olderThan(run, slot, generation),
      );
    };
    const manifest = await this.#manifest(id, generation, reject);
    for (let i = 0; i < manifest.shards.length; i++) await this.#shard(id, generation, manifest, i, reject);
  }

  /** Marks a generation as verified and deletes those that are not needed any more. */
  async #keep(id: string, slot: Slot, verified: Generation): Promise<Generation> {
    const kept: Generation = { ...verified, verified: true };
    await this.#write(async (store) => {
      const run = await this.#get(store, id);
      const older = run[slot].filter(({ number }) => number < kept.number);
      const newer = run[slot].filter(({ number }) => number > kept.number);
      const stay = older.filter((generation) => generation.verified).slice(0, KEPT[slot] - 1);
      for (const { number } of older.filter((generation) => !stay.includes(generation))) {
        store.delete(manifestKey(id, number));
        store.delete(below(`shard/${id}/${number}/`));
      }
      store.put({ ...run, [slot]: [...newer, kept, ...stay] } satisfies Run, runKey(id));
    });
    return kept;
  }

  /** What may be loaded in the place of a damaged generation: an older one of the slot, or the newest of the other. */
  #olderThan(
    run: Run,
    slot: Slot,
    { number }: Generation,
  ): { slot: Slot; generation: Generation } | undefined {
    const other = slot === 'last' ? 'best' : 'last';
    const older = run[slot].find((generation) => generation.number < number);
    if (older) return { slot, generation: older };
    const [substitute] = run[other];
    return substitute && { slot: other, generation: substitute };
  }

  async #manifest(id: string, { number, manifestSha256 }: Generation, reject: (problem: string) => never) {
    const text = await this.#read<unknown>((store) => store.get(manifestKey(id, number)));
    if (typeof text !== 'string') return reject('its manifest is missing');
    if ((await sha256(new TextEncoder().encode(text))) !== manifestSha256)
      return reject('its manifest is damaged');
    return JSON.parse(text) as Manifest;
  }

  async #shard(
    id: string,
    { number }: Generation,
    { shards }: Manifest,
    index: number,
    reject: (problem: string) => never,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const which = `shard ${index + 1} of ${shards.length}`;
    const shard = await this.#read<unknown>((store) => store.get(shardKey(id, number, index))).catch(
      // Chromium cannot read a value whose file is gone.
      (error: unknown) => reject(`${which} cannot be read (${String(error)})`),
    );
    if (!(shard instanceof Uint8Array) || !(shard.buffer instanceof ArrayBuffer))
      return reject(`${which} is missing`);
    const bytes = new Uint8Array(shard.buffer, shard.byteOffset, shard.length);
    const expected = shards[index];
    if (bytes.length !== expected?.bytes)
      return reject(`${which} has ${bytes.length} bytes, not ${expected?.bytes}`);
    if ((await sha256(bytes)) !== expected.sha256) return reject(`${which} does not have its checksum`);
    return bytes;
  }

  async #changeRun(id: string, change: (run: Run) => Run): Promise<Run> {
    return this.#write(async (store) => {
      const changed = change(await this.#get(store, id));
      store.put(changed, runKey(id));
      return changed;
    });
  }

  async #get(store: IDBObjectStore, id: string): Promise<Run> {
    const run = await promisifyRequest<Run | undefined>(store.get(runKey(id)) as IDBRequest<Run | undefined>);
    if (!run) throw new MissingRunError(id);
    return run;
  }

  #read<T>(request: (store: IDBObjectStore) => IDBRequest): Promise<T> {
    return explain(
      this.#database.use('readonly', (store) => promisifyRequest<T>(request(store) as IDBRequest<T>)),
      0,
    );
  }

  /** One transaction: what `work` writes is there afterwards as a whole, or not at all. */
  #write<T>(work: (store: IDBObjectStore) => Promise<T>, bytes = 0): Promise<T> {
    return explain(
      this.#database.use('readwrite', async (store) => {
        const { transaction } = store;
        const committed = promisifyRequest(transaction);
        // Where `work` fails the transaction is aborted, and its own failure is nobody's to hear.
        committed.catch(() => undefined);
        let result: T;
        try {
          result = await work(store);
        } catch (error) {
          if (transaction.error === null) transaction.abort();
          throw transaction.error ?? error;
        }
        await committed;
        return result;
      }),
      bytes,
    );
  }
}
