/** The run that the last visit left unfinished. */
import { startStoreWorker } from '../../../checkpoints/store_worker';
import { runsInTraining } from '../../../training/run_lock';
import { readSummary, type RunSummary } from '../../../training/run_record';

export interface InterruptedRun {
  readonly id: string;
  readonly name: string;
  /** Of its last checkpoint. */
  readonly step: number;
  readonly summary: RunSummary;
}

/** The newest run, where it neither ended nor is trained in another tab; null where there is none, or nothing is stored. */
export async function interruptedRun(): Promise<InterruptedRun | null> {
  const { store, stop } = startStoreWorker();
  try {
    // That the folder of copies cannot be used is said beside this.
    await store.restoreRuns().catch(() => undefined);
    const training = await runsInTraining();
    const [newest] = (await store.runs()).filter(({ device }) => device !== FROM_A_FILE);
    const [last] = newest?.last ?? [];
    const summary = newest ? readSummary(newest.summary) : null;
    if (!newest || !last || !summary || summary.outcome !== null || training.has(newest.id)) return null;
    return { id: newest.id, name: newest.name, step: last.step, summary };
  } catch {
    // A store that does not open is reported where something is to be stored.
    return null;
  } finally {
    stop();
  }
}

/** The device of runs that were opened as files. */
export const FROM_A_FILE = 'from a file';
