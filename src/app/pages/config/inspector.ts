import { releaseProxy, wrap, type Remote } from 'comlink';
import type { Inspector } from './worker';

/** A text that takes longer is none that the trainer would read either. */
const MAX_MILLISECONDS = 15_000;

export class TooLong extends Error {
  override name = 'TooLong';
}

/** The worker, started when it is first asked and ended when a text keeps it too long. */
export class InspectorLink {
  #worker: Worker | undefined;
  #remote: Remote<Inspector> | undefined;

  /** Throws TooLong where there is no answer in time. */
  async ask<T>(question: (inspector: Remote<Inspector>) => Promise<T>): Promise<T> {
    const remote = (this.#remote ??= this.#start());
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (this.#remote === remote) this.#stop();
        reject(new TooLong());
      }, MAX_MILLISECONDS);
    });
    try {
      return await Promise.race([question(remote), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  #start(): Remote<Inspector> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'inspector' });
    this.#worker = worker;
    return wrap<Inspector>(worker);
  }

  #stop(): void {
    this.#remote?.[releaseProxy]();
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#remote = undefined;
  }
}
