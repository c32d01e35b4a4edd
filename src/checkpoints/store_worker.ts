import { releaseProxy, transfer, wrap, type Remote } from 'comlink';
import { GROUPS, type TrainingState } from './state';
import type { CheckpointStore } from './store';

export interface StoreWorker {
  /** Errors keep name and message; the other fields stay in the worker. */
  readonly store: Remote<CheckpointStore>;
  readonly stop: () => void;
}

/** Starts a worker with a store of its own, so that hashing and writing do not hold the thread that asks. */
export function startStoreWorker(): StoreWorker {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'checkpoints' });
  const store = wrap<CheckpointStore>(worker);
  return {
    store,
    stop: () => {
      store[releaseProxy]();
      worker.terminate();
    },
  };
}

/** Hands a state's memory over instead of copying it: its tensors are empty afterwards, `store.save` has them. */
export function handOver(state: TrainingState): TrainingState {
  const buffers = GROUPS.flatMap((group) => [...state[group].values()].map(({ data }) => data.buffer));
  return transfer(state, [...new Set(buffers)]);
}
