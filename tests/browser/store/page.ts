/** The browser's side of the tests of the store: what they call in the page. */
import { promisifyRequest } from 'idb-keyval';
import { chosenFolder, rememberFolder } from '../../../src/checkpoints/copies';
import { openDatabase } from '../../../src/checkpoints/database';
import type { Slot } from '../../../src/checkpoints/run';
import type { FloatTensor, TrainingState } from '../../../src/checkpoints/state';
import { askToPersist, CheckpointStore } from '../../../src/checkpoints/store';
import { handOver, startStoreWorker } from '../../../src/checkpoints/store_worker';

const DATABASE = 'smokescan-checkpoints';

/** A state of about `megabytes` in which every element follows from the step. */
function makeState(step: number, megabytes: number): TrainingState {
  const length = Math.floor((megabytes * 1e6) / 4 / 3);
  const tensor = (salt: number): FloatTensor => {
    const data = new Float32Array(length);
    for (let i = 0; i < length; i++) data[i] = (i * 31 + step * 1009 + salt) % 65_521;
    return { shape: [length], data };
  };
  return {
    parameters: new Map([['weight', tensor(1)]]),
    firstMoments: new Map([['weight', tensor(2)]]),
    secondMoments: new Map([['weight', tensor(3)]]),
    buffers: new Map([['bn.running_mean', { shape: [2], data: Float32Array.of(step, -step) }]]),
    progress: {
      epoch: 1,
      step,
      batches: 2 * step,
      bestScore: 0.5,
      config: 'epochs: 3',
      schedule: { step },
      lossScale: null,
      rng: [1, 2, 3, 4],
      sampler: { next: step },
      earlyStopping: null,
    },
  };
}

function sameStates(a: TrainingState, b: TrainingState): boolean {
  const same = (left: TrainingState['parameters'], right: TrainingState['parameters']): boolean =>
    left.size === right.size &&
    [...left].every(([name, { shape, data }]) => {
      const other = right.get(name);
      return other?.shape.join() === shape.join() && data.every((value, i) => value === other.data[i]);
    });
  return (
    same(a.parameters, b.parameters) &&
    same(a.firstMoments, b.firstMoments) &&
    same(a.secondMoments, b.secondMoments) &&
    same(a.buffers, b.buffers) &&
    JSON.stringify(a.progress) === JSON.stringify(b.progress)
  );
}

/** What an error says, for the other side. */
interface Failure {
  name: string;
  message: string;
}

const store = new CheckpointStore();

/** The result of `work`, or its error's name and message. */
async function attempt<T>(work: Promise<T>): Promise<T | Failure> {
  return work.catch((error: unknown) =>
    error instanceof Error
      ? { name: error.name, message: error.message }
      : { name: '', message: String(error) },
  );
}

const tests = {
  createRun: (name: string) => store.createRun({ name, config: 'epochs: 3', device: 'none' }),
  runs: () => store.runs(),
  updateRun: (id: string, changes: Parameters<CheckpointStore['updateRun']>[1]) =>
    attempt(store.updateRun(id, changes)),
  deleteRun: (id: string) => attempt(store.deleteRun(id)),
  save: (id: string, slot: Slot, step: number, megabytes: number) =>
    attempt(store.save(id, slot, makeState(step, megabytes))),
  /** The step of what is loaded, and whether it is what was saved then. */
  async load(id: string, slot: Slot, megabytes: number, number?: number) {
    return attempt(
      store.load(id, slot, number).then(({ generation, state }) => ({
        step: generation.step,
        number: generation.number,
        verified: generation.verified,
        same: sameStates(state, makeState(generation.step, megabytes)),
      })),
    );
  },
  /** The private folder of the page stands in for one that a person picks: it is the browser's own handle too. */
  async chooseCopies() {
    const root = await navigator.storage.getDirectory();
    await rememberFolder(await root.getDirectoryHandle('copies', { create: true }));
  },
  copy: (id: string) => store.copyRun(id),
  deleteCopy: (id: string) => store.deleteCopy(id),
  restore: () => store.restoreRuns(),
  /** The files of the copies, by their paths. */
  async copied() {
    const names: string[] = [];
    for await (const [run, folder] of (await chosenFolder())?.entries() ?? [])
      if (folder instanceof FileSystemDirectoryHandle)
        for await (const name of folder.keys()) names.push(`${run}/${name}`);
    return names.sort();
  },
  /** Cuts off the end of a file of the copies. */
  async cutCopy(path: string) {
    const [run = '', name = ''] = path.split('/');
    const folder = await (await chosenFolder())?.getDirectoryHandle(run);
    const file = await folder?.getFileHandle(name);
    const stream = await file?.createWritable({ keepExistingData: true });
    await stream?.truncate((await file!.getFile()).size - 1);
    await stream?.close();
  },
  persist: () => askToPersist(),
  keys: () => openDatabase(DATABASE).use('readonly', (values) => promisifyRequest(values.getAllKeys())),
  /** Replaces a stored value: one byte flipped, the end cut off, or nothing left. */
  async damage(key: string, how: 'flip' | 'cut' | 'remove') {
    await openDatabase(DATABASE).use('readwrite', async (values) => {
      const old: unknown = await promisifyRequest(values.get(key) as IDBRequest<unknown>);
      const bytes = old instanceof Uint8Array ? old : new TextEncoder().encode(String(old));
      if (bytes.length === 0 || old === undefined) throw new Error(`nothing is stored as ${key}`);
      if (how === 'flip') bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
      const changed = how === 'cut' ? bytes.slice(0, -1) : bytes;
      if (how === 'remove') values.delete(key);
      else values.put(old instanceof Uint8Array ? changed : new TextDecoder().decode(changed), key);
      await promisifyRequest(values.transaction);
    });
  },
  /** Saves one state after the other, announcing each, until the process is killed. */
  async saveBackToBack(id: string, from: number, megabytes: number) {
    for (let step = from; ; step++) {
      await announce(step);
      await store.save(id, 'last', makeState(step, megabytes));
    }
  },
  /** Saves a state in the worker: bytes of its tensors here before and after it is handed over. */
  async saveInWorker(id: string, megabytes: number) {
    const { store: remote, stop } = startStoreWorker();
    const state = makeState(1, megabytes);
    const bytes = (): number =>
      [state.parameters, state.firstMoments, state.secondMoments, state.buffers]
        .flatMap((group) => [...group.values()])
        .reduce((sum, { data }) => sum + data.byteLength, 0);
    const before = bytes();
    const saving = remote.save(id, 'last', handOver(state));
    const after = bytes();
    await saving;
    stop();
    return { before, after };
  },
  /** A run that has ended at `step`, whose state is not stored before its end is: what the end says, and what is stored then. */
  async endRun(id: string, step: number, megabytes: number) {
    const { StoredRun } = await import('../../../src/training/stored_run');
    const { RunRecord } = await import('../../../src/training/run_record');
    const { SMOKE_RUN } = await import('../../../src/training/settings');
    const summary = {
      kind: 'eeg' as const,
      settings: SMOKE_RUN,
      plan: { parameters: 1, steps: step, memory: [], windows: { training: step, validation: 0 } },
      data: { synthetic: 1 },
      losses: [],
      validations: [],
      seconds: 1,
      outcome: null,
    };
    await store.updateRun(id, { summary: new RunRecord(summary).toJson(false) });
    const { store: remote, stop } = startStoreWorker();
    const run = new StoredRun(remote, summary.data);
    await run.reopen(id, makeState(1, megabytes));
    const saved = await attempt(run.save(['last'], makeState(step, megabytes)));
    const said = await run.observe({ type: 'finished', reason: 'completed', steps: step, seconds: 2 });
    const stored = async () => {
      const { last, summary } = await store.run(id);
      return { step: last[0]?.step, summary };
    };
    const before = await stored();
    globalThis.storeEndLater = async () => {
      await run.storeEnd();
      stop();
      return stored();
    };
    return { saved, said, before };
  },
  /** Errors of the worker keep their names. */
  async failInWorker() {
    const { store: remote, stop } = startStoreWorker();
    const failure = await attempt(Promise.resolve(remote.load('nobody', 'last')));
    stop();
    return failure;
  },
};

export type StoreTests = typeof tests;

declare global {
  var storeTests: StoreTests;
  /** Made by `endRun`: stores the end once there is room, and what is stored then. */
  var storeEndLater: () => Promise<{ step: number | undefined; summary: unknown }>;
  /** Bound by the test: hears which step is about to be saved. */
  var announce: (step: number) => Promise<void>;
}

globalThis.storeTests = tests;
