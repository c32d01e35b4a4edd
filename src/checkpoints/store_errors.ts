/** What can go wrong with the store. A worker's errors keep their `name` and `message` over comlink, so tell them by name. */
import type { Generation, Slot } from './run';

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** The disk, or the browser's share of it, is full. Nothing was changed. */
class QuotaError extends Error {
  override name = 'QuotaError';

  constructor(readonly bytes: number) {
    super(
      `There is no room for ${bytes > 0 ? `the checkpoint of ${megabytes(bytes)}` : 'the change'}: the disk, or this browser’s ` +
        'share of it, is full. The checkpoints saved before are kept. Delete old runs, or download the state as a file.',
    );
  }
}

/** IndexedDB is not there or does not open, as in some private windows. */
export class StoreUnavailableError extends Error {
  override name = 'StoreUnavailableError';

  constructor(reason: string) {
    super(
      `Checkpoints cannot be stored in this browser window (${reason}). Download the state as a file instead.`,
    );
  }
}

export class MissingRunError extends Error {
  override name = 'MissingRunError';

  constructor(id: string) {
    super(`There is no run ${id} in this browser. It may have been deleted in another tab.`);
  }
}

export class MissingCheckpointError extends Error {
  override name = 'MissingCheckpointError';

  constructor(run: string, slot: Slot, number?: number) {
    super(
      `The run “${run}” has no checkpoint “${slot}”${number === undefined ? '' : ` with the number ${number}`}.`,
    );
  }
}

/** A checkpoint whose bytes are not those that were saved. */
export class CorruptedCheckpointError extends Error {
  override name = 'CorruptedCheckpointError';

  constructor(
    run: string,
    readonly slot: Slot,
    readonly generation: Generation,
    problem: string,
    /** What may be loaded instead. */
    readonly older: { readonly slot: Slot; readonly generation: Generation } | undefined,
  ) {
    super(
      `The checkpoint “${slot}” of the run “${run}” at step ${generation.step} is damaged: ${problem}. ` +
        (older
          ? `“${older.slot}” of step ${older.generation.step} can be loaded instead (number ${older.generation.number}).`
          : 'There is no older one.'),
    );
  }
}

/** Turns the browser's errors into those above. `bytes`: what was to be written. */
export async function explain<T>(work: Promise<T>, bytes: number): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    if (error.name === 'QuotaExceededError') throw new QuotaError(bytes);
    throw new StoreUnavailableError(`${error.name}: ${error.message}`);
  }
}
