/**
 * Ctrl-C and the signal to end. The first one stops a job as the page's button does, after what is under way; the second ends the
 * process at once, as the system does it. The thread that receives signals is another one (load.mjs), as this one may be busy.
 */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { complain } from './print';

/** To the thread that receives signals; null where a test calls the command itself. */
const port =
  !isMainThread && (workerData as { smokescan?: unknown } | null)?.smokescan !== undefined
    ? parentPort
    : null;

const ANSWER = 'Stopping after what is under way; once more to end at once.';

/** A job was stopped before it had anything to keep. */
export class StoppedError extends Error {
  override name = 'StoppedError';
}

export class Signals {
  #stopped = false;
  readonly #stops: (() => void)[] = [];

  /** Whether one came. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Throws StoppedError once one came: for what is done piece by piece. */
  readonly check = (): void => {
    if (this.#stopped) throw new StoppedError('Stopped before anything was done; nothing was kept.');
  };

  /** Runs a job that the first signal stops, also one that came before. */
  async run(job: { run(): Promise<unknown>; stop(): void }): Promise<void> {
    this.check();
    this.#stops.push(() => job.stop());
    await job.run();
  }

  /** A signal came. */
  stop(): void {
    if (!port) complain(ANSWER);
    this.#stopped = true;
    for (const stop of this.#stops) stop();
  }
}

/** Does `work`, which the first signal stops. Returns 1, with a sentence, where it throws StoppedError. */
export async function stoppable(work: (signals: Signals) => Promise<number>): Promise<number> {
  const signals = new Signals();
  const stop = (): void => signals.stop();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  port?.postMessage({ stoppable: ANSWER });
  try {
    return await work(signals);
  } catch (error) {
    if (!(error instanceof StoppedError)) throw error;
    complain(error.message);
    return 1;
  } finally {
    port?.postMessage({ stoppable: false });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, stop);
  }
}

/** Notes a path that is deleted where the process is ended by a second signal; `false` once it is deleted otherwise. */
export const leftover = (path: string, there = true): void =>
  port?.postMessage(there ? { leftover: path } : { gone: path });
